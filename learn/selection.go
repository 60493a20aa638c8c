package learn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/learn/tree"
)

// ErrSelect is returned for a number of inputs that cannot be selected.
var ErrSelect = errors.New("cannot select inputs")

// Selection is which inputs are worth asking for, and how that was found.
type Selection struct {
	Inputs  []string        `json:"inputs"`  // in the set's order
	Ranks   []InputRank     `json:"ranks"`   // of all inputs, the most informative first
	Steps   []SelectionStep `json:"steps"`   // of the elimination
	Dropped []string        `json:"dropped"` // by the filters, before the elimination
}

// InputRank is what one input tells of the class.
type InputRank struct {
	Input       string  `json:"input"`
	Information float64 `json:"mutual_information"` // nats
	Like        string  `json:"like,omitempty"`     // the more informative input that it repeats (rank correlation above 0.995)
}

// SelectionStep is how well boosted trees do with so many inputs.
type SelectionStep struct {
	Inputs int     `json:"inputs"`
	Loss   float64 `json:"log_loss"` // out of fold, in nats
	Error  float64 `json:"error"`    // standard error of the folds' losses
}

const (
	likeness    = 0.995 // rank correlation above which an input repeats another
	selectFolds = 3
)

// Select chooses n inputs, or with n = 0 as few as do no worse than the best number by one standard error. Inputs that
// say nothing of the class or repeat another are filtered out; then those that matter least to boosted trees are
// eliminated by and by, with a cross-validation at each step.
func Select(ctx context.Context, s *dataset.Set, n int, o Options) (*Selection, error) {
	if n < 0 || n > len(s.Inputs) {
		return nil, fmt.Errorf("%w: %d of %d", ErrSelect, n, len(s.Inputs))
	}
	info, err := tree.Information(s)
	if err != nil {
		return nil, fmt.Errorf("input selection: %w", err)
	}
	out := &Selection{}
	kept := out.filter(s, info, n)
	var sets [][]string
	stop := cmp.Or(n, 2)
	for {
		part, err := data.Complete(s).Select(kept)
		if err != nil {
			return nil, fmt.Errorf("input selection: %w", err)
		}
		step, importance, err := tryInputs(ctx, part, o)
		if err != nil {
			return nil, fmt.Errorf("input selection: %d inputs: %w", len(kept), err)
		}
		out.Steps, sets = append(out.Steps, step), append(sets, kept)
		if len(kept) <= stop {
			break
		}
		kept = strongest(kept, importance, max(len(kept)*2/3, stop))
	}
	out.Inputs = out.choose(sets, n)
	return out, nil
}

// filter ranks the inputs and drops what says nothing or repeats another, but keeps n.
func (out *Selection) filter(s *dataset.Set, info []float64, n int) []string {
	order := make([]int, len(info))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(info[b], info[a]) })
	like := repeats(s, order)
	var kept, dropped []int
	for _, j := range order {
		r := InputRank{Input: s.Inputs[j], Information: info[j]}
		if like[j] >= 0 {
			r.Like = s.Inputs[like[j]]
		}
		out.Ranks = append(out.Ranks, r)
		if like[j] < 0 && info[j] > 0 {
			kept = append(kept, j)
		} else {
			dropped = append(dropped, j)
		}
	}
	for len(kept) < max(n, 1) {
		kept, dropped = append(kept, dropped[0]), dropped[1:]
	}
	for _, j := range dropped {
		out.Dropped = append(out.Dropped, s.Inputs[j])
	}
	slices.Sort(kept)
	return names(s.Inputs, kept)
}

func names(all []string, at []int) []string {
	out := make([]string, len(at))
	for i, j := range at {
		out[i] = all[j]
	}
	return out
}

// sampleRows is the number of rows that correlations are measured on.
const sampleRows = 20000

