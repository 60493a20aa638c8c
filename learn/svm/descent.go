package svm

import (
	"context"
	"math"
	"math/rand/v2"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
)

// problem is one class against the others, with the hinge loss. The bias is the weight of a last input that is always 1.
type problem struct {
	x        *dense.Matrix
	y        []float64 // 1 or -1
	most     []float64 // upper bound of alpha: the price of the row
	square   []float64 // |x|² + 1
	alpha    []float64
	w        []float64
	cfg      *Config
	rand     *rand.Rand
	progress func(done, of int)
}

func newProblem(c *Config, s *dataset.Set, x *dense.Matrix, positive int32) *problem {
	n := x.Rows
	p := &problem{x: x, cfg: c, y: make([]float64, n), most: make([]float64, n), square: make([]float64, n), alpha: make([]float64, n), w: make([]float64, x.Cols+1)}
	p.rand = rand.New(rand.NewPCG(c.Seed, uint64(positive)))
	var side [2]float64
	for i, class := range s.Class {
		p.y[i] = -1
		if class == positive {
			p.y[i] = 1
			side[1] += data.Weight(s, i)
		} else {
			side[0] += data.Weight(s, i)
		}
		p.square[i] = 1
		for _, v := range x.Row(i) {
			p.square[i] += float64(v) * float64(v)
		}
	}
	total := side[0] + side[1]
	for i := range p.y {
		of := side[0]
		if p.y[i] > 0 {
			of = side[1]
		}
		if w := data.Weight(s, i); w > 0 { // else its class may weigh nothing, which cannot be balanced
			p.most[i] = c.C * w * float64(n) / total * math.Pow(total/(2*of), c.Balance)
		}
	}
	return p
}

// solve passes over the rows in random order until none violates the optimum by more than the tolerance.
func (p *problem) solve(ctx context.Context) error {
	order := p.rand.Perm(p.x.Rows)
	for epoch := range p.cfg.Epochs {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		worst := 0.0
		for _, i := range order {
			worst = max(worst, p.update(i))
		}
		if p.progress != nil {
			p.progress(epoch+1, p.cfg.Epochs)
		}
		if worst < p.cfg.Tolerance {
			break
		}
	}
	return nil
}

// update solves the problem of one row's alpha, the others held, and returns by how much it was off.
func (p *problem) update(i int) float64 {
	row, y := p.x.Row(i), p.y[i]
	margin := p.w[len(row)]
	w := p.w[:len(row)]
	for j, v := range row {
		margin += w[j] * float64(v)
	}
	gradient := y*margin - 1
	old := p.alpha[i]
	if old == 0 && gradient >= 0 || old == p.most[i] && gradient <= 0 {
		return 0
	}
	p.alpha[i] = max(0, min(old-gradient/p.square[i], p.most[i]))
	step := (p.alpha[i] - old) * y
	if step == 0 {
		return 0
	}
	for j, v := range row {
		w[j] += step * float64(v)
	}
	p.w[len(row)] += step
	return math.Abs(gradient)
}
