package model

import "math"

// networkEngine is a checked network ready to run.
type networkEngine struct {
	scaler Scaler
	layers []Layer
	width  int // of the widest layer, inputs included
}

func (n *Network) compile() engine {
	e := &networkEngine{scaler: n.Scaler, layers: n.Layers, width: n.Layers[0].In}
	e.scaler.Limit = n.Scaler.limit()
	for _, l := range n.Layers {
		e.width = max(e.width, l.Out)
	}
	return e
}

// margins runs row by row through all layers.
func (e *networkEngine) margins(dst []float64, rows []float32, s *scratch) {
	buf := s.floats(2 * e.width)
	in, out := e.layers[0].In, e.layers[len(e.layers)-1].Out
	for len(rows) > 0 {
		x, y := buf[:in], buf[e.width:]
		e.scaler.apply(x, rows[:in])
		x = e.forward(x, y)
		for i, v := range x[:out] {
			dst[i] = float64(v)
		}
		dst, rows = dst[out:], rows[in:]
	}
}

// forward runs a scaled row through the layers, back and forth between two buffers, and returns the one with the result.
func (e *networkEngine) forward(x, y []float32) []float32 {
	for i := range e.layers {
		l := &e.layers[i]
		y = y[:cap(y)][:l.Out]
		l.apply(y, x[:l.In])
		x, y = y, x
	}
	return x
}

// apply scales one row.
func (s *Scaler) apply(dst, row []float32) {
	for i, x := range row {
		if x != x {
			x = s.Missing[i]
		}
		if s.Log {
			x = signedLog(x)
		}
		dst[i] = min(max((x-s.Offset[i])*s.Scale[i], -s.Limit), s.Limit)
	}
}

// signedLog is sign(x)·log(1+|x|).
func signedLog(x float32) float32 {
	y := float32(math.Log(float64(1 + float32(math.Abs(float64(x))))))
	return float32(math.Copysign(float64(y), float64(x)))
}

// apply computes the layer for one vector. Products are rounded before they are added, so that no processor fuses the two.
func (l *Layer) apply(dst, x []float32) {
	for o := range dst {
		w := l.Weights[o*l.In : (o+1)*l.In]
		x := x[:len(w)]
		var a, b float32
		i := 0
		for ; i+1 < len(w); i += 2 {
			a += float32(w[i] * x[i])
			b += float32(w[i+1] * x[i+1])
		}
		if i < len(w) {
			a += float32(w[i] * x[i])
		}
		dst[o] = l.Activation.of(a + b + l.Bias[o])
	}
}

func (a Activation) of(x float32) float32 {
	switch a {
	case Relu:
		return max(x, 0)
	case Tanh:
		return float32(math.Tanh(float64(x)))
	case Cosine:
		return float32(math.Cos(float64(x)))
	}
	return x
}