// repeats finds for each input an earlier one in the order that it is correlated with; -1 for none.
func repeats(s *dataset.Set, order []int) []int {
	columns := make([][]float32, len(s.X))
	dense.Each(len(s.X), func(j int) { columns[j] = standard(s, s.X[j]) })
	like := slices.Repeat([]int{-1}, len(s.X))
	for i, j := range order {
		if columns[j] == nil {
			continue
		}
		for _, k := range order[:i] {
			if like[k] >= 0 || columns[k] == nil {
				continue
			}
			sum := 0.0
			for r, v := range columns[j] {
				sum += float64(v) * float64(columns[k][r])
			}
			if math.Abs(sum) > likeness {
				like[j] = k
				break
			}
		}
	}
	return like
}

// standard is the ranks of a sample of a column, with mean 0 and length 1, times the root of the rows' weights, so that
// products are rank correlations (Spearman, 1904); nil for a constant. A missing value ranks lowest.
func standard(s *dataset.Set, x []float32) []float32 {
	rows := make([]int, 0, sampleRows)
	for i := 0; i < len(x); i += max(1, (len(x)+sampleRows-1)/sampleRows) {
		rows = append(rows, i)
	}
	rank := ranks(x, rows)
	total, mean := 0.0, 0.0
	for k, i := range rows {
		w := data.Weight(s, i)
		total, mean = total+w, mean+w*rank[k]
	}
	mean /= max(total, math.SmallestNonzeroFloat64)
	square := 0.0
	for k, i := range rows {
		square += data.Weight(s, i) * (rank[k] - mean) * (rank[k] - mean)
	}
	if square < 1e-9 {
		return nil
	}
	out := make([]float32, len(rows))
	for k, i := range rows {
		out[k] = float32((rank[k] - mean) * math.Sqrt(data.Weight(s, i)/square))
	}
	return out
}

// ranks are those of some rows' values; equal values share their mean rank.
func ranks(x []float32, rows []int) []float64 {
	order := make([]int, len(rows))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[rows[a]], x[rows[b]]) })
	out := make([]float64, len(rows))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && cmp.Compare(x[rows[order[to]]], x[rows[order[from]]]) == 0 {
			to++
		}
		for _, k := range order[from:to] {
			out[k] = float64(from+to-1) / 2
		}
		from = to
	}
	return out
}

// tryInputs cross-validates boosted trees on the set's inputs, and sums the inputs' importance over the folds.
func tryInputs(ctx context.Context, s *dataset.Set, o Options) (SelectionStep, []float64, error) {
	c := tree.DefaultBoost()
	c.Columns = 1 // what matters less must not be used for want of better
	c.Trees, c.Seed = 50, o.Seed
	folds, err := s.Folds(selectFolds, o.Seed)
	if err != nil {
		return SelectionStep{}, nil, err
	}
	importance, losses := make([]float64, len(s.X)), []float64{}
	for train, test := range folds {
		f, err := Boost{Config: c, Options: Options{Seed: o.Seed}}.Fit(ctx, train, nil)
		if err != nil {
			return SelectionStep{}, nil, err
		}
		for j, v := range f.Importance() {
			importance[j] += v
		}
		scored, err := f.Judge(test)
		if err != nil {
			return SelectionStep{}, nil, err
		}
		losses = append(losses, scored.LogLoss())
	}
	mean, deviation := spreadOf(losses)
	o.report(len(losses), selectFolds, mean)
	return SelectionStep{Inputs: len(s.X), Loss: mean, Error: deviation / math.Sqrt(selectFolds)}, importance, nil
}

// strongest keeps the n most important inputs, in their order.
func strongest(inputs []string, importance []float64, n int) []string {
	order := make([]int, len(inputs))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(importance[b], importance[a]) })
	kept := order[:n]
	slices.Sort(kept)
	return names(inputs, kept)
}

// choose takes the last step for a given number, else the fewest inputs within one standard error of the best step.
func (out *Selection) choose(sets [][]string, n int) []string {
	if n > 0 {
		return sets[len(sets)-1]
	}
	best := slices.MinFunc(out.Steps, func(a, b SelectionStep) int { return cmp.Compare(a.Loss, b.Loss) })
	for i := len(sets) - 1; i > 0; i-- {
		if out.Steps[i].Loss <= best.Loss+best.Error {
			return sets[i]
		}
	}
	return sets[0]
}

func spreadOf(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		deviation += (x - mean) * (x - mean) / float64(len(v)-1)
	}
	return mean, math.Sqrt(deviation)
}
