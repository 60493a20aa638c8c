package mlp

import (
	"math"

	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/model"
)

// shard holds what one part of a batch needs on its way forth and back.
type shard struct {
	out           [][]float32 // out[0] the rows, out[i+1] what layer i gives
	delta         [][]float32 // derivative of the loss by out
	weights, bias [][]float32 // derivative of the loss by the layers
}

func newShard(n *model.Network) *shard {
	s := &shard{}
	s.out = append(s.out, make([]float32, shardRows*n.Layers[0].In))
	s.delta = append(s.delta, nil)
	for _, l := range n.Layers {
		s.out = append(s.out, make([]float32, shardRows*l.Out))
		s.delta = append(s.delta, make([]float32, shardRows*l.Out))
		s.weights = append(s.weights, make([]float32, len(l.Weights)))
		s.bias = append(s.bias, make([]float32, len(l.Bias)))
	}
	return s
}

// run finds the derivatives for rows.
func (s *shard) run(t *trainer, rows []int, seed uint64) {
	in := t.x.Cols
	for i, r := range rows {
		copy(s.out[0][i*in:(i+1)*in], t.x.Row(r))
	}
	layers := t.net.Layers
	for i := range layers {
		l := &layers[i]
		dense.Forward(s.out[i+1][:len(rows)*l.Out], s.out[i][:len(rows)*l.In], l)
		if i+1 < len(layers) {
			drop(s.out[i+1][:len(rows)*l.Out], t.cfg.Dropout, seed+uint64(i)<<40)
		}
	}
	last := len(layers)
	for i, r := range rows {
		k := layers[last-1].Out
		derive(s.delta[last][i*k:(i+1)*k], s.out[last][i*k:(i+1)*k], int(t.class[r]))
	}
	for i := last - 1; i >= 0; i-- {
		s.back(&layers[i], i, len(rows), float32(1/(1-t.cfg.Dropout)))
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

// back goes back through layer i: the derivatives by its weights, and by what went in, where units that were not left out
// had been scaled up.
func (s *shard) back(l *model.Layer, i, rows int, scale float32) {
	clear(s.weights[i])
	clear(s.bias[i])
	for r := range rows {
		x, delta := s.out[i][r*l.In:(r+1)*l.In], s.delta[i+1][r*l.Out:(r+1)*l.Out]
		for o, d := range delta {
			if d != 0 {
				s.bias[i][o] += d
				dense.Axpy(s.weights[i][o*l.In:(o+1)*l.In], x, d)
			}
		}
		if i == 0 {
			continue
		}
		before := s.delta[i][r*l.In : (r+1)*l.In]
		clear(before)
		for o, d := range delta {
			if d != 0 {
				dense.Axpy(before, l.Weights[o*l.In:(o+1)*l.In], d)
			}
		}
		for j, v := range x {
			if before[j] *= scale; v == 0 { // the unit was at rest, or left out
				before[j] = 0
			}
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
