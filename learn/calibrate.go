package learn

import (
	"math"
	"slices"

	"mlids/learn/internal/dense"
	"mlids/learn/metric"
	"mlids/model"
)

// Calibration makes every margin m of a predictor into Scale·m + Shift.
type Calibration struct {
	Scale float64 `json:"scale"`
	Shift float64 `json:"shift"` // for two classes only
}

// Calibrate makes the probabilities agree with rates seen on rows that the model had not learned from, such as
// CrossValidate's or, to be wary of attacks unlike those seen, Wary's: Platt's scaling of the margin for two classes
// (Platt, 1999), a common temperature for several (Guo et al., On calibration of modern neural networks, ICML 2017). It
// is folded into the predictor; one whose outputs are no margins (a decision tree), and scores that say nothing, are left
// as they are, with Scale 1. For two classes the order of rows by score stays the same.
func (f *Fitted) Calibrate(s *metric.Scored) (Calibration, error) {
	same := Calibration{Scale: 1}
	if err := s.Check(); err != nil {
		return same, err
	}
	link, ok := linkOf(f.Predictor)
	if !ok || link == model.Identity || link == model.Normalised {
		return same, nil
	}
	c := Calibration{Scale: 1 / temperature(s)}
	if link == model.Logistic {
		c.Scale, c.Shift = platt(s)
	}
	if !(c.Scale > 1e-3 && c.Scale < 1e3) {
		return same, nil
	}
	f.scale(c.Scale, c.Shift)
	return c, nil
}

// Apply calibrates scores of the predictor as it was before.
func (c Calibration) Apply(s *metric.Scored) *metric.Scored {
	out := *s
	out.Prob = make([]float32, len(s.Prob))
	k := len(s.Classes)
	for i := range s.Class {
		row, to := s.Prob[i*k:(i+1)*k], out.Prob[i*k:(i+1)*k]
		if k == 2 {
			p := 1 / (1 + math.Exp(-c.Scale*margin(row)-c.Shift))
			to[0], to[1] = float32(1-p), float32(p)
			continue
		}
		sum := 0.0
		for _, p := range row {
			sum += math.Pow(max(float64(p), least), c.Scale)
		}
		for j, p := range row {
			to[j] = float32(math.Pow(max(float64(p), least), c.Scale) / sum)
		}
	}
	return &out
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

// least bounds probabilities away from 0 before their logarithm is taken.
const least = 1e-30

// margin is the log odds of class 1 of 2.
func margin(row []float32) float64 {
	return math.Log(max(float64(row[1]), least)) - math.Log(max(float64(row[0]), least))
}

func platt(s *metric.Scored) (a, b float64) {
	n := s.Len()
	margins, positive, weight := make([]float64, n), make([]bool, n), make([]float64, n)
	for i := range margins {
		margins[i], positive[i], weight[i] = margin(s.Prob[2*i:2*i+2]), s.Class[i] != 0, 1
		if s.Weight != nil {
			weight[i] = float64(s.Weight[i])
		}
	}
	return dense.Platt(margins, positive, weight)
}

// temperature is what margins are divided by for the least log loss, by golden section over its logarithm.
func temperature(s *metric.Scored) float64 {
	low, high := math.Log(0.1), math.Log(10)
	const ratio = 0.6180339887498949
	a, b := high-ratio*(high-low), low+ratio*(high-low)
	lossA, lossB := heated(s, math.Exp(a)), heated(s, math.Exp(b))
	for high-low > 1e-4 {
		if lossA < lossB {
			high, b, lossB = b, a, lossA
			a = high - ratio*(high-low)
			lossA = heated(s, math.Exp(a))
		} else {
			low, a, lossA = a, b, lossB
			b = low + ratio*(high-low)
			lossB = heated(s, math.Exp(b))
		}
	}
	return math.Exp((low + high) / 2)
}

// heated is the log loss at a temperature.
func heated(s *metric.Scored, t float64) float64 {
	k, loss := len(s.Classes), 0.0
	for i, c := range s.Class {
		w, sum := 1.0, 0.0
		if s.Weight != nil {
			w = float64(s.Weight[i])
		}
		row := s.Prob[i*k : (i+1)*k]
		for _, p := range row {
			sum += math.Pow(max(float64(p), least), 1/t)
		}
		loss += w * (math.Log(sum) - math.Log(max(float64(row[c]), least))/t)
	}
	return loss
}

// scale makes every margin m into a·m + b.
func (f *Fitted) scale(a, b float64) {
	switch p := f.Predictor.(type) {
	case *model.Forest:
		out := *p
		out.Base, out.Trees = slices.Clone(p.Base), slices.Clone(p.Trees)
		for k := range out.Base {
			out.Base[k] = a*out.Base[k] + b
		}
		for i := range out.Trees {
			out.Trees[i].Values = slices.Clone(out.Trees[i].Values)
			for j := range out.Trees[i].Values {
				out.Trees[i].Values[j] *= a
			}
		}
		f.Predictor = &out
	case *model.Network:
		out := *p
		out.Layers = slices.Clone(p.Layers)
		last := &out.Layers[len(out.Layers)-1]
		last.Weights, last.Bias = slices.Clone(last.Weights), slices.Clone(last.Bias)
		for j := range last.Weights {
			last.Weights[j] *= float32(a)
		}
		for j := range last.Bias {
			last.Bias[j] = float32(a*float64(last.Bias[j]) + b)
		}
		f.Predictor = &out
	}
}
