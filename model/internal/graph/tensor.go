package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"mlids/model/internal/onnx"
)

// Tensor is a value while a graph runs. Numbers of every type are kept as float64, and rounded to Type after each
// operation.
type Tensor struct {
	Type int64 // as in package onnx
	Dims []int
	F    []float64 // numbers, row by row
	S    []string  // of type onnx.Text instead
}

// maxElements bounds what one tensor may hold.
const maxElements = 1 << 24

var errTooLarge = fmt.Errorf("a tensor would have more than %d elements", maxElements)

// size is the number of elements of a shape.
func size(dims []int) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("shape %v", dims)
		}
		if d > maxElements || n*d > maxElements {
			return 0, errTooLarge
		}
		n *= d
	}
	return n, nil
}

// numbers makes a tensor of zeros.
func numbers(elem int64, dims ...int) (*Tensor, error) {
	n, err := size(dims)
	if err != nil {
		return nil, err
	}
	return &Tensor{Type: elem, Dims: slices.Clone(dims), F: make([]float64, n)}, nil
}

// like makes a tensor of the same type and shape.
func like(t *Tensor) *Tensor {
	return &Tensor{Type: t.Type, Dims: slices.Clone(t.Dims), F: make([]float64, len(t.F))}
}

func (t *Tensor) text() bool { return t.Type == onnx.Text }

func (t *Tensor) len() int {
	if t.text() {
		return len(t.S)
	}
	return len(t.F)
}

// round brings the numbers to the precision of the type.
func (t *Tensor) round() *Tensor {
	if t.Type == onnx.Float32 {
		for i, v := range t.F {
			t.F[i] = float64(float32(v))
		}
	}
	return t
}

// view is t in another shape of as many elements.
func (t *Tensor) view(dims ...int) (*Tensor, error) {
	n, err := size(dims)
	if err != nil {
		return nil, err
	}
	if n != t.len() {
		return nil, fmt.Errorf("shape %v for %d elements", dims, t.len())
	}
	return &Tensor{Type: t.Type, Dims: dims, F: t.F, S: t.S}, nil
}

// matrix is rows and columns of a tensor of two dimensions; one of one dimension is a row.
func (t *Tensor) matrix() (rows, columns int, err error) {
	switch {
	case t.text():
		return 0, 0, errors.New("text where numbers are wanted")
	case len(t.Dims) == 1:
		return 1, t.Dims[0], nil
	case len(t.Dims) == 2:
		return t.Dims[0], t.Dims[1], nil
	}
	return 0, 0, fmt.Errorf("shape %v, wanted two dimensions", t.Dims)
}

// rows is t as it appears along its last dimension: how many runs of what length.
func (t *Tensor) rows() (n, width int) {
	if len(t.Dims) == 0 {
		return 1, 1
	}
	width = t.Dims[len(t.Dims)-1]
	n = 1
	for _, d := range t.Dims[:len(t.Dims)-1] {
		n *= d
	}
	return n, width
}

// axis makes a negative axis count from the end.
func axis(a int64, rank int) (int, error) {
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, fmt.Errorf("axis %d of %d", a, rank)
	}
	return int(a), nil
}

// around parts a shape at an axis: elements before, along and after it.
func around(dims []int, at int) (outer, along, inner int) {
	outer, inner = 1, 1
	for i, d := range dims {
		switch {
		case i < at:
			outer *= d
		case i > at:
			inner *= d
		}
	}
	return outer, dims[at], inner
}

// constant makes a tensor of what a file holds.
func constant(t *onnx.Tensor) (*Tensor, error) {
	out := &Tensor{Type: t.Type, S: t.Strings}
	for _, d := range t.Dims {
		out.Dims = append(out.Dims, int(d))
	}
	switch t.Type {
	case onnx.Float32:
		for _, v := range t.Floats {
			out.F = append(out.F, float64(v))
		}
	case onnx.Double:
		out.F = t.Doubles
	default:
		for _, v := range t.Ints {
			out.F = append(out.F, float64(v))
		}
	}
	if n, err := size(out.Dims); err != nil || n != out.len() {
		return nil, fmt.Errorf("constant %q: %d elements for shape %v", t.Name, out.len(), t.Dims)
	}
	return out, nil
}

// integer is v cut to a whole number that an index can be.
func integer(v float64) (int, error) {
	if math.IsNaN(v) || math.Abs(v) > maxElements {
		return 0, fmt.Errorf("%v is no index", v)
	}
	return int(v), nil
}
