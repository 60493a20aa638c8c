package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/metric"
)

// CrossValidate lets models judge rows that they have not seen: the set is parted into folds, equal rows together, and
// each fold is judged by a model that learned from the others. The scores are in the order of the folds' rows.
func CrossValidate(ctx context.Context, l Learner, s *dataset.Set, folds int, seed uint64) (*metric.Scored, error) {
	if err := data.Check(s, nil); err != nil {
		return nil, fmt.Errorf("cross-validation: %w", err)
	}
	parts, err := data.Complete(s).Folds(folds, seed)
	if err != nil {
		return nil, fmt.Errorf("cross-validation: %w", err)
	}
	out := &metric.Scored{Classes: s.Classes, Types: data.Complete(s).Types}
	fold := 0
	for train, test := range parts {
		fold++
		scored, err := judged(ctx, l, train, test)
		if err != nil {
			return nil, fmt.Errorf("cross-validation: fold %d of %d: %w", fold, folds, err)
		}
		out.Prob, out.Class = append(out.Prob, scored.Prob...), append(out.Class, scored.Class...)
		out.Type, out.Weight = append(out.Type, scored.Type...), append(out.Weight, scored.Weight...)
	}
	return out, nil
}

// judged learns from train and judges test.
func judged(ctx context.Context, l Learner, train, test *dataset.Set) (*metric.Scored, error) {
	f, err := l.Fit(ctx, train, nil)
	if err != nil {
		return nil, err
	}
	return f.Judge(test)
}

// Unseen is how a model fares against an attack type that its training lacked.
type Unseen struct {
	Type    string         `json:"type"`
	Class   string         `json:"class"`
	Weight  float64        `json:"weight"`
	Budget  metric.Budget  `json:"budget"`  // threshold from other held-out rows, and what it flags of this type and of benign rows
	Ranked  metric.Budget  `json:"ranked"`  // the same had the threshold been chosen on the benign rows of the test
	ROCAUC  float64        `json:"roc_auc"` // of this type against benign rows
	Correct float64        `json:"correct"` // share whose class was said all the same
	Cost    float64        `json:"cost"`    // per row of the type, of least-cost decisions; 0 until SetCost has been called
	Scored  *metric.Scored `json:"-"`       // the type's rows and the benign test rows
}

// ErrType is returned for an attack type that cannot be held out.
var ErrType = errors.New("attack type cannot be held out")

// HoldOutTypes tells what a learner makes of attacks that it has never seen. For each type it learns from seven tenths of
// the other rows, sets the threshold for the false-positive budget on fifteen hundredths of them, and judges the type's
// rows along with the benign ones among the last fifteen. Nil types stand for all attack types of the set. Of more than
// 40,000 rows a sample of about as many is taken, small types whole: a model for each type of all rows would take most of
// the time of training, for figures that are no different.
func HoldOutTypes(ctx context.Context, l Learner, s *dataset.Set, types []string, fpr float64, seed uint64) ([]Unseen, error) {
	if err := data.Check(s, nil); err != nil {
		return nil, fmt.Errorf("type hold-out: %w", err)
	}
	s = sample(data.Complete(s), seed)
	if types == nil {
		types = attacks(s)
	}
	var out []Unseen
	for _, name := range types {
		if !slices.Contains(attacks(s), name) {
			return nil, fmt.Errorf("%w: %q: attack types with rows are %q", ErrType, name, attacks(s))
		}
		u, err := unseen(ctx, l, s, name, fpr, seed)
		if err != nil {
			return nil, fmt.Errorf("type hold-out: %s: %w", name, err)
		}
		out = append(out, *u)
	}
	return out, nil
}

const (
	holdOutRows = 40_000 // that the type hold-out works on
	holdOutType = 1000   // of a type that are never sampled away
)

// sample keeps about holdOutRows rows, all of those whose type has at most holdOutType. A row that is kept for others
// weighs as much as they did on average, so that the types' shares stay what they were.
func sample(s *dataset.Set, seed uint64) *dataset.Set {
	count, excess := make([]int, len(s.Types)), 0
	for _, t := range s.Type {
		count[t]++
	}
	for _, n := range count {
		excess += max(n-holdOutType, 0)
	}
	over := s.Len() - holdOutRows
	if over <= 0 {
		return s
	}
	share := max(1-float64(over)/float64(excess), 0)
	quota, weight, sum := make([]int, len(count)), make([]float64, len(count)), make([]float64, len(count))
	for t, n := range count {
		quota[t] = min(n, holdOutType) + int(share*float64(max(n-holdOutType, 0)))
	}
	var rows []int32
	for _, i := range rand.New(rand.NewPCG(seed, holdOutRows)).Perm(s.Len()) {
		t := s.Type[i]
		sum[t] += float64(s.Weight[i])
		if quota[t] > 0 {
			quota[t]--
			weight[t] += float64(s.Weight[i])
			rows = append(rows, int32(i))
		}
	}
	slices.Sort(rows)
	out := s.Subset(rows)
	for i, t := range out.Type {
		if weight[t] > 0 {
			out.Weight[i] *= float32(sum[t] / weight[t])
		}
	}
	return out
}

// attacks lists the types that rows of attack classes have.
func attacks(s *dataset.Set) []string {
	seen := make([]bool, len(s.Types))
	for i, t := range s.Type {
		if s.Class[i] != 0 {
			seen[t] = true
		}
	}
	var names []string
	for t, name := range s.Types {
		if seen[t] {
			names = append(names, name)
		}
	}
	return names
}

func unseen(ctx context.Context, l Learner, s *dataset.Set, name string, fpr float64, seed uint64) (*Unseen, error) {
	known, held, err := s.HoldOut(name)
	if err != nil {
		return nil, err
	}
	train, rest, err := known.Split(0.3, seed)
	if err != nil {
		return nil, err
	}
	valid, test, err := rest.Split(0.5, seed+1)
	if err != nil {
		return nil, err
	}
	f, err := l.Fit(ctx, train, nil)
	if err != nil {
		return nil, err
	}
	chosen, err := f.Judge(valid)
	if err != nil {
		return nil, err
	}
	both, err := dataset.Concat(benign(test), held)
	if err != nil {
		return nil, err
	}
	scored, err := f.Judge(both)
	if err != nil {
		return nil, err
	}
	return newUnseen(name, scored, chosen.Ranked().Budget(fpr).Score, fpr), nil
}

// benign is the rows of class 0.
func benign(s *dataset.Set) *dataset.Set {
	var rows []int32
	for i, c := range s.Class {
		if c == 0 {
			rows = append(rows, int32(i))
		}
	}
	return s.Subset(rows)
}

func newUnseen(name string, s *metric.Scored, threshold, fpr float64) *Unseen {
	r := s.Ranked()
	u := &Unseen{Type: name, Weight: math.Round(r.Attack), ROCAUC: r.ROCAUC(), Scored: s}
	at, best := r.At(threshold), r.Budget(fpr)
	u.Budget = metric.Budget{MaxFPR: fpr, FPR: r.FPR(at), Recall: r.Recall(at), Threshold: threshold}
	u.Ranked = metric.Budget{MaxFPR: fpr, FPR: r.FPR(best), Recall: r.Recall(best), Threshold: best.Score}
	right := 0.0
	for k, row := range s.Confusion(nil) {
		if k > 0 {
			right += row[k]
		}
	}
	for _, c := range s.Class {
		if c != 0 {
			u.Class = s.Classes[c]
		}
	}
	u.Correct = right / max(r.Attack, 1e-30)
	return u
}
