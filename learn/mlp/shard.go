package mlp

import (
	"math"
	"slices"

	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/learn/internal/gemm"
)

// shard holds what one part of a batch needs on its way forth and back.
type shard struct {
	out           [][]float32 // out[0] the rows, out[i+1] what layer i gives
	delta         [][]float32 // derivative of the loss by out
	weights, bias [][]float32 // derivative of the loss by the layers
}

func newShard(layers []*dense.Packed) *shard {
	s := &shard{out: [][]float32{make([]float32, shardRows*gemm.Pad(layers[0].In))}, delta: [][]float32{nil}}
	for _, l := range layers {
		s.out = append(s.out, make([]float32, shardRows*l.Width))
		s.delta = append(s.delta, make([]float32, shardRows*l.Width))
		s.weights = append(s.weights, make([]float32, len(l.Weights)))
		s.bias = append(s.bias, make([]float32, len(l.Bias)))
	}
	return s
}

// run finds the derivatives for rows.
func (s *shard) run(t *trainer, rows []int, seed uint64) {
	stride := gemm.Pad(t.x.Cols)
	for i, r := range rows {
		copy(s.out[0][i*stride:], t.x.Row(r))
	}
	for i, l := range t.layers {
		l.Forward(s.out[i+1], s.out[i], gemm.Pad(l.In), len(rows))
		if i+1 < len(t.layers) {
			drop(s.out[i+1][:len(rows)*l.Width], t.cfg.Dropout, data.Mix(seed+uint64(i)))
		}
	}
	last := t.layers[len(t.layers)-1]
	for i, r := range rows {
		at := i * last.Width
		derive(s.delta[len(t.layers)][at:at+last.Out], s.out[len(t.layers)][at:at+last.Out], int(t.class[r]))
	}
	for i, l := range slices.Backward(t.layers) {
		s.back(l, i, len(rows))
		if i > 0 {
			s.through(l, t.flipped[i], i, len(rows), float32(1/(1-t.cfg.Dropout)))
		}
	}
}

// derive is the derivative of a row's log loss by its margins: probability less truth.
func derive(to, margin []float32, class int) {
	if len(margin) == 1 {
		to[0] = float32(1/(1+math.Exp(-float64(margin[0])))) - float32(class)
		return
	}
	top := margin[0]
	for _, m := range margin {
		top = max(top, m)
	}
	sum := float32(0)
	for k, m := range margin {
		to[k] = float32(math.Exp(float64(m - top)))
		sum += to[k]
	}
	for k := range to {
		to[k] /= sum
	}
	to[class]--
}

// back finds the derivatives by the weights of layer i.
func (s *shard) back(l *dense.Packed, i, rows int) {
	clear(s.weights[i])
	clear(s.bias[i])
	gemm.Add(gemm.Matrix{Data: s.weights[i], Row: l.Width, Col: 1}, gemm.Matrix{Data: s.out[i], Row: 1, Col: gemm.Pad(l.In)},
		gemm.Matrix{Data: s.delta[i+1], Row: l.Width, Col: 1}, l.In, l.Width, rows)
	for r := range rows {
		sum(s.bias[i], s.delta[i+1][r*l.Width:(r+1)*l.Width])
	}
}

// through finds the derivatives by what went into layer i: rectified units, of which those that were not left out had
// been scaled up.
func (s *shard) through(l *dense.Packed, flipped []float32, i, rows int, scale float32) {
	stride := gemm.Pad(l.In)
	before := s.delta[i][:rows*stride]
	clear(before)
	gemm.Add(gemm.Matrix{Data: before, Row: stride, Col: 1}, gemm.Matrix{Data: s.delta[i+1], Row: l.Width, Col: 1},
		gemm.Matrix{Data: flipped, Row: stride, Col: 1}, rows, stride, l.Out)
	for j, v := range s.out[i][:rows*stride] {
		if before[j] *= scale; v == 0 { // the unit was at rest, or left out
			before[j] = 0
		}
	}
}

// drop leaves a share of units out and scales up the others.
func drop(x []float32, share float64, seed uint64) {
	if share == 0 {
		return
	}
	scale := float32(1 / (1 - share))
	for i := range x {
		if float64(data.Mix(seed+uint64(i))>>11)/(1<<53) < share {
			x[i] = 0
		} else {
			x[i] *= scale
		}
	}
}
