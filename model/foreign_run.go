package model

import (
	"errors"
	"fmt"
	"math"

	"mlids/model/internal/graph"
	"mlids/model/internal/onnx"
)

// margins runs the graph, a block of rows at a time. Unlike the engines of our own models it allocates.
func (p *program) margins(dst []float64, rows []float32, _ *scratch) error {
	inputs, outputs, _ := p.shape()
	for len(rows) > 0 {
		n := min(len(rows)/inputs, block)
		y, err := p.output(rows[:n*inputs], n)
		if err != nil {
			return err
		}
		if len(y) != n*p.width {
			return fmt.Errorf("%d results for %d rows of %d", len(y), n, p.width)
		}
		for i := range n {
			p.arrange(dst[i*outputs:(i+1)*outputs], y[i*p.width:(i+1)*p.width])
		}
		dst, rows = dst[n*outputs:], rows[n*inputs:]
	}
	return nil
}

// arrange puts one row of results in the order of the model's classes.
func (p *program) arrange(dst, y []float64) {
	switch {
	case p.link == Logistic:
		dst[0] = y[p.width-1]
		if len(p.order) == 2 && p.order[0] == 1 {
			dst[0] = -dst[0]
		}
	case p.width == 1:
		positive := 1
		if len(p.order) == 2 {
			positive = p.order[1]
		}
		dst[positive], dst[1-positive] = y[0], 1-y[0]
	case len(p.order) == len(dst):
		for k, from := range p.order {
			dst[k] = y[from]
		}
	default:
		copy(dst, y)
	}
}

// output runs the graph on n rows.
func (p *program) output(rows []float32, n int) ([]float64, error) {
	width, _, _ := p.shape()
	feed := make(map[string]*graph.Tensor, len(p.inputs))
	at := 0
	for i := range p.inputs {
		in := &p.inputs[i]
		if in.elem == onnx.Text {
			feed[in.name] = in.words(rows, n, width, at)
			at += len(in.categories)
		} else {
			feed[in.name] = in.numbers(rows, n, width, at)
			at += in.width
		}
	}
	y, err := p.Run(feed)
	if err != nil {
		return nil, err
	}
	if y.Type == onnx.Text {
		return nil, errors.New("the output is text, wanted probabilities")
	}
	return y.F, nil
}

// numbers takes an input's columns out of the rows.
func (in *graphInput) numbers(rows []float32, n, width, at int) *graph.Tensor {
	t := &graph.Tensor{Type: in.elem, Dims: []int{n, in.width}, F: make([]float64, n*in.width)}
	for i := range n {
		for j, v := range rows[i*width+at : i*width+at+in.width] {
			if in.elem != onnx.Float32 && in.elem != onnx.Double {
				v = float32(math.Trunc(float64(v))) // what is missing stays so
			}
			t.F[i*in.width+j] = float64(v)
		}
	}
	return t
}

// words turns a row's indicators back into the text they stand for; "" when none is set.
func (in *graphInput) words(rows []float32, n, width, at int) *graph.Tensor {
	t := &graph.Tensor{Type: onnx.Text, Dims: []int{n, 1}, S: make([]string, n)}
	for i := range n {
		for j, c := range in.categories {
			if rows[i*width+at+j] > 0.5 {
				t.S[i] = c
				break
			}
		}
	}
	return t
}
