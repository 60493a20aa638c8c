package dense

import (
	"math"

	"mlids/model"
)

// Forward applies a layer to rows: dst is rows×Out, x is rows×In. Rows are taken by four, so that weights are read once
// for them.
func Forward(dst, x []float32, l *model.Layer) {
	rows := len(x) / l.In
	i := 0
	for ; i+4 <= rows; i += 4 {
		four(dst[i*l.Out:], x[i*l.In:], l)
	}
	for ; i < rows; i++ {
		row, to := x[i*l.In:(i+1)*l.In], dst[i*l.Out:(i+1)*l.Out]
		for o := range to {
			to[o] = l.Bias[o] + dot(l.Weights[o*l.In:(o+1)*l.In], row)
		}
	}
	activate(dst, l.Activation)
}

func four(dst, x []float32, l *model.Layer) {
	n := l.In
	a, b, c, d := x[:n], x[n:2*n], x[2*n:3*n], x[3*n:4*n]
	for o := range l.Out {
		w := l.Weights[o*n : (o+1)*n]
		a, b, c, d := a[:len(w)], b[:len(w)], c[:len(w)], d[:len(w)]
		var s, t, u, v float32
		for j, f := range w {
			s += f * a[j]
			t += f * b[j]
			u += f * c[j]
			v += f * d[j]
		}
		bias := l.Bias[o]
		dst[o], dst[l.Out+o], dst[2*l.Out+o], dst[3*l.Out+o] = bias+s, bias+t, bias+u, bias+v
	}
}

func dot(w, x []float32) float32 {
	var sum float32
	x = x[:len(w)]
	for j, f := range w {
		sum += f * x[j]
	}
	return sum
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

// Axpy adds a·x to y.
func Axpy(y, x []float32, a float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += a * x[i]
	}
}
