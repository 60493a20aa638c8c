package learn

import (
	"math"
	"slices"

	"mlids/learn/metric"
	"mlids/model"
)

// Calibration makes every log probability z of class k into Scale·z + Shift[k], and scales the sum back to one.
type Calibration struct {
	Scale float64   `json:"scale"`
	Shift []float64 `json:"shift"` // of each class, 0 for the benign one
}

// Calibrate makes the probabilities agree with rates seen on rows that the model had not learned from, such as
// CrossValidate's. It is Platt's scaling for two classes (Platt,
// 1999), and for several a common temperature with a bias for each (Guo et al., On calibration of modern neural networks,
// ICML 2017). It is folded into the predictor; one whose outputs are no margins (a decision tree, machines of one class
// against the rest), and scores that say nothing, are left as they are, with Scale 1.
func (f *Fitted) Calibrate(s *metric.Scored) (Calibration, error) {
	same := Calibration{Scale: 1, Shift: make([]float64, len(f.Classes))}
	if err := s.Check(); err != nil {
		return same, err
	}
	if link, ok := linkOf(f.Predictor); !ok || link == model.Identity || link == model.Normalised {
		return same, nil
	}
	c := scaling(s)
	if !(c.Scale > 1e-3 && c.Scale < 1e3) {
		return same, nil
	}
	f.fold(c)
	return c, nil
}

// Apply calibrates scores of the predictor as it was before.
func (c Calibration) Apply(s *metric.Scored) *metric.Scored {
	out := *s
	out.Prob = make([]float32, len(s.Prob))
	k := len(s.Classes)
	z, p := make([]float64, k), make([]float64, k)
	for i := range s.Class {
		logs(z, s.Prob[i*k:])
		c.probabilities(p, z)
		for j, v := range p {
			out.Prob[i*k+j] = float32(v)
		}
	}
	return &out
}

// probabilities fills p from log probabilities.
func (c *Calibration) probabilities(p, z []float64) {
	top, sum := math.Inf(-1), 0.0
	for j := range p {
		p[j] = c.Scale*z[j] + c.Shift[j]
		top = max(top, p[j])
	}
	for j, v := range p {
		p[j] = math.Exp(v - top)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
}

// least bounds probabilities away from 0 before their logarithm is taken.
const least = 1e-30

func logs(z []float64, prob []float32) {
	for j := range z {
		z[j] = math.Log(max(float64(prob[j]), least))
	}
}

func linkOf(p model.Predictor) (model.Link, bool) {
	switch p := p.(type) {
	case *model.Forest:
		return p.Link, true
	case *model.Network:
		return p.Link, true
	}
	return 0, false
}

// fold changes the predictor's margins as c says. A single margin is the difference of the two classes' logarithms.
func (f *Fitted) fold(c Calibration) {
	shift := c.Shift
	if len(shift) == 2 {
		shift = []float64{shift[1] - shift[0]}
	}
	switch p := f.Predictor.(type) {
	case *model.Forest:
		out := *p
		out.Base, out.Trees = slices.Clone(p.Base), slices.Clone(p.Trees)
		for k := range out.Base {
			out.Base[k] = c.Scale*out.Base[k] + shift[k]
		}
		for i := range out.Trees {
			out.Trees[i].Values = slices.Clone(out.Trees[i].Values)
			for j := range out.Trees[i].Values {
				out.Trees[i].Values[j] *= c.Scale
			}
		}
		f.Predictor = &out
	case *model.Network:
		out := *p
		out.Layers = slices.Clone(p.Layers)
		last := &out.Layers[len(out.Layers)-1]
		last.Weights, last.Bias = slices.Clone(last.Weights), slices.Clone(last.Bias)
		for j := range last.Weights {
			last.Weights[j] *= float32(c.Scale)
		}
		for j := range last.Bias {
			last.Bias[j] = float32(c.Scale*float64(last.Bias[j]) + shift[j])
		}
		f.Predictor = &out
	}
}
