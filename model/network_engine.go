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
func (e *networkEngine) margins(dst []float64, rows []float32, s *scratch) error {
	buf := s.floats(2 * e.width)
	in, out := e.layers[0].In, e.outputs()
	for len(rows) > 0 {
		x := buf[:in]
		e.scaler.apply(x, rows[:in])
		e.forward(dst[:out], x, buf[e.width:])
		dst, rows = dst[out:], rows[in:]
	}
	return nil
}

func (e *networkEngine) outputs() int { return e.layers[len(e.layers)-1].Out }

// forward runs a scaled row through the layers, back and forth between two buffers that it overwrites.
func (e *networkEngine) forward(dst []float64, x, y []float32) {
	last := len(e.layers) - 1
	for i := range last {
		l := &e.layers[i]
		y = y[:cap(y)][:l.Out]
		for o := range y {
			y[o] = l.Activation.of(l.sum(o, x))
		}
		x, y = y, x
	}
	for o := range dst {
		dst[o] = e.layers[last].sum(o, x)
	}
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

// sum is one output of the layer before its activation. Products of two float32 are exact in float64, so it does not matter
// whether a processor fuses them with the sum.
func (l *Layer) sum(o int, x []float32) float64 {
	w := l.Weights[o*l.In : (o+1)*l.In]
	x = x[:len(w)]
	var a, b float64
	i := 0
	for ; i+1 < len(w); i += 2 {
		a += float64(w[i]) * float64(x[i])
		b += float64(w[i+1]) * float64(x[i+1])
	}
	if i < len(w) {
		a += float64(w[i]) * float64(x[i])
	}
	return a + b + float64(l.Bias[o])
}

func (a Activation) of(x float64) float32 {
	switch a {
	case Relu:
		x = max(x, 0)
	case Tanh:
		x = math.Tanh(x)
	case Cosine:
		x = math.Cos(x)
	}
	return float32(x)
}
