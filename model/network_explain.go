package model

import "math/rand/v2"

// orders is how many orders of the inputs the explanation of a network goes through, half of them the reverse of the
// others.
const orders = 16

// explain compares a row with the one at the scaler's offsets, the average of the training data. A single layer adds
// weight times distance. In a network each input counts as what the margin changes when it goes from average to its value
// after those before it in an order, averaged over several orders; so the parts always sum to the margin.
func (e *networkEngine) explain(dst []float64, row []float32, output int) float64 {
	x := make([]float64, len(row))
	e.scaler.apply(x, row)
	if len(e.layers) == 1 {
		l := e.first
		for i, v := range x {
			dst[i] += float64(l.Weights[output*l.In+i]) * v
		}
		return float64(l.Bias[output])
	}
	w := networkWalk{engine: e, margins: make([]float64, e.outputs()), buf: make([]float64, 2*e.width), output: output}
	random := rand.New(rand.NewPCG(1, 2)) // the same orders for every row
	for range orders / 2 {
		order := random.Perm(len(x))
		w.along(dst, x, order)
		for i, j := 0, len(order)-1; i < j; i, j = i+1, j-1 {
			order[i], order[j] = order[j], order[i]
		}
		w.along(dst, x, order)
	}
	return w.margin(make([]float64, len(x)))
}

// networkWalk computes margins of rows between average and x.
type networkWalk struct {
	engine  *networkEngine
	margins []float64
	buf     []float64
	output  int
}

func (w *networkWalk) margin(x []float64) float64 {
	copy(w.buf, x)
	w.engine.forward(w.margins, w.buf[:w.engine.width], w.buf[w.engine.width:])
	return w.margins[w.output]
}

// along adds what each input changes when it is set in this order.
func (w *networkWalk) along(dst []float64, x []float64, order []int) {
	at := make([]float64, len(x))
	before := w.margin(at)
	for _, i := range order {
		if x[i] == 0 {
			continue
		}
		at[i] = x[i]
		after := w.margin(at)
		dst[i] += (after - before) / orders
		before = after
	}
}
