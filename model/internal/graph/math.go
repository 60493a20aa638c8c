package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"mlids/model/internal/onnx"
)

// unary makes an operator of a function of one number.
func unary(f func(float64) float64) maker {
	return func(*node) (op, error) {
		return one(func(x *Tensor) (*Tensor, error) {
			y := like(x)
			for i, v := range x.F {
				y.F[i] = f(v)
			}
			return y.round(), nil
		}), nil
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return v
}

// binary makes an operator of a function of two numbers, folded over two or more broadcast inputs.
func binary(f func(a, b float64) float64) maker { return folded(f, false) }

// compare makes an operator that answers yes or no.
func compare(f func(a, b float64) bool) maker {
	return folded(func(a, b float64) float64 { return truth(f(a, b)) }, true)
}

func folded(f func(a, b float64) float64, answers bool) maker {
	return func(*node) (op, error) {
		return func(_ *call, in []*Tensor) ([]*Tensor, error) {
			out, err := first(in)
			for _, t := range in[min(1, len(in)):] {
				if err == nil {
					out, err = combine(out, t, f, answers)
				}
			}
			return []*Tensor{out}, err
		}, nil
	}
}

// combine applies f to two tensors of shapes that fit.
func combine(a, b *Tensor, f func(a, b float64) float64, answers bool) (*Tensor, error) {
	if b == nil || b.text() {
		return nil, errors.New("wanted two inputs of numbers")
	}
	dims, err := broadcast(a.Dims, b.Dims)
	if err != nil {
		return nil, err
	}
	y, err := numbers(a.Type, dims...)
	if err != nil {
		return nil, err
	}
	if answers {
		y.Type = onnx.Bool
	}
	ia, ib := newIndex(a.Dims, dims), newIndex(b.Dims, dims)
	for i := range y.F {
		v := f(a.F[ia.next()], b.F[ib.next()])
		if y.Type == onnx.Int64 || y.Type == onnx.Int32 {
			v = math.Trunc(v)
		}
		y.F[i] = v
	}
	return y.round(), nil
}

// broadcast is the shape that two shapes stretch to.
func broadcast(a, b []int) ([]int, error) {
	out := make([]int, max(len(a), len(b)))
	for i := range out {
		da, db := dim(a, len(out)-i), dim(b, len(out)-i)
		switch {
		case da == db || db == 1:
			out[i] = da
		case da == 1:
			out[i] = db
		default:
			return nil, fmt.Errorf("shapes %v and %v do not fit", a, b)
		}
	}
	return out, nil
}

// dim is a dimension counted from the end, 1 for one that is not there.
func dim(dims []int, fromEnd int) int {
	if fromEnd > len(dims) {
		return 1
	}
	return dims[len(dims)-fromEnd]
}

// index walks a tensor in the order of the shape that it is stretched to.
type index struct {
	dims, at, strides []int
	offset            int
}

func newIndex(own, dims []int) *index {
	x := &index{dims: dims, at: make([]int, len(dims)), strides: make([]int, len(dims))}
	stride := 1
	for i := 1; i <= len(own); i++ {
		if d := own[len(own)-i]; d > 1 {
			x.strides[len(dims)-i] = stride
			stride *= d
		}
	}
	return x
}

// next is the offset of the current element; it then goes on to the next one.
func (x *index) next() int {
	offset := x.offset
	for i := len(x.dims) - 1; i >= 0; i-- {
		x.at[i]++
		x.offset += x.strides[i]
		if x.at[i] < x.dims[i] {
			break
		}
		x.offset -= x.strides[i] * x.dims[i]
		x.at[i] = 0
	}
	return offset
}

// where picks from two tensors by a third.
func where(*node) (op, error) {
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 3); err != nil {
			return nil, err
		}
		if in[0].text() || in[1].text() || in[2].text() {
			return nil, errors.New("text where numbers are wanted")
		}
		dims, err := broadcast(in[0].Dims, in[1].Dims)
		if err == nil {
			dims, err = broadcast(dims, in[2].Dims)
		}
		if err != nil {
			return nil, err
		}
		y, err := numbers(in[1].Type, dims...)
		if err != nil {
			return nil, err
		}
		ic, ix, iy := newIndex(in[0].Dims, dims), newIndex(in[1].Dims, dims), newIndex(in[2].Dims, dims)
		for i := range y.F {
			c, a, b := in[0].F[ic.next()], in[1].F[ix.next()], in[2].F[iy.next()]
			if y.F[i] = b; c != 0 {
				y.F[i] = a
			}
		}
		return []*Tensor{y}, nil
	}, nil
}

// clip bounds numbers, by attributes or, in newer files, by inputs.
func clip(n *node) (op, error) {
	low, high := n.float("min", float32(math.Inf(-1))), n.float("max", float32(math.Inf(1)))
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		x, err := first(in)
		if err != nil {
			return nil, err
		}
		low, high := bound(in, 1, low), bound(in, 2, high)
		y := like(x)
		for i, v := range x.F {
			y.F[i] = min(max(v, low), high)
		}
		return []*Tensor{y}, nil
	}, nil
}

func bound(in []*Tensor, i int, otherwise float64) float64 {
	if i < len(in) && in[i] != nil && len(in[i].F) == 1 {
		return in[i].F[0]
	}
	return otherwise
}

// cast changes the type; text stays what it is.
func cast(n *node) (op, error) {
	to := n.int("to", 0)
	if !slices.Contains([]int64{onnx.Float32, onnx.Double, onnx.Int64, onnx.Int32, onnx.Bool, onnx.Text}, to) {
		return nil, fmt.Errorf("cast to type %d: %w", to, ErrOperator)
	}
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 1); err != nil {
			return nil, err
		}
		x := in[0]
		if x.text() && to == onnx.Text {
			return []*Tensor{x}, nil
		}
		if x.text() || to == onnx.Text {
			return nil, fmt.Errorf("cast between text and numbers: %w", ErrOperator)
		}
		y := like(x)
		y.Type = to
		for i, v := range x.F {
			switch to {
			case onnx.Bool:
				v = truth(v != 0)
			case onnx.Int64, onnx.Int32:
				v = math.Trunc(v)
			}
			y.F[i] = v
		}
		return []*Tensor{y.round()}, nil
	}, nil
}
