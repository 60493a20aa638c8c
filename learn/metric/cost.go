package metric

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Cost is what a decision costs: Cost[a][p] when a row of class Classes[a] is said to be of class Classes[p].
type Cost struct {
	Classes []string
	Cost    [][]float64

	// Benign is what P(benign) is multiplied by before costs are weighed; 0 stands for 1. A model takes attacks of types
	// that it has not learned for benign rather than for other attacks: see learn.Caution.
	Benign float64
}

// KDD99Cost is the matrix by which the KDD Cup 1999 was scored (Elkan, Results of the KDD'99 classifier learning,
// SIGKDD Explorations 1, 2000).
func KDD99Cost() Cost {
	return Cost{
		Classes: []string{"normal", "probe", "dos", "u2r", "r2l"},
		Cost: [][]float64{
			{0, 1, 2, 2, 2},
			{1, 0, 2, 2, 2},
			{2, 1, 0, 2, 2},
			{3, 2, 2, 0, 2},
			{4, 2, 2, 2, 0},
		},
	}
}

// Unit costs one for every wrong class, so that the mean cost is the error rate.
func Unit(classes []string) Cost {
	c := Cost{Classes: classes, Cost: make([][]float64, len(classes))}
	for a := range classes {
		c.Cost[a] = make([]float64, len(classes))
		for p := range classes {
			if a != p {
				c.Cost[a][p] = 1
			}
		}
	}
	return c
}

const maxCostBytes = 1 << 20

// ReadCost reads a matrix from CSV: the first line names the predicted classes, each further line an actual class and
// its costs. Classes may come in any order. Anything else is ErrCost.
func ReadCost(r io.Reader) (Cost, error) {
	limited := &io.LimitedReader{R: r, N: maxCostBytes + 1}
	rows, err := csv.NewReader(limited).ReadAll()
	if limited.N <= 0 {
		return Cost{}, fmt.Errorf("%w: more than %d bytes", ErrCost, maxCostBytes)
	}
	if err != nil {
		return Cost{}, fmt.Errorf("%w: %w", ErrCost, err)
	}
	if len(rows) == 0 || len(rows[0]) < 3 || len(rows) != len(rows[0]) {
		return Cost{}, fmt.Errorf("%w: want a line of predicted classes, then one line for each class", ErrCost)
	}
	predicted := rows[0][1:]
	if err := distinct(predicted); err != nil {
		return Cost{}, err
	}
	c := Cost{Classes: make([]string, len(predicted)), Cost: make([][]float64, len(predicted))}
	for a, row := range rows[1:] {
		c.Classes[a], c.Cost[a] = row[0], make([]float64, len(predicted))
		for p, text := range row[1:] {
			to := slices.IndexFunc(rows[1:], func(r []string) bool { return r[0] == predicted[p] })
			if to < 0 {
				return Cost{}, fmt.Errorf("%w: class %q has a column but no line", ErrCost, predicted[p])
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || !(v >= 0 && v < 1e9) {
				return Cost{}, fmt.Errorf("%w: line %d: cost of saying %s is %q, want a number from 0 on", ErrCost, a+2, predicted[p], text)
			}
			c.Cost[a][to] = v
		}
	}
	return c, distinct(c.Classes)
}

func distinct(names []string) error {
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return fmt.Errorf("%w: class %q is there twice", ErrCost, n)
		}
	}
	return nil
}

// For brings the matrix in the order of a model's classes, each of which it must have; the first is the benign one.
func (c Cost) For(classes []string) (Cost, error) {
	at := make([]int, len(classes))
	for i, name := range classes {
		if at[i] = slices.Index(c.Classes, name); at[i] < 0 {
			return Cost{}, fmt.Errorf("%w: it has no class %q, only %q", ErrCost, name, c.Classes)
		}
	}
	out := Cost{Classes: slices.Clone(classes), Cost: make([][]float64, len(classes)), Benign: c.Benign}
	for i := range classes {
		out.Cost[i] = make([]float64, len(classes))
		for j := range classes {
			out.Cost[i][j] = c.Cost[at[i]][at[j]]
		}
	}
	return out, nil
}

// Decide is the class of least expected cost, given the probability of each in the order of Classes; of equals the first.
func (c Cost) Decide(prob []float32) int {
	best, least := 0, 0.0
	for p := range prob {
		expected := 0.0
		for a, pa := range prob {
			weight := float64(pa)
			if a == 0 && c.Benign != 0 {
				weight *= c.Benign
			}
			expected += weight * c.Cost[a][p]
		}
		if p == 0 || expected < least {
			best, least = p, expected
		}
	}
	return best
}

// Mean is the average cost per row of a confusion matrix (rows actual, columns decided).
func (c Cost) Mean(confusion [][]float64) float64 {
	cost, rows := 0.0, 0.0
	for a, row := range confusion {
		for p, w := range row {
			cost += w * c.Cost[a][p]
			rows += w
		}
	}
	return ratio(cost, rows)
}
