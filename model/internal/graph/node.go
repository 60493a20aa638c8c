package graph

import (
	"errors"
	"fmt"

	"mlids/model/internal/onnx"
)

// node is an operator while it is prepared.
type node struct {
	*onnx.Node
	constants []*Tensor // inputs that do not change, nil for the others
	trees     func(*onnx.Node) (Trees, error)
}

// maker prepares an operator: what its attributes ask for is checked now, once.
type maker func(n *node) (op, error)

type opName struct{ domain, op string }

// int returns an integer attribute.
func (n *node) int(name string, otherwise int64) int64 {
	if a := n.Attr(name); a != nil {
		return a.I
	}
	return otherwise
}

func (n *node) float(name string, otherwise float32) float64 {
	if a := n.Attr(name); a != nil {
		return float64(a.F)
	}
	return float64(otherwise)
}

func (n *node) string(name, otherwise string) string {
	if a := n.Attr(name); a != nil {
		return a.S
	}
	return otherwise
}

func (n *node) floats(name string) []float64 {
	a := n.Attr(name)
	if a == nil {
		return nil
	}
	out := make([]float64, len(a.Floats))
	for i, v := range a.Floats {
		out[i] = float64(v)
	}
	return out
}

func (n *node) ints(name string) []int64 {
	if a := n.Attr(name); a != nil {
		return a.Ints
	}
	return nil
}

func (n *node) strings(name string) []string {
	if a := n.Attr(name); a != nil {
		return a.Strings
	}
	return nil
}

// one wraps an operator of one number tensor that gives one.
func one(f func(x *Tensor) (*Tensor, error)) op {
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		x, err := first(in)
		if err != nil {
			return nil, err
		}
		y, err := f(x)
		return []*Tensor{y}, err
	}
}

// first is the first input, which must be numbers.
func first(in []*Tensor) (*Tensor, error) {
	if len(in) == 0 || in[0] == nil {
		return nil, errors.New("no input")
	}
	if in[0].text() {
		return nil, errors.New("text where numbers are wanted")
	}
	return in[0], nil
}

// wanted tells that there are not enough inputs.
func wanted(in []*Tensor, n int) error {
	for i := range n {
		if i >= len(in) || in[i] == nil {
			return fmt.Errorf("wanted %d inputs", n)
		}
	}
	return nil
}
