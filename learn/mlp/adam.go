package mlp

import (
	"math"

	"mlids/learn/internal/dense"
)

// adam holds the running moments of a layer's derivatives.
type adam struct{ weights, bias moments }

type moments struct{ first, second []float32 }

func newAdam(weights, bias int) adam {
	return adam{weights: newMoments(weights), bias: newMoments(bias)}
}

func newMoments(n int) moments {
	return moments{first: make([]float32, n), second: make([]float32, n)}
}

// move takes one step; the derivatives are sums, scale makes them means. Biases do not decay.
func (a *adam) move(l *dense.Packed, weights, bias []float32, scale float32, rate, decay float64, step int) {
	const beta1, beta2 = 0.9, 0.999
	rate *= math.Sqrt(1-math.Pow(beta2, float64(step))) / (1 - math.Pow(beta1, float64(step)))
	a.weights.move(l.Weights, weights, scale, float32(rate), float32(1-decay))
	a.bias.move(l.Bias, bias, scale, float32(rate), 1)
}

func (m *moments) move(value, derivative []float32, scale, rate, keep float32) {
	first, second := m.first[:len(value)], m.second[:len(value)]
	derivative = derivative[:len(value)]
	for i, d := range derivative {
		d *= scale
		first[i] += 0.1 * (d - first[i])
		second[i] += 0.001 * (d*d - second[i])
		value[i] = value[i]*keep - rate*first[i]/(float32(math.Sqrt(float64(second[i])))+1e-8)
	}
}
