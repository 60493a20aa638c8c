package graph

import (
	"errors"
	"fmt"
	"slices"

	"mlids/model/internal/onnx"
)

// same passes its input on.
func same(*node) (op, error) {
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 1); err != nil {
			return nil, err
		}
		return in[:1], nil
	}, nil
}

// fixed is the Constant operator.
func fixed(n *node) (op, error) {
	out := &Tensor{Type: onnx.Float32}
	switch {
	case n.Attr("value") != nil && n.Attr("value").T != nil:
		var err error
		if out, err = constant(n.Attr("value").T); err != nil {
			return nil, err
		}
	case n.Attr("value_float") != nil:
		out.F = []float64{n.float("value_float", 0)}
	case n.Attr("value_int") != nil:
		out.Type, out.F = onnx.Int64, []float64{float64(n.int("value_int", 0))}
	case n.Attr("value_floats") != nil:
		out.F = n.floats("value_floats")
		out.Dims = []int{len(out.F)}
	case n.Attr("value_ints") != nil:
		out.Type, out.F = onnx.Int64, widen(n.ints("value_ints"))
		out.Dims = []int{len(out.F)}
	default:
		return nil, errors.New("no value")
	}
	return func(*call, []*Tensor) ([]*Tensor, error) { return []*Tensor{out}, nil }, nil
}

func widen(values []int64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// concat puts tensors one behind the other along an axis.
func concat(n *node) (op, error) {
	at := n.int("axis", 1)
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, max(1, len(in))); err != nil {
			return nil, err
		}
		return joined(in, at)
	}, nil
}

func joined(in []*Tensor, at int64) ([]*Tensor, error) {
	ax, err := axis(at, len(in[0].Dims))
	if err != nil {
		return nil, err
	}
	dims := slices.Clone(in[0].Dims)
	dims[ax] = 0
	for _, t := range in {
		if len(t.Dims) != len(dims) || t.text() != in[0].text() {
			return nil, errors.New("tensors of different ranks or kinds")
		}
		for i, d := range t.Dims {
			if i != ax && d != in[0].Dims[i] {
				return nil, fmt.Errorf("shapes %v and %v do not fit", in[0].Dims, t.Dims)
			}
		}
		dims[ax] += t.Dims[ax]
	}
	if _, err := size(dims); err != nil {
		return nil, err
	}
	out := &Tensor{Type: in[0].Type, Dims: dims}
	outer, _, inner := around(dims, ax)
	for o := range outer {
		for _, t := range in {
			run := t.Dims[ax] * inner
			if t.text() {
				out.S = append(out.S, t.S[o*run:(o+1)*run]...)
			} else {
				out.F = append(out.F, t.F[o*run:(o+1)*run]...)
			}
		}
	}
	return []*Tensor{out}, nil
}

// reshape follows the rules of the standard: 0 keeps a dimension, -1 is what remains.
func reshape(n *node) (op, error) {
	fixed := n.ints("shape") // of files before version 5
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		shape := widen(fixed)
		if len(fixed) == 0 {
			if err := wanted(in, 2); err != nil {
				return nil, err
			}
			shape = in[1].F
		}
		dims, err := resolve(shape, in[0])
		if err != nil {
			return nil, err
		}
		out, err := in[0].view(dims...)
		return []*Tensor{out}, err
	}, nil
}

func resolve(shape []float64, x *Tensor) ([]int, error) {
	dims, free, rest := make([]int, len(shape)), -1, 1
	for i, v := range shape {
		d, err := integer(v)
		if err != nil {
			return nil, err
		}
		if d == 0 && i < len(x.Dims) {
			d = x.Dims[i]
		}
		if d == -1 && free < 0 {
			free = i
			continue
		}
		if dims[i] = d; d < 0 || d > 0 && rest > maxElements/d {
			return nil, fmt.Errorf("shape %v", shape)
		}
		rest *= d
	}
	if free >= 0 && rest > 0 {
		dims[free] = x.len() / rest
	}
	return dims, nil
}

// flatten makes a matrix of what stands before and after an axis.
func flatten(n *node) (op, error) {
	at := n.int("axis", 1)
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 1); err != nil {
			return nil, err
		}
		ax, err := axis(at, len(in[0].Dims)+1)
		if err != nil {
			return nil, err
		}
		rows := 1
		for _, d := range in[0].Dims[:ax] {
			rows *= d
		}
		out, err := in[0].view(rows, in[0].len()/max(rows, 1))
		return []*Tensor{out}, err
	}, nil
}

