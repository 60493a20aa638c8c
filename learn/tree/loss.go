package tree

import "math"

// loss is the weighted log loss of margins, and its derivatives. Margins are margins[output][row].
type loss interface {
	// prepare must come before the other two for rows whose margins have changed.
	prepare(lo, hi int)
	// derive fills g and h with the derivatives of the rows lo to hi by their margin of one output.
	derive(g, h []float32, output, lo, hi int)
	// value is the sum of the rows' losses.
	value(lo, hi int) float64
}

// logistic is the loss of one margin for two classes.
type logistic struct {
	margins []float64
	class   []int32
	weight  []float64
}

func (l *logistic) prepare(_, _ int) {}

func (l *logistic) derive(g, h []float32, _, lo, hi int) {
	for i := lo; i < hi; i++ {
		p := 1 / (1 + math.Exp(-l.margins[i]))
		w := l.weight[i]
		g[i] = float32(w * (p - float64(l.class[i])))
		h[i] = float32(w * p * (1 - p))
	}
}

func (l *logistic) value(lo, hi int) float64 {
	sum := 0.0
	for i := lo; i < hi; i++ {
		m := l.margins[i]
		if l.class[i] != 0 {
			m = -m
		}
		sum += l.weight[i] * softplus(m)
	}
	return sum
}

// softplus is log(1+exp(m)).
func softplus(m float64) float64 { return max(m, 0) + math.Log1p(math.Exp(-math.Abs(m))) }

// softmax is the loss of one margin per class. Its second derivative is taken K/(K-1) times, as Friedman has it.
type softmax struct {
	margins [][]float64
	class   []int32
	weight  []float64
	top     []float64 // of each row: largest margin, and log of the sum of exp(margin-top)
	sum     []float64
}

func (l *softmax) prepare(lo, hi int) {
	for i := lo; i < hi; i++ {
		top := l.margins[0][i]
		for _, m := range l.margins[1:] {
			top = max(top, m[i])
		}
		sum := 0.0
		for _, m := range l.margins {
			sum += math.Exp(m[i] - top)
		}
		l.top[i], l.sum[i] = top, sum
	}
}

func (l *softmax) derive(g, h []float32, output, lo, hi int) {
	margins := l.margins[output]
	k := float64(len(l.margins))
	for i := lo; i < hi; i++ {
		p := math.Exp(margins[i]-l.top[i]) / l.sum[i]
		w, y := l.weight[i], 0.0
		if int(l.class[i]) == output {
			y = 1
		}
		g[i] = float32(w * (p - y))
		h[i] = float32(w * p * (1 - p) * k / (k - 1))
	}
}

func (l *softmax) value(lo, hi int) float64 {
	sum := 0.0
	for i := lo; i < hi; i++ {
		sum += l.weight[i] * (l.top[i] + math.Log(l.sum[i]) - l.margins[l.class[i]][i])
	}
	return sum
}
