package dense

import (
	"math"

	"mlids/learn/internal/gemm"
	"mlids/model"
)

// Packed is a layer in the form that products want: weights input by input, in rows of Width values, of which the last
// are zero.
type Packed struct {
	In, Out, Width int
	Weights        []float32 // In×Width
	Bias           []float32 // Width
	Activation     model.Activation
}

// Pack lays a layer out.
func Pack(l *model.Layer) *Packed {
	p := NewPacked(l.In, l.Out, l.Activation)
	for o := range l.Out {
		for i, w := range l.Weights[o*l.In : (o+1)*l.In] {
			p.Weights[i*p.Width+o] = w
		}
	}
	copy(p.Bias, l.Bias)
	return p
}

// NewPacked makes a layer of zeros.
func NewPacked(in, out int, a model.Activation) *Packed {
	width := gemm.Pad(out)
	return &Packed{In: in, Out: out, Width: width, Activation: a, Weights: make([]float32, in*width), Bias: make([]float32, width)}
}

// Layer is the layer in the form that models have.
func (p *Packed) Layer() model.Layer {
	l := model.Layer{In: p.In, Out: p.Out, Activation: p.Activation, Weights: make([]float32, p.In*p.Out), Bias: make([]float32, p.Out)}
	for o := range p.Out {
		for i := range p.In {
			l.Weights[o*p.In+i] = p.Weights[i*p.Width+o]
		}
	}
	copy(l.Bias, p.Bias)
	return l
}

// Forward applies the layer to rows that lie stride values apart in x; dst is rows×Width.
func (p *Packed) Forward(dst, x []float32, stride, rows int) {
	for r := range rows {
		copy(dst[r*p.Width:(r+1)*p.Width], p.Bias)
	}
	gemm.Add(gemm.Matrix{Data: dst, Row: p.Width, Col: 1}, gemm.Matrix{Data: x, Row: stride, Col: 1},
		gemm.Matrix{Data: p.Weights, Row: p.Width, Col: 1}, rows, p.Width, p.In)
	activate(dst[:rows*p.Width], p.Activation)
}

// Apply applies layers one after the other to all rows, on all cores.
func Apply(x *Matrix, layers ...*Packed) *Matrix {
	const part = 256
	last := layers[len(layers)-1]
	out := &Matrix{Rows: x.Rows, Cols: last.Out, Data: make([]float32, x.Rows*last.Out)}
	Each((x.Rows+part-1)/part, func(b int) {
		lo, rows := b*part, min(part, x.Rows-b*part)
		from, stride := x.Data[lo*x.Cols:], x.Cols
		for _, l := range layers {
			to := make([]float32, rows*l.Width)
			l.Forward(to, from, stride, rows)
			from, stride = to, l.Width
		}
		for r := range rows {
			copy(out.Row(lo+r), from[r*stride:])
		}
	})
	return out
}

func activate(x []float32, a model.Activation) {
	switch a {
	case model.Relu:
		for i, v := range x {
			x[i] = max(v, 0)
		}
	case model.Tanh:
		for i, v := range x {
			x[i] = float32(math.Tanh(float64(v)))
		}
	case model.Cosine:
		for i, v := range x {
			x[i] = float32(math.Cos(float64(v)))
		}
	}
}
