package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"mlids/model/internal/onnx"
)

// columns applies f to every number of a matrix, with the number of its column.
func columns(x *Tensor, f func(column int, v float64) float64) *Tensor {
	y := like(x)
	y.Type = onnx.Float32
	_, width := x.rows()
	for i, v := range x.F {
		y.F[i] = f(i%width, v)
	}
	return y.round()
}

// perColumn returns the element of a list for a column; a list of one is for all.
func perColumn(list []float64, column int) float64 {
	if len(list) == 1 {
		return list[0]
	}
	return list[column]
}

func fitsColumns(list []float64, x *Tensor) error {
	if _, width := x.rows(); len(list) != 1 && len(list) != width {
		return fmt.Errorf("%d values for %d columns", len(list), width)
	}
	return nil
}

func scaler(n *node) (op, error) {
	offset, scale := n.floats("offset"), n.floats("scale")
	return one(func(x *Tensor) (*Tensor, error) {
		if err := errors.Join(fitsColumns(offset, x), fitsColumns(scale, x)); err != nil {
			return nil, err
		}
		return columns(x, func(c int, v float64) float64 {
			return float64(float32(v-perColumn(offset, c))) * perColumn(scale, c)
		}), nil
	}), nil
}

func imputer(n *node) (op, error) {
	values := n.floats("imputed_value_floats")
	replaced := n.float("replaced_value_float", 0)
	if len(values) == 0 {
		values, replaced = widen(n.ints("imputed_value_int64s")), float64(n.int("replaced_value_int64", 0))
	}
	return one(func(x *Tensor) (*Tensor, error) {
		if err := fitsColumns(values, x); err != nil {
			return nil, err
		}
		return columns(x, func(c int, v float64) float64 {
			if v == replaced || math.IsNaN(v) && math.IsNaN(replaced) {
				return perColumn(values, c)
			}
			return v
		}), nil
	}), nil
}

func binarizer(n *node) (op, error) {
	threshold := n.float("threshold", 0)
	return one(func(x *Tensor) (*Tensor, error) {
		return columns(x, func(_ int, v float64) float64 { return truth(v > threshold) }), nil
	}), nil
}

// normalizer divides each row by its norm.
func normalizer(n *node) (op, error) {
	norms := map[string]func(row []float64) float64{
		"MAX": slices.Max[[]float64],
		"L1": func(row []float64) (sum float64) {
			for _, v := range row {
				sum += math.Abs(v)
			}
			return sum
		},
		"L2": func(row []float64) (sum float64) {
			for _, v := range row {
				sum += v * v
			}
			return math.Sqrt(sum)
		},
	}
	norm := norms[n.string("norm", "MAX")]
	if norm == nil {
		return nil, fmt.Errorf("norm %q: %w", n.string("norm", ""), ErrOperator)
	}
	return one(func(x *Tensor) (*Tensor, error) {
		y := like(x)
		y.Type = onnx.Float32
		_, width := x.rows()
		for from := 0; width > 0 && from < len(x.F); from += width {
			row := x.F[from : from+width]
			d := norm(row)
			if d == 0 {
				d = 1
			}
			for i, v := range row {
				y.F[from+i] = v / d
			}
		}
		return y.round(), nil
	}), nil
}

// oneHot gives each element a 1 in the place of its category; of another category all are 0.
func oneHot(n *node) (op, error) {
	words, numbersOf := n.strings("cats_strings"), n.ints("cats_int64s")
	byWord, byNumber := map[string]int{}, map[float64]int{}
	for i, w := range words {
		byWord[w] = i
	}
	for i, v := range numbersOf {
		byNumber[float64(v)] = i
	}
	width := max(len(words), len(numbersOf))
	return func(c *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 1); err != nil {
			return nil, err
		}
		x := in[0]
		y, err := numbers(onnx.Float32, slices.Concat(x.Dims, []int{width})...)
		if err != nil {
			return nil, err
		}
		c.tell(x, words)
		for i := range x.len() {
			var place int
			var known bool
			if x.text() {
				place, known = byWord[x.S[i]]
			} else {
				place, known = byNumber[math.Trunc(x.F[i])]
			}
			if known {
				y.F[i*width+place] = 1
			}
		}
		return []*Tensor{y}, nil
	}, nil
}

// tell reports the categories that texts are compared with.
func (c *call) tell(x *Tensor, categories []string) {
	if c.met == nil {
		return
	}
	for _, token := range x.S {
		c.met(token, categories)
	}
}

// vectorizer joins columns as floats.
func vectorizer(*node) (op, error) {
	return func(_ *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, max(1, len(in))); err != nil {
			return nil, err
		}
		out, err := joined(in, 1)
		if err == nil && !out[0].text() {
			out[0].Type = onnx.Float32
			out[0].round()
		}
		return out, err
	}, nil
}

// placesOf finds elements of a list; of equal ones the first.
func placesOf[T any, K comparable](list []T, key func(T) K) map[K]int {
	at := make(map[K]int, len(list))
	for i, v := range slices.Backward(list) {
		at[key(v)] = i
	}
	return at
}

// bitsOf is a key by which zeros are equal, and what is no number.
func bitsOf(v float64) uint64 {
	if math.IsNaN(v) {
		v = math.NaN()
	}
	return math.Float64bits(v + 0)
}

// labelEncoder replaces keys by values.
func labelEncoder(n *node) (op, error) {
	values := &Tensor{Type: onnx.Float32, F: n.floats("values_floats")}
	var otherwise float64
	switch {
	case n.Attr("values_strings") != nil:
		values = &Tensor{Type: onnx.Text, S: n.strings("values_strings")}
	case n.Attr("values_int64s") != nil:
		values = &Tensor{Type: onnx.Int64, F: widen(n.ints("values_int64s"))}
		otherwise = float64(n.int("default_int64", -1))
	default:
		otherwise = n.float("default_float", 0)
	}
	words, keys := n.strings("keys_strings"), append(widen(n.ints("keys_int64s")), n.floats("keys_floats")...)
	if max(len(words), len(keys)) != values.len() {
		return nil, fmt.Errorf("%d keys for %d values", max(len(words), len(keys)), values.len())
	}
	byWord, byNumber := placesOf(words, func(s string) string { return s }), placesOf(keys, bitsOf)
	return func(c *call, in []*Tensor) ([]*Tensor, error) {
		if err := wanted(in, 1); err != nil {
			return nil, err
		}
		x := in[0]
		c.tell(x, words)
		y := &Tensor{Type: values.Type, Dims: x.Dims}
		for i := range x.len() {
			var place int
			var known bool
			if x.text() {
				place, known = byWord[x.S[i]]
			} else {
				place, known = byNumber[bitsOf(x.F[i])]
			}
			switch {
			case values.text() && known:
				y.S = append(y.S, values.S[place])
			case values.text():
				y.S = append(y.S, n.string("default_string", "_Unused"))
			case known:
				y.F = append(y.F, values.F[place])
			default:
				y.F = append(y.F, otherwise)
			}
		}
		return []*Tensor{y}, nil
	}, nil
}