// axes reads which dimensions an operator is about: an attribute, or in newer files the second input.
func axes(n *node, in []*Tensor, rank int) ([]int, error) {
	list := widen(n.ints("axes"))
	if len(in) > 1 && in[1] != nil {
		list = in[1].F
	}
	out := make([]int, len(list))
	for i, v := range list {
		a, err := integer(v)
		if err != nil {
			return nil, err
		}
		if out[i], err = axis(int64(a), rank); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// squeeze takes out dimensions of one.
func squeeze(n *node) (op, error) {
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 1); err != nil {
			return nil, err
		}
		drop, err := axes(n, in, len(in[0].Dims))
		if err != nil {
			return nil, err
		}
		var dims []int
		for i, d := range in[0].Dims {
			if !slices.Contains(drop, i) && (len(drop) > 0 || d != 1) {
				dims = append(dims, d)
			}
		}
		out, err := in[0].view(dims...)
		return []*Tensor{out}, err
	}, nil
}

// unsqueeze puts in dimensions of one.
func unsqueeze(n *node) (op, error) {
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 1); err != nil {
			return nil, err
		}
		count := len(n.ints("axes"))
		if len(in) > 1 && in[1] != nil {
			count = len(in[1].F)
		}
		if count > 8 {
			return nil, fmt.Errorf("%d new dimensions", count)
		}
		rank := len(in[0].Dims) + count
		add, err := axes(n, in, rank)
		if err != nil {
			return nil, err
		}
		dims, next := make([]int, rank), 0
		for i := range dims {
			if dims[i] = 1; !slices.Contains(add, i) {
				if next == len(in[0].Dims) {
					return nil, fmt.Errorf("axes %v", add)
				}
				dims[i] = in[0].Dims[next]
				next++
			}
		}
		out, err := in[0].view(dims...)
		return []*Tensor{out}, err
	}, nil
}

// transpose turns a matrix around.
func transpose(*node) (op, error) {
	return one(func(x *Tensor) (*Tensor, error) {
		if len(x.Dims) != 2 {
			return nil, fmt.Errorf("transpose of shape %v: %w", x.Dims, ErrOperator)
		}
		r, c := x.Dims[0], x.Dims[1]
		y := &Tensor{Type: x.Type, Dims: []int{c, r}, F: make([]float64, len(x.F))}
		for i := range r {
			for j := range c {
				y.F[j*r+i] = x.F[i*c+j]
			}
		}
		return y, nil
	}), nil
}

// gather picks along an axis.
func gather(n *node) (op, error) {
	at := n.int("axis", 0)
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 2); err != nil {
			return nil, err
		}
		ax, err := axis(at, len(in[0].Dims))
		if err != nil {
			return nil, err
		}
		dims := slices.Concat(in[0].Dims[:ax], in[1].Dims, in[0].Dims[ax+1:])
		out, err := pick(in[0], in[1], ax, dims)
		return []*Tensor{out}, err
	}, nil
}

// extract is ArrayFeatureExtractor: it picks along the last axis.
func extract(*node) (op, error) {
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 2); err != nil {
			return nil, err
		}
		rank := len(in[0].Dims)
		if rank == 0 {
			return nil, errors.New("a scalar has no columns")
		}
		dims := slices.Concat(in[0].Dims[:rank-1], []int{in[1].len()})
		if rank == 1 {
			dims = []int{1, in[1].len()}
		}
		out, err := pick(in[0], in[1], rank-1, dims)
		return []*Tensor{out}, err
	}, nil
}

// pick copies the elements of x that an index along an axis asks for.
func pick(x, which *Tensor, ax int, dims []int) (*Tensor, error) {
	if _, err := size(dims); err != nil {
		return nil, err
	}
	if which.text() {
		return nil, errors.New("text is no index")
	}
	out := &Tensor{Type: x.Type, Dims: dims}
	outer, along, inner := around(x.Dims, ax)
	for o := range outer {
		for _, v := range which.F {
			i, err := integer(v)
			if err == nil {
				i, err = axis(int64(i), along)
			}
			if err != nil {
				return nil, err
			}
			from := (o*along + i) * inner
			if x.text() {
				out.S = append(out.S, x.S[from:from+inner]...)
			} else {
				out.F = append(out.F, x.F[from:from+inner]...)
			}
		}
	}
	return out, nil
}
