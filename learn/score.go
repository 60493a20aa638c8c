package learn

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"mlids/dataset"
	"mlids/learn/metric"
	"mlids/model"
)

// Score lets a model judge the rows of a set. Inputs are found by name; a missing one is ErrShape. When the model only
// knows benign and attack, all classes of the set but the first count as attack; else a class with rows that the model
// does not know is ErrClass.
func Score(m *model.Model, s *dataset.Set) (*metric.Scored, error) {
	info := m.Info()
	columns, err := pick(s, info.Inputs)
	if err != nil {
		return nil, err
	}
	class, err := translate(s, info.Classes)
	if err != nil {
		return nil, err
	}
	out := &metric.Scored{
		Classes: info.Classes, Class: class, Type: s.Type, Types: s.Types, Weight: s.Weight,
		Prob: make([]float32, s.Len()*len(info.Classes)),
	}
	return out, judge(m, columns, out.Prob, s.Len())
}

func pick(s *dataset.Set, inputs []string) ([][]float32, error) {
	at := make(map[string]int, len(s.Inputs))
	for j, n := range s.Inputs {
		at[n] = j
	}
	columns := make([][]float32, len(inputs))
	for i, n := range inputs {
		j, ok := at[n]
		if !ok {
			return nil, fmt.Errorf("%w: the model wants input %q, the rows have none", ErrShape, n)
		}
		columns[i] = s.X[j]
	}
	return columns, nil
}

// translate gives each row's class as an index in the model's classes.
func translate(s *dataset.Set, classes []string) ([]int32, error) {
	if slices.Equal(s.Classes, classes) {
		return s.Class, nil
	}
	index := make([]int32, len(s.Classes))
	for k, name := range s.Classes {
		index[k] = int32(slices.Index(classes, name))
		if len(classes) == 2 && index[k] < 0 {
			index[k] = int32(min(k, 1))
		}
	}
	out := make([]int32, s.Len())
	for i, c := range s.Class {
		if out[i] = index[c]; out[i] < 0 {
			return nil, fmt.Errorf("%w: row %d is %q, the model knows %q", ErrClass, i, s.Classes[c], classes)
		}
	}
	return out, nil
}

// batch is the number of rows that are turned from columns into vectors at a time.
const batch = 1024

// judge fills in probabilities, on all cores.
func judge(m *model.Model, columns [][]float32, prob []float32, n int) error {
	workers := runtime.GOMAXPROCS(0)
	errs := make([]error, workers)
	k := m.Classes()
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rows := make([]float32, batch*len(columns))
			for lo := w * batch; lo < n; lo += workers * batch {
				hi := min(lo+batch, n)
				for j, x := range columns {
					for i, v := range x[lo:hi] {
						rows[i*len(columns)+j] = v
					}
				}
				if errs[w] = m.Probabilities(prob[lo*k:hi*k], rows[:(hi-lo)*len(columns)]); errs[w] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Threshold is the lowest threshold at which the model flags at most the share fpr of the benign rows, for models to
// decide by. Rows of equal score go together, so the budget holds exactly on these rows; use rows that the model has not
// seen, such as CrossValidate's. ErrBudget when fpr is not between 0 and 1 or even rows that are certain to be attacks
// break it.
func Threshold(s *metric.Scored, fpr float64) (metric.Budget, error) {
	if !(fpr >= 0 && fpr <= 1) {
		return metric.Budget{}, fmt.Errorf("%w: %v, want 0 to 1", ErrBudget, fpr)
	}
	if err := s.Check(); err != nil {
		return metric.Budget{}, err
	}
	r := s.Decided()
	at := r.Budget(fpr)
	b := metric.Budget{MaxFPR: fpr, FPR: r.FPR(at), Recall: r.Recall(at), Threshold: min(max(at.Score, math.SmallestNonzeroFloat32), 1)}
	if got := r.FPR(r.At(b.Threshold)); got > fpr {
		return metric.Budget{}, fmt.Errorf("%w: %v of the benign rows are certain to be attacks for the model, the budget is %v", ErrBudget, got, fpr)
	}
	return b, nil
}
