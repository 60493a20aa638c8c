package holdout

import (
	"fmt"

	"mlids/dataset"
	"mlids/learn/metric"
	"mlids/model"
)

// scoreBlock is how many rows are made into vectors at a time.
const scoreBlock = 8192

// Score asks a model about every row of a set.
func Score(m *model.Model, set *dataset.Set) (*metric.Scored, error) {
	probs := make([]float32, set.Len()*m.Classes())
	var rows []float32
	for lo := 0; lo < set.Len(); lo += scoreBlock {
		hi := min(lo+scoreBlock, set.Len())
		rows = set.AppendRows(rows[:0], lo, hi)
		if err := m.Probabilities(probs[lo*m.Classes():hi*m.Classes()], rows); err != nil {
			return nil, err
		}
	}
	return &metric.Scored{Classes: set.Classes, Prob: probs, Class: set.Class, Type: set.Type, Types: set.Types, Weight: set.Weight}, nil
}

// Evaluate measures a model on a set whose classes are the model's own.
func Evaluate(m *model.Model, set *dataset.Set, o metric.Options) (*metric.Evaluation, error) {
	if m.Classes() != len(set.Classes) {
		return nil, fmt.Errorf("%w: the model has classes %v, the data %v", ErrData, m.Info().Classes, set.Classes)
	}
	scored, err := Score(m, set)
	if err != nil {
		return nil, err
	}
	return metric.Evaluate(scored, o)
}
