package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Explanation tells why a model gave a row its margin: Base plus all contributions is Margin.
type Explanation struct {
	Class         string         `json:"class"`         // the class that the margin speaks for; of two classes always the second one
	Base          float64        `json:"base"`          // the margin of an average row
	Margin        float64        `json:"margin"`        // of this row: log-odds under Logistic, a probability under Identity
	Contributions []Contribution `json:"contributions"` // one per input, the largest first
}

// Contribution is what one input added to a margin.
type Contribution struct {
	Input        string
	Value        float32
	Contribution float64
	Quantile     float64 // share of the training rows whose value is at most this one, 0 to 1; -1 when unknown
}

// MarshalJSON writes input, value, contribution and quantile; a value that is no finite number, and an unknown quantile,
// are null.
func (c Contribution) MarshalJSON() ([]byte, error) {
	out := struct {
		Input        string   `json:"input"`
		Value        *float32 `json:"value"`
		Contribution float64  `json:"contribution"`
		Quantile     *float64 `json:"quantile"`
	}{Input: c.Input, Contribution: c.Contribution}
	if finite(float64(c.Value)) {
		out.Value = &c.Value
	}
	if c.Quantile >= 0 {
		out.Quantile = &c.Quantile
	}
	return json.Marshal(out)
}

// Explain tells why a row got its verdict: of more than two classes it explains the one that Decide chooses. A row of
// another length than Inputs is ErrInputs, a model of another tool without a known form is ErrUnexplained.
//
// Trees: exact Shapley values of the path-dependent game of Lundberg et al. (Nature Machine Intelligence 2, 2020), where
// an unknown input goes both ways in proportion to Cover. Linear models: weight times distance from the scaler's offset.
// Networks: Shapley values against the scaler's offset, estimated from 16 orders of the inputs (Štrumbelj and Kononenko,
// 2014); their sum is exact all the same.
func (m *Model) Explain(row []float32) (Explanation, error) {
	class := 1
	if k := m.Classes(); k > 2 {
		probs := make([]float32, k)
		if err := m.Probabilities(probs, row[:min(len(row), m.inputs)]); err != nil {
			return Explanation{}, err
		}
		class = slices.Index(m.info.Classes, m.Decide(probs).Class)
	}
	return m.ExplainClass(row, class)
}

// ExplainClass is Explain for the class with this index in Info.Classes.
func (m *Model) ExplainClass(row []float32, class int) (Explanation, error) {
	if len(row) != m.inputs {
		return Explanation{}, fmt.Errorf("%w: %d values, model %s wants %d", ErrInputs, len(row), m.info.Name, m.inputs)
	}
	if class < 0 || class >= m.Classes() {
		return Explanation{}, fmt.Errorf("%w: class %d of %d", ErrInputs, class, m.Classes())
	}
	e, ok := m.engine.(explainer)
	if !ok {
		return Explanation{}, fmt.Errorf("%w: %s", ErrUnexplained, m.info.Name)
	}
	output, sign := class, 1.0
	if m.link == Logistic {
		output, sign = 0, float64(2*class-1)
	}
	parts := make([]float64, m.inputs)
	base := e.explain(parts, row, output)
	x := Explanation{Class: m.info.Classes[class], Base: sign * base, Margin: sign * base}
	for i, p := range parts {
		x.Margin += sign * p
		x.Contributions = append(x.Contributions, Contribution{
			Input: m.info.Inputs[i], Value: row[i], Contribution: sign * p, Quantile: m.info.quantile(i, row[i]),
		})
	}
	slices.SortStableFunc(x.Contributions, func(a, b Contribution) int {
		return cmp.Compare(math.Abs(b.Contribution), math.Abs(a.Contribution))
	})
	return x, nil
}

// explainer is an engine whose margins can be explained.
type explainer interface {
	// explain adds to dst, one element per input, what it contributed to an output, and returns the rest.
	explain(dst []float64, row []float32, output int) float64
}

// Quantiles has quantileSteps equal shares, and looks at no more than quantileRows rows, evenly spread.
const (
	quantileSteps = 20
	quantileRows  = 20_000
)

// Quantiles returns the 21 values at ranks 0, 1/20, … 1 of a training column, for Info.Quantiles. weights may be nil; NaN
// is left out. Of a column without numbers the result is empty. Long columns are sampled, so the ranks are good to 1%.
func Quantiles(column, weights []float32) []float32 {
	type weighed struct{ value, weight float32 }
	n := min(len(column), quantileRows)
	sample := make([]weighed, 0, n)
	total := 0.0
	for i := range n {
		at, w := i*len(column)/n, float32(1)
		if weights != nil {
			w = weights[at]
		}
		if x := column[at]; x == x {
			x = min(max(x, -math.MaxFloat32), math.MaxFloat32) // the file has no infinities
			sample = append(sample, weighed{x, w})
			total += float64(w)
		}
	}
	slices.SortFunc(sample, func(a, b weighed) int { return cmp.Compare(a.value, b.value) })
	out := make([]float32, 0, quantileSteps+1)
	below := 0.0
	for _, s := range sample {
		below += float64(s.weight)
		for len(out) <= quantileSteps && below >= total*float64(len(out))/quantileSteps {
			out = append(out, s.value)
		}
	}
	for len(sample) > 0 && len(out) <= quantileSteps { // the sum of weights was rounded
		out = append(out, sample[len(sample)-1].value)
	}
	return out
}

// quantile is the share of training rows whose value of an input is at most x.
func (i *Info) quantile(input int, x float32) float64 {
	if input >= len(i.Quantiles) || len(i.Quantiles[input]) < 2 || x != x {
		return -1
	}
	q := i.Quantiles[input]
	n, _ := slices.BinarySearchFunc(q, x, func(a, x float32) int {
		if a <= x {
			return -1
		}
		return 1
	})
	switch last := len(q) - 1; {
	case n == 0:
		return 0
	case n > last:
		return 1
	default:
		low, high := float64(q[n-1]), float64(q[n])
		part := 0.0
		if finite(low) && finite(high) {
			part = (float64(x) - low) / (high - low)
		}
		return (float64(n-1) + part) / float64(last)
	}
}
