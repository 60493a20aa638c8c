package tree

import (
	"math"

	"mlids/dataset"
	"mlids/learn/metric"
	"mlids/model"
)

// score says what a forest makes of a set, one row after the other.
func score(f *model.Forest, s *dataset.Set) *metric.Scored {
	out := &metric.Scored{Classes: s.Classes, Class: s.Class, Type: s.Type, Types: s.Types, Weight: s.Weight}
	m := make([]float64, f.Outputs)
	for i := range s.Len() {
		copy(m, f.Base)
		for _, t := range f.Trees {
			at := leafOf(t.Nodes, s.X, i)
			if t.Output >= 0 {
				m[t.Output] += t.Values[at]
				continue
			}
			for k := range m {
				m[k] += t.Values[int(at)+k]
			}
		}
		out.Prob = append(out.Prob, probabilities(f.Link, m)...)
	}
	return out
}

func probabilities(l model.Link, m []float64) []float32 {
	var p []float32
	switch l {
	case model.Logistic:
		q := 1 / (1 + math.Exp(-m[0]))
		return []float32{float32(1 - q), float32(q)}
	case model.Softmax:
		sum := 0.0
		for _, v := range m {
			sum += math.Exp(v)
		}
		for _, v := range m {
			p = append(p, float32(math.Exp(v)/sum))
		}
	default:
		for _, v := range m {
			p = append(p, float32(v))
		}
	}
	return p
}
