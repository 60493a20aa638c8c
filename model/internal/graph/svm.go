package graph

import (
	"fmt"
	"math"

	"mlids/model/internal/onnx"
)

// svm is a support vector classifier: one against one, with Platt's probabilities when it has them. The arithmetic is
// that of LIBSVM (Chang and Lin, 2011), as the standard's operator follows it.
type svm struct {
	kernel       func(a, b []float64) float64
	vectors      []float64 // count×width
	coefficients []float64 // (classes-1)×count
	count, width int
	starts       []int // first vector of each class, and the end
	rho          []float64
	probA, probB []float64
}

func svmClassifier(n *node) (op, error) {
	s := &svm{
		vectors: n.floats("support_vectors"), coefficients: n.floats("coefficients"), rho: n.floats("rho"),
		probA: n.floats("prob_a"), probB: n.floats("prob_b"), starts: []int{0},
	}
	for _, v := range n.ints("vectors_per_class") {
		if v < 0 || v > maxElements || s.count > maxElements {
			return nil, fmt.Errorf("vectors_per_class %d", v)
		}
		s.count += int(v)
		s.starts = append(s.starts, s.count)
	}
	if err := s.check(n.classes()); err != nil {
		return nil, err
	}
	s.width = len(s.vectors) / s.count
	var err error
	if s.kernel, err = n.kernel(); err != nil {
		return nil, err
	}
	after, err := n.transform()
	if err != nil {
		return nil, err
	}
	return func(c *call, in []*Tensor) ([]*Tensor, error) {
		x, err := first(in)
		if err != nil {
			return nil, err
		}
		scores, err := s.apply(c, x)
		if err != nil {
			return nil, err
		}
		return labelled(scores, after)
	}, nil
}

func (s *svm) classes() int { return len(s.starts) - 1 }

func (s *svm) check(labels int) error {
	k := s.classes()
	pairs := k * (k - 1) / 2
	switch {
	case k < 2 || k > 1024 || labels != k:
		return fmt.Errorf("vectors of %d classes for %d labels: %w", k, labels, ErrOperator)
	case s.count == 0 || len(s.vectors)%s.count != 0 || len(s.vectors) == 0:
		return fmt.Errorf("%d numbers for %d vectors", len(s.vectors), s.count)
	case len(s.coefficients) != (k-1)*s.count:
		return fmt.Errorf("%d coefficients for %d vectors of %d classes", len(s.coefficients), s.count, k)
	case len(s.rho) != pairs:
		return fmt.Errorf("%d rho for %d pairs of classes", len(s.rho), pairs)
	case len(s.probA) != len(s.probB) || len(s.probA) != 0 && len(s.probA) != pairs:
		return fmt.Errorf("%d prob_a and %d prob_b for %d pairs of classes", len(s.probA), len(s.probB), pairs)
	}
	return nil
}

