package report

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"

	"mlids/dataset"
)

const (
	sampleRows  = 20_000
	sampleWork  = 200_000_000 // products that the matrix may take
	together    = 0.95        // |r| from which a pair is listed
	mostPairs   = 100
	matrixWidth = 24
)

// standard is a column scaled to mean 0 and length 1, missing values 0; nil for a constant.
type standard []float32

// correlate measures Pearson's and Spearman's correlation of all pairs of numeric columns on a sample. Rows without a
// value count as average ones.
func correlate(ctx context.Context, t *dataset.Table, columns []Column, seed uint64) ([]Pair, *Correlation, error) {
	var at []int
	for i, c := range columns {
		if c.Numbers != nil && !c.Constant && !c.Identity {
			at = append(at, i)
		}
	}
	if len(at) < 2 {
		return nil, nil, nil
	}
	rows := sample(t.Len(), clamp(sampleWork/(len(at)*len(at)), 1000, sampleRows), seed)
	linear, ranked := make([]standard, len(at)), make([]standard, len(at))
	for k, i := range at {
		x := pick(t.Columns[columns[i].column], rows)
		linear[k], ranked[k] = standardise(x), standardise(rankOf(x))
	}
	found := make([][]Pair, len(at))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(workers())
	for a := range at {
		work.Go(func() error {
			for b := a + 1; b < len(at); b++ {
				p := Pair{columns[at[a]].Name, columns[at[b]].Name, dot(linear[a], linear[b]), dot(ranked[a], ranked[b])}
				if max(math.Abs(p.Pearson), math.Abs(p.Spearman)) >= together {
					found[a] = append(found[a], p)
				}
			}
			return ctx.Err()
		})
	}
	if err := work.Wait(); err != nil {
		return nil, nil, err
	}
	list := slices.Concat(found...)
	slices.SortStableFunc(list, func(a, b Pair) int { return cmp.Compare(b.strength(), a.strength()) })
	return list[:min(len(list), mostPairs)], matrix(columns, at, ranked, len(rows)), nil
}

func (p Pair) strength() float64 { return max(math.Abs(p.Pearson), math.Abs(p.Spearman)) }

// matrix is Spearman's correlation of the most telling columns.
func matrix(columns []Column, at []int, ranked []standard, rows int) *Correlation {
	order := make([]int, len(at))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(columns[at[b]].Information, columns[at[a]].Information)
	})
	order = order[:min(len(order), matrixWidth)]
	slices.Sort(order)
	m := &Correlation{Sample: rows}
	for _, a := range order {
		m.Columns = append(m.Columns, columns[at[a]].Name)
		row := make([]float64, len(order))
		for j, b := range order {
			row[j] = dot(ranked[a], ranked[b])
		}
		m.Values = append(m.Values, row)
	}
	return m
}

// sample draws rows without replacement, in rising order; all when there are no more.
func sample(n, limit int, seed uint64) []int32 {
	r := rand.New(rand.NewPCG(seed, 0x5a3b1e))
	rows := make([]int32, 0, min(n, limit))
	for i := range n {
		if r.IntN(n-i) < limit-len(rows) { // Vitter's algorithm S
			rows = append(rows, int32(i))
		}
	}
	return rows
}

func pick(x []float32, rows []int32) []float32 {
	out := make([]float32, len(rows))
	for i, row := range rows {
		out[i] = x[row]
	}
	return out
}

// rankOf replaces values by their ranks; equal values share their mean rank, missing stay missing.
func rankOf(x []float32) []float32 {
	out := slices.Clone(x)
	o := order(x)
	o.runs(func(from, to int) {
		for _, row := range o.rows[from:to] {
			out[row] = float32(from+to-1) / 2
		}
	})
	return out
}

func standardise(x []float32) standard {
	mean, n := 0.0, 0.0
	for _, v := range x {
		if v == v {
			mean, n = mean+float64(v), n+1
		}
	}
	mean /= max(n, 1)
	square := 0.0
	for _, v := range x {
		if v == v {
			square += (float64(v) - mean) * (float64(v) - mean)
		}
	}
	if square == 0 {
		return nil
	}
	out, scale := make(standard, len(x)), 1/math.Sqrt(square)
	for i, v := range x {
		if v == v {
			out[i] = float32((float64(v) - mean) * scale)
		}
	}
	return out
}

// dot is the correlation of two columns; 0 with a constant.
func dot(a, b standard) float64 {
	if a == nil || b == nil {
		return 0
	}
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return max(-1, min(sum, 1))
}
