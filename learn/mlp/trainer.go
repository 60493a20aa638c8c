package mlp

import (
	"context"
	"math"
	"math/rand/v2"
	"sort"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/model"
)

func normal(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x171)) }

// shardRows is the number of rows of a batch whose gradients are summed together. It is fixed, so that rounding does not
// depend on the number of cores.
const shardRows = 32

// trainer is the state between two steps.
type trainer struct {
	cfg     *Config
	net     *model.Network
	best    *model.Network
	x       *dense.Matrix
	class   []int32
	chances []float64 // cumulative, of the rows
	drawn   []float64 // by class: how much more often it is drawn than it occurs
	rand    *rand.Rand
	adam    []adam // of each layer
	shards  []*shard
	steps   int

	held      *dense.Matrix
	heldClass []int32
	heldSet   *dataset.Set
}

func newTrainer(c *Config, train, valid *dataset.Set) *trainer {
	outputs := len(train.Classes)
	if outputs == 2 {
		outputs = 1
	}
	t := &trainer{cfg: c, net: newNetwork(c, train, outputs), class: train.Class, rand: normal(c.Seed + 1), heldClass: valid.Class, heldSet: valid}
	t.x, t.held = dense.Scale(train, &t.net.Scaler), dense.Scale(valid, &t.net.Scaler)
	t.weigh(train)
	for i := range t.net.Layers {
		t.adam = append(t.adam, newAdam(len(t.net.Layers[i].Weights), len(t.net.Layers[i].Bias)))
	}
	for range (c.Batch + shardRows - 1) / shardRows {
		t.shards = append(t.shards, newShard(t.net))
	}
	return t
}

// weigh finds the rows' chances to be drawn.
func (t *trainer) weigh(s *dataset.Set) {
	weight := data.ClassWeights(s)
	total := 0.0
	for _, w := range weight {
		total += w
	}
	t.drawn = make([]float64, len(weight))
	for k, w := range weight {
		t.drawn[k] = 1
		if w > 0 {
			t.drawn[k] = math.Pow(total/(float64(len(weight))*w), t.cfg.Balance)
		}
	}
	sum := 0.0
	t.chances = make([]float64, s.Len())
	for i, c := range s.Class {
		sum += data.Weight(s, i) * t.drawn[c]
		t.chances[i] = sum
	}
}

func (t *trainer) draw() int {
	at := t.rand.Float64() * t.chances[len(t.chances)-1]
	return min(sort.SearchFloat64s(t.chances, at), len(t.chances)-1)
}

// epoch takes as many steps as there are batches in the rows.
func (t *trainer) epoch(ctx context.Context, number int) error {
	rows := make([]int, min(t.cfg.Batch, t.x.Rows))
	batches := max(t.x.Rows/len(rows), 1)
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range rows {
			rows[i] = t.draw()
		}
		done := (float64(number) + float64(b)/float64(batches)) / float64(t.cfg.Epochs)
		t.step(rows, t.cfg.LearningRate*(0.02+0.98*(1+math.Cos(math.Pi*done))/2))
	}
	return nil
}

// step moves the weights against the gradient of a batch.
func (t *trainer) step(rows []int, rate float64) {
	shards := (len(rows) + shardRows - 1) / shardRows
	seed := t.rand.Uint64()
	dense.Each(shards, func(i int) {
		t.shards[i].run(t, rows[i*shardRows:min((i+1)*shardRows, len(rows))], seed+uint64(i))
	})
	t.steps++
	first := t.shards[0]
	for i := range t.net.Layers {
		l := &t.net.Layers[i]
		for _, s := range t.shards[1:shards] {
			dense.Axpy(first.weights[i], s.weights[i], 1)
			dense.Axpy(first.bias[i], s.bias[i], 1)
		}
		t.adam[i].move(l, first.weights[i], first.bias[i], float32(1/float64(len(rows))), rate, rate*t.cfg.WeightDecay, t.steps)
	}
}

// keep remembers the network as the best so far.
func (t *trainer) keep() { t.best = corrected(t.net, t.drawn) }

// validate is the mean log loss on the validation rows.
func (t *trainer) validate() float64 {
	net := corrected(t.net, t.drawn)
	last := &net.Layers[len(net.Layers)-1]
	sums := make([][2]float64, (t.held.Rows+255)/256)
	dense.Each(len(sums), func(b int) {
		lo, hi := b*256, min((b+1)*256, t.held.Rows)
		x := t.held.Data[lo*t.held.Cols : hi*t.held.Cols]
		for i := range net.Layers {
			y := make([]float32, (hi-lo)*net.Layers[i].Out)
			dense.Forward(y, x, &net.Layers[i])
			x = y
		}
		for i := lo; i < hi; i++ {
			w := data.Weight(t.heldSet, i)
			sums[b][0] += w * lossOf(x[(i-lo)*last.Out:(i-lo+1)*last.Out], int(t.heldClass[i]))
			sums[b][1] += w
		}
	})
	loss, weight := 0.0, 0.0
	for _, s := range sums {
		loss, weight = loss+s[0], weight+s[1]
	}
	return loss / max(weight, math.SmallestNonzeroFloat64)
}

// lossOf is the log loss of one row's margins.
func lossOf(margin []float32, class int) float64 {
	if len(margin) == 1 {
		m := float64(margin[0])
		if class == 1 {
			m = -m
		}
		return max(m, 0) + math.Log1p(math.Exp(-math.Abs(m)))
	}
	top := margin[0]
	for _, m := range margin {
		top = max(top, m)
	}
	sum := 0.0
	for _, m := range margin {
		sum += math.Exp(float64(m - top))
	}
	return math.Log(sum) + float64(top-margin[class])
}
