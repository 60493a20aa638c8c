package report

import (
	"fmt"
	"math"

	"mlids/dataset"
	"mlids/model"
)

// importanceRows is how many rows are explained.
const importanceRows = 200

// Importance tells how much of a model's verdicts each input makes, as shares of 1 in the order of Info.Inputs: the mean
// size of its contribution (model.Explain) over rows of the set, evenly taken. It serves any kind of model; trees also
// know their own (learn.Fitted.Importance). A set whose inputs are not the model's is an error.
func Importance(m *model.Model, s *dataset.Set) ([]float64, error) {
	info := m.Info()
	s, err := s.Select(info.Inputs)
	if err != nil {
		return nil, fmt.Errorf("importance: %w", err)
	}
	at := make(map[string]int, len(info.Inputs))
	for j, name := range info.Inputs {
		at[name] = j
	}
	out, total := make([]float64, len(info.Inputs)), 0.0
	var row []float32
	for i := 0; i < s.Len(); i += max(1, (s.Len()+importanceRows-1)/importanceRows) {
		row = s.AppendRows(row[:0], i, i+1)
		e, err := m.Explain(row)
		if err != nil {
			return nil, fmt.Errorf("importance: %w", err)
		}
		for _, c := range e.Contributions {
			out[at[c.Input]] += math.Abs(c.Contribution)
			total += math.Abs(c.Contribution)
		}
	}
	for j := range out {
		out[j] /= max(total, math.SmallestNonzeroFloat64)
	}
	return out, nil
}
