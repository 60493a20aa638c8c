// Package dense turns sets into scaled row-major matrices for the learners that need distances and products, and holds
// the arithmetic that they share.
package dense

import (
	"math"
	"slices"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/model"
)

// limit cuts scaled values: an input that was nearly constant in training may be anything later.
const limit = 16

// FitScaler measures mean and standard deviation of each input, after the logarithm when log is set. Inputs that are only
// 0, 1 or missing are left as they are, so that one-hot rows stay sparse. A missing value becomes the mean, and that of
// an input that is always missing 0.
func FitScaler(s *dataset.Set, log bool) model.Scaler {
	n := len(s.X)
	out := model.Scaler{Log: log, Limit: limit, Missing: make([]float32, n), Offset: make([]float32, n), Scale: make([]float32, n)}
	for j, x := range s.X {
		out.Scale[j] = 1
		if flags(x) {
			continue
		}
		mean, deviation := moments(s, x, log)
		out.Offset[j] = float32(mean)
		if deviation > 0 {
			out.Scale[j] = float32(1 / deviation)
		}
		out.Missing[j] = float32(mean)
		if log {
			out.Missing[j] = Unlog(mean)
		}
	}
	return out
}

// Unlog is the value whose signed logarithm this is, within what float32 holds.
func Unlog(l float64) float32 {
	return float32(math.Copysign(min(math.Expm1(math.Abs(l)), math.MaxFloat32), l))
}

func flags(x []float32) bool {
	return !slices.ContainsFunc(x, func(v float32) bool { return v != 0 && v != 1 && v == v })
}

// moments are the weighted mean and standard deviation; a deviation that is rounding only is 0.
func moments(s *dataset.Set, x []float32, log bool) (mean, deviation float64) {
	var weight, square float64
	for i, v := range x {
		if v == v {
			w := data.Weight(s, i)
			weight += w
			mean += w * float64(prepare(v, log))
		}
	}
	if weight == 0 {
		return 0, 0
	}
	mean /= weight
	for i, v := range x {
		if v == v {
			d := float64(prepare(v, log)) - mean
			square += data.Weight(s, i) * d * d
		}
	}
	if deviation = math.Sqrt(square / weight); deviation < 1e-6*math.Abs(mean) || deviation < 1e-30 {
		return mean, 0
	}
	return mean, deviation
}

// prepare is what model.Scaler does first.
func prepare(v float32, log bool) float32 {
	v = max(-math.MaxFloat32, min(v, math.MaxFloat32))
	if !log {
		return v
	}
	return float32(math.Copysign(math.Log1p(math.Abs(float64(v))), float64(v)))
}

// Matrix is rows of scaled inputs, row by row.
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// Row is row i.
func (m *Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

// Scale applies a scaler to a set.
func Scale(s *dataset.Set, by *model.Scaler) *Matrix {
	m := &Matrix{Rows: s.Len(), Cols: len(s.X)}
	m.Data = make([]float32, m.Rows*m.Cols)
	for j, x := range s.X {
		for i, v := range x {
			if v != v {
				v = by.Missing[j]
			}
			v = (prepare(v, by.Log) - by.Offset[j]) * by.Scale[j]
			m.Data[i*m.Cols+j] = max(-by.Limit, min(v, by.Limit))
		}
	}
	return m
}