// kernel returns the function of two vectors; kernel_params are gamma, coef0 and degree.
func (n *node) kernel() (func(a, b []float64) float64, error) {
	params := append(n.floats("kernel_params"), 0, 0, 0)
	gamma, coef0, degree := params[0], params[1], params[2]
	switch name := n.string("kernel_type", "LINEAR"); name {
	case "LINEAR":
		return dot, nil
	case "POLY":
		return func(a, b []float64) float64 { return math.Pow(gamma*dot(a, b)+coef0, degree) }, nil
	case "SIGMOID":
		return func(a, b []float64) float64 { return math.Tanh(gamma*dot(a, b) + coef0) }, nil
	case "RBF":
		return func(a, b []float64) float64 {
			sum := 0.0
			for i, v := range a {
				sum += (v - b[i]) * (v - b[i])
			}
			return math.Exp(-gamma * sum)
		}, nil
	default:
		return nil, fmt.Errorf("kernel %s: %w", name, ErrOperator)
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// apply gives the class probabilities, or without them the scores of all pairs of classes; of two classes a score each.
func (s *svm) apply(c *call, x *Tensor) (*Tensor, error) {
	n, width, err := x.matrix()
	if err != nil {
		return nil, err
	}
	if width != s.width {
		return nil, fmt.Errorf("%d columns, support vectors have %d", width, s.width)
	}
	k, pairs := s.classes(), len(s.rho)
	if err := c.spend(n, len(s.vectors)+k*s.count); err != nil {
		return nil, err
	}
	out := pairs
	if len(s.probA) > 0 {
		if err := c.spend(n, couplings(k), k, k); err != nil {
			return nil, err
		}
		out = k
	}
	y, err := numbers(onnx.Float32, n, out)
	if err != nil {
		return nil, err
	}
	kernels, scores := make([]float64, s.count), make([]float64, pairs)
	for i := range n {
		for v := range kernels {
			kernels[v] = s.kernel(x.F[i*width:(i+1)*width], s.vectors[v*width:(v+1)*width])
		}
		s.pairs(scores, kernels)
		if row := y.F[i*out : (i+1)*out]; len(s.probA) > 0 {
			s.couple(row, scores)
		} else {
			copy(row, scores)
		}
	}
	if len(s.probA) == 0 && k == 2 { // the score speaks for the first class
		for i := range y.F {
			y.F[i] = -y.F[i]
		}
		return twoSided(y, false)
	}
	return y, nil
}

// pairs computes the score of each pair of classes: above zero speaks for the first.
func (s *svm) pairs(scores, kernels []float64) {
	k, pair := s.classes(), 0
	for i := range k {
		for j := i + 1; j < k; j++ {
			sum := s.rho[pair]
			for v := s.starts[i]; v < s.starts[i+1]; v++ {
				sum += s.coefficients[(j-1)*s.count+v] * kernels[v]
			}
			for v := s.starts[j]; v < s.starts[j+1]; v++ {
				sum += s.coefficients[i*s.count+v] * kernels[v]
			}
			scores[pair] = sum
			pair++
		}
	}
}

// couple turns the scores of pairs into class probabilities (Wu, Lin and Weng, JMLR 5, 2004, second method).
func (s *svm) couple(p, scores []float64) {
	k, pair := s.classes(), 0
	r := make([]float64, k*k)
	for i := range k {
		for j := i + 1; j < k; j++ {
			v := 1 - sigmoid(scores[pair]*s.probA[pair]+s.probB[pair])
			v = min(max(v, 1e-7), 1-1e-7)
			r[i*k+j], r[j*k+i] = v, 1-v
			pair++
		}
	}
	q := make([]float64, k*k)
	for i := range k {
		p[i] = 1 / float64(k)
		for j := range k {
			if i != j {
				q[i*k+i] += r[j*k+i] * r[j*k+i]
				q[i*k+j] = -r[j*k+i] * r[i*k+j]
			}
		}
	}
	for range couplings(k) {
		if settled(p, q) {
			return
		}
	}
}

// couplings is how many steps the coupling of k classes takes at most.
func couplings(k int) int { return max(100, k) }

// settled takes one step of the coupling and reports whether there was nothing to do.
func settled(p, q []float64) bool {
	k := len(p)
	qp, pqp := make([]float64, k), 0.0
	for i := range k {
		qp[i] = dot(q[i*k:(i+1)*k], p)
		pqp += p[i] * qp[i]
	}
	worst := 0.0
	for _, v := range qp {
		worst = max(worst, math.Abs(v-pqp))
	}
	if worst < 0.005/float64(k) {
		return true
	}
	for i := range k {
		diff := (pqp - qp[i]) / q[i*k+i]
		p[i] += diff
		pqp = (pqp + diff*(diff*q[i*k+i]+2*qp[i])) / (1 + diff) / (1 + diff)
		for j := range k {
			qp[j] = (qp[j] + diff*q[i*k+j]) / (1 + diff)
			p[j] /= 1 + diff
		}
	}
	return false
}
