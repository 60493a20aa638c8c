package learn

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"mlids/learn/metric"
)

// scaling finds the calibration of least log loss by Newton's method; the loss is convex. A weak prior, worth one row,
// holds it near no change.
func scaling(s *metric.Scored) Calibration {
	k := len(s.Classes)
	c := Calibration{Scale: 1, Shift: make([]float64, k)}
	n := newton{s: s, k: k}
	loss := n.loss(c)
	for range 50 {
		step := n.step(c)
		if step == nil {
			break
		}
		size := 1.0
		for ; size > 1e-6; size /= 2 {
			next := c.moved(step, size)
			if l := n.loss(next); l < loss {
				c, loss = next, l
				break
			}
		}
		if size <= 1e-6 || mat.Norm(step, math.Inf(1)) < 1e-7 {
			break
		}
	}
	return c
}

// moved takes a step; its first element is of Scale, the others of Shift[1:].
func (c Calibration) moved(step *mat.VecDense, size float64) Calibration {
	out := Calibration{Scale: c.Scale + size*step.AtVec(0), Shift: make([]float64, len(c.Shift))}
	for j := 1; j < len(c.Shift); j++ {
		out.Shift[j] = c.Shift[j] + size*step.AtVec(j)
	}
	return out
}

// newton holds the rows that a calibration is fitted to.
type newton struct {
	s *metric.Scored
	k int
}

// each calls f with each row's weight, log probabilities and calibrated probabilities.
func (n *newton) each(c Calibration, f func(row int, weight float64, z, p []float64)) {
	z, p := make([]float64, n.k), make([]float64, n.k)
	for i := range n.s.Class {
		w := 1.0
		if n.s.Weight != nil {
			w = float64(n.s.Weight[i])
		}
		logs(z, n.s.Prob[i*n.k:])
		c.probabilities(p, z)
		f(i, w, z, p)
	}
}

func (n *newton) loss(c Calibration) float64 {
	sum := (c.Scale - 1) * (c.Scale - 1) / 2
	for _, b := range c.Shift {
		sum += b * b / 2
	}
	n.each(c, func(row int, w float64, _, p []float64) { sum -= w * math.Log(max(p[n.s.Class[row]], 1e-300)) })
	return sum
}

// step is the Newton step; nil when the curvature is beyond what numbers can hold.
func (n *newton) step(c Calibration) *mat.VecDense {
	gradient, curvature := mat.NewVecDense(n.k, nil), mat.NewSymDense(n.k, nil)
	gradient.SetVec(0, 1-c.Scale)
	curvature.SetSym(0, 0, 1)
	for j := 1; j < n.k; j++ {
		gradient.SetVec(j, -c.Shift[j])
		curvature.SetSym(j, j, 1)
	}
	x := make([]float64, n.k) // of one class: by how much each parameter moves its margin, less the mean over classes
	n.each(c, func(row int, w float64, z, p []float64) {
		mean := 0.0
		for j, q := range p {
			mean += q * z[j]
		}
		for class, q := range p {
			x[0] = z[class] - mean
			for j := 1; j < n.k; j++ {
				x[j] = -p[j]
			}
			if class > 0 {
				x[class]++
			}
			truth := 0.0
			if int(n.s.Class[row]) == class {
				truth = w
			}
			for a := range x {
				gradient.SetVec(a, gradient.AtVec(a)+truth*x[a])
				for b := a; b < n.k; b++ {
					curvature.SetSym(a, b, curvature.At(a, b)+w*q*x[a]*x[b])
				}
			}
		}
	})
	var cholesky mat.Cholesky
	if !cholesky.Factorize(curvature) {
		return nil
	}
	step := mat.NewVecDense(n.k, nil)
	if err := cholesky.SolveVecTo(step, gradient); err != nil {
		return nil
	}
	return step
}
