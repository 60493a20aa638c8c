package model

import (
	"math"

	"mlids/model/internal/simd"
)

// networkEngine is a checked network ready to run. Sums are float64: products of two float32 are exact in it, so all
// processors and instruction sets give the same bits.
type networkEngine struct {
	scaler Scaler
	first  *Layer // as the learner gave it
	layers []panels
	level  simd.Level
	width  int // room for the widest layer, inputs included
}

// panels is a layer whose outputs lie side by side, eight to a panel, the last ones padded with zeros.
type panels struct {
	in, out    int
	weights    []float64 // panels×in×8
	bias       []float64
	activation Activation
}

func (n *Network) compile() engine { return n.compileFor(simd.Detect()) }

func (n *Network) compileFor(level simd.Level) *networkEngine {
	e := &networkEngine{scaler: n.Scaler, first: &n.Layers[0], level: level, width: n.Layers[0].In}
	e.scaler.Limit = n.Scaler.limit()
	for i := range n.Layers {
		p := n.Layers[i].panels()
		e.layers = append(e.layers, p)
		e.width = max(e.width, len(p.bias))
	}
	return e
}

func (l *Layer) panels() panels {
	count := (l.Out + simd.Panel - 1) / simd.Panel
	p := panels{
		in: l.In, out: l.Out, activation: l.Activation,
		weights: make([]float64, count*l.In*simd.Panel), bias: make([]float64, count*simd.Panel),
	}
	for o := range l.Out {
		p.bias[o] = float64(l.Bias[o])
		panel, lane := o/simd.Panel, o%simd.Panel
		for i, w := range l.Weights[o*l.In : (o+1)*l.In] {
			p.weights[(panel*l.In+i)*simd.Panel+lane] = float64(w)
		}
	}
	return p
}

// margins runs row by row through all layers.
func (e *networkEngine) margins(dst []float64, rows []float32, s *scratch) error {
	buf := s.doubles(2 * e.width)
	in, out := e.layers[0].in, e.outputs()
	for len(rows) > 0 {
		e.scaler.apply(buf, rows[:in])
		e.forward(dst[:out], buf[:e.width], buf[e.width:])
		dst, rows = dst[out:], rows[in:]
	}
	return nil
}

func (e *networkEngine) outputs() int { return e.layers[len(e.layers)-1].out }

// forward runs a scaled row, which lies in x, through the layers, back and forth between two buffers of e.width.
func (e *networkEngine) forward(dst, x, y []float64) {
	for i := range e.layers {
		l := &e.layers[i]
		sums := y[:copy(y, l.bias)]
		e.level.Dense(l.weights, x[:l.in], sums)
		l.activation.apply(sums[:l.out])
		x, y = y, x
	}
	copy(dst, x)
}

// apply scales one row.
func (s *Scaler) apply(dst []float64, row []float32) {
	for i, x := range row {
		if x != x {
			x = s.Missing[i]
		}
		if s.Log {
			x = float32((signedLog(x) - float64(s.Offset[i])) * float64(s.Scale[i]))
		} else {
			x = (x - s.Offset[i]) * s.Scale[i]
		}
		dst[i] = float64(min(max(x, -s.Limit), s.Limit))
	}
}

// signedLog is sign(x)·log(1+|x|).
func signedLog(x float32) float64 {
	return math.Copysign(math.Log(1+math.Abs(float64(x))), float64(x))
}

// apply replaces sums by the function of them, rounded to float32; None is the last layer's, and leaves them.
func (a Activation) apply(sums []float64) {
	for i, v := range sums {
		switch a {
		case Relu:
			sums[i] = float64(float32(max(v, 0)))
		case Tanh:
			sums[i] = float64(float32(math.Tanh(v)))
		case Cosine:
			sums[i] = float64(float32(math.Cos(v)))
		}
	}
}
