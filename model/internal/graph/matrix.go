package graph

import (
	"fmt"

	"mlids/model/internal/onnx"
)

// matmul multiplies matrices.
func matmul(*node) (op, error) {
	return func(c *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 2); err != nil {
			return nil, err
		}
		y, err := c.product(in[0], in[1], false, false)
		if err != nil {
			return nil, err
		}
		if len(in[1].Dims) == 1 { // a vector on the right gives a vector
			y, err = y.view(y.Dims[0])
		}
		return []*Tensor{y}, err
	}, nil
}

// product is a·b, each transposed when asked; a vector on the right is a column.
func (c *call) product(a, b *Tensor, ta, tb bool) (*Tensor, error) {
	n, k, err := a.matrix()
	if err != nil {
		return nil, err
	}
	kb, m, err := b.matrix()
	if err != nil {
		return nil, err
	}
	if len(b.Dims) == 1 {
		kb, m = m, kb
	}
	sa, sk := k, 1 // steps of a from row to row and along one
	if ta {
		n, k, sa, sk = k, n, 1, k
	}
	sb, sm := m, 1
	if tb {
		kb, m, sb, sm = m, kb, 1, m
	}
	if k != kb {
		return nil, fmt.Errorf("shapes %v and %v do not fit", a.Dims, b.Dims)
	}
	y, err := numbers(a.Type, n, m)
	if err != nil {
		return nil, err
	}
	if err := c.spend(n, k, m); err != nil {
		return nil, fmt.Errorf("product of %d×%d by %d×%d: %w", n, k, k, m, err)
	}
	for i := range n {
		row := y.F[i*m : (i+1)*m]
		for l := range k {
			v := a.F[i*sa+l*sk]
			for j := range row {
				row[j] += v * b.F[l*sb+j*sm]
			}
		}
	}
	return y.round(), nil
}

// gemm is alpha·a·b + beta·c.
func gemm(n *node) (op, error) {
	alpha, beta := n.float("alpha", 1), n.float("beta", 1)
	ta, tb := n.int("transA", 0) != 0, n.int("transB", 0) != 0
	return func(c *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 2); err != nil {
			return nil, err
		}
		y, err := c.product(in[0], in[1], ta, tb)
		if err != nil {
			return nil, err
		}
		for i := range y.F {
			y.F[i] *= alpha
		}
		if len(in) > 2 && in[2] != nil {
			dims := y.Dims
			y, err = combine(y, in[2], func(a, c float64) float64 { return a + beta*c }, false)
			if err == nil && (len(y.Dims) != 2 || y.Dims[0] != dims[0] || y.Dims[1] != dims[1]) {
				err = fmt.Errorf("shape %v does not fit %v", in[2].Dims, dims)
			}
		}
		return []*Tensor{y}, err
	}, nil
}

// linear is what LinearClassifier and LinearRegressor share: x·coefficientsᵀ + intercepts.
type linear struct {
	coefficients, intercepts []float64
	outputs                  int
}

func (n *node) linear(outputs int) (*linear, error) {
	l := &linear{coefficients: n.floats("coefficients"), intercepts: n.floats("intercepts"), outputs: outputs}
	if len(l.intercepts) == 0 {
		l.intercepts = make([]float64, outputs)
	}
	if outputs == 0 || len(l.intercepts) != outputs || len(l.coefficients) == 0 || len(l.coefficients)%outputs != 0 {
		return nil, fmt.Errorf("%d coefficients and %d intercepts for %d outputs", len(l.coefficients), len(l.intercepts), outputs)
	}
	return l, nil
}

func (l *linear) apply(c *call, x *Tensor) (*Tensor, error) {
	n, k, err := x.matrix()
	if err != nil {
		return nil, err
	}
	if k*l.outputs != len(l.coefficients) {
		return nil, fmt.Errorf("%d columns for %d coefficients of %d outputs", k, len(l.coefficients), l.outputs)
	}
	if err := c.spend(n, len(l.coefficients)); err != nil {
		return nil, err
	}
	y, err := numbers(onnx.Float32, n, l.outputs)
	if err != nil {
		return nil, err
	}
	for i := range n {
		for o := range l.outputs {
			sum := l.intercepts[o]
			for j, w := range l.coefficients[o*k : (o+1)*k] {
				sum += w * x.F[i*k+j]
			}
			y.F[i*l.outputs+o] = sum
		}
	}
	return y.round(), nil
}
