package graph

import (
	"fmt"
	"math"
	"slices"

	"mlids/model/internal/onnx"
)

// reduction makes an operator that folds dimensions: start, then f for every element, then finish with their number.
func reduction(start float64, f func(sum, v float64) float64, finish func(sum float64, n int) float64) maker {
	return func(n *node) (op, error) {
		keep := n.int("keepdims", 1) != 0
		return func(_ *call, in []*Tensor) ([]*Tensor, error) {
			x, err := first(in)
			if err != nil {
				return nil, err
			}
			fold, err := axes(n, in, len(x.Dims))
			if err != nil {
				return nil, err
			}
			stretched, kept := shapes(x.Dims, fold, keep)
			y, err := numbers(x.Type, stretched...)
			if err != nil {
				return nil, err
			}
			for i := range y.F {
				y.F[i] = start
			}
			at := newIndex(stretched, x.Dims)
			for _, v := range x.F {
				i := at.next()
				y.F[i] = f(y.F[i], v)
			}
			for i, sum := range y.F {
				y.F[i] = finish(sum, len(x.F)/max(1, len(y.F)))
			}
			out, err := y.round().view(kept...)
			return []*Tensor{out}, err
		}, nil
	}
}

// shapes are those of a reduction's result: with ones in place of what is folded, and as it is given out.
func shapes(dims, fold []int, keep bool) (stretched, kept []int) {
	for i, d := range dims {
		if len(fold) == 0 || slices.Contains(fold, i) {
			stretched = append(stretched, 1)
			if keep {
				kept = append(kept, 1)
			}
			continue
		}
		stretched, kept = append(stretched, d), append(kept, d)
	}
	return stretched, kept
}

func whole(sum float64, _ int) float64 { return sum }

// extreme is ArgMax or ArgMin: the place of the first best element along an axis.
func extreme(better func(a, b float64) bool) maker {
	return func(n *node) (op, error) {
		at, keep := n.int("axis", 0), n.int("keepdims", 1) != 0
		return one(func(x *Tensor) (*Tensor, error) {
			ax, err := axis(at, len(x.Dims))
			if err != nil {
				return nil, err
			}
			stretched, kept := shapes(x.Dims, []int{ax}, keep)
			y, err := numbers(onnx.Int64, stretched...)
			if err != nil {
				return nil, err
			}
			outer, along, inner := around(x.Dims, ax)
			for o := range outer {
				for i := range inner {
					best := 0
					for a := 1; a < along; a++ {
						if better(x.F[(o*along+a)*inner+i], x.F[(o*along+best)*inner+i]) {
							best = a
						}
					}
					y.F[o*inner+i] = float64(best)
				}
			}
			return y.view(kept...)
		}), nil
	}
}

// softmax works along the last axis; files that ask for another one are refused when they run.
func softmax(n *node) (op, error) {
	at := n.int("axis", -1)
	return one(func(x *Tensor) (*Tensor, error) {
		if ax, err := axis(at, len(x.Dims)); err != nil || ax != len(x.Dims)-1 {
			return nil, fmt.Errorf("softmax along axis %d of shape %v: %w", at, x.Dims, ErrOperator)
		}
		y := like(x)
		_, width := x.rows()
		for from := 0; width > 0 && from < len(x.F); from += width {
			softmaxRow(y.F[from:from+width], x.F[from:from+width])
		}
		return y.round(), nil
	}), nil
}

func softmaxRow(dst, row []float64) {
	top, sum := slices.Max(row), 0.0
	for i, v := range row {
		dst[i] = math.Exp(v - top)
		sum += dst[i]
	}
	for i := range dst {
		dst[i] /= sum
	}
}
