package mlp

import (
	"context"
	"math"
	"math/rand/v2"
	"sort"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/learn/internal/gemm"
	"mlids/model"
)

func normal(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x171)) }

// shardRows is the number of rows of a batch whose gradients are summed together. It is fixed, so that rounding does not
// depend on the number of cores.
const shardRows = 32

// trainer is the state between two steps.
type trainer struct {
	cfg     *Config
	scaler  model.Scaler
	layers  []*dense.Packed
	flipped [][]float32 // weights of each layer output by output, for the way back
	best    *model.Network
	x       *dense.Matrix
	class   []int32
	chances []float64 // cumulative, of the rows
	drawn   []float64 // by class: how much more often it is drawn than it occurs
	rand    *rand.Rand
	adam    []adam // of each layer
	shards  []*shard
	steps   int

	held    *dense.Matrix
	heldSet *dataset.Set
}

func newTrainer(c *Config, train, valid *dataset.Set) *trainer {
	outputs := len(train.Classes)
	if outputs == 2 {
		outputs = 1
	}
	t := &trainer{cfg: c, scaler: dense.FitScaler(train, c.Log), class: train.Class, rand: normal(c.Seed + 1), heldSet: valid}
	t.x, t.held = dense.Scale(train, &t.scaler), dense.Scale(valid, &t.scaler)
	t.layers = newLayers(c, len(train.X), outputs)
	t.weigh(train)
	for _, l := range t.layers {
		t.adam = append(t.adam, newAdam(len(l.Weights), len(l.Bias)))
		t.flipped = append(t.flipped, make([]float32, l.Out*gemm.Pad(l.In)))
	}
	t.flip()
	for range (c.Batch + shardRows - 1) / shardRows {
		t.shards = append(t.shards, newShard(t.layers))
	}
	return t
}

// flip renews the weights for the way back.
func (t *trainer) flip() {
	for i, l := range t.layers[1:] {
		stride := gemm.Pad(l.In)
		for j := range l.In {
			for o, w := range l.Weights[j*l.Width:][:l.Out] {
				t.flipped[i+1][o*stride+j] = w
			}
		}
	}
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
		t.shards[i].run(t, rows[i*shardRows:min((i+1)*shardRows, len(rows))], data.Mix(seed+uint64(i)))
	})
	t.steps++
	first := t.shards[0]
	for i, l := range t.layers {
		for _, s := range t.shards[1:shards] {
			sum(first.weights[i], s.weights[i])
			sum(first.bias[i], s.bias[i])
		}
		t.adam[i].move(l, first.weights[i], first.bias[i], float32(1/float64(len(rows))), rate, rate*t.cfg.WeightDecay, t.steps)
	}
	t.flip()
}

func sum(to, from []float32) {
	from = from[:len(to)]
	for i := range to {
		to[i] += from[i]
	}
}

// shift is what makes up, at each margin, for the classes having been drawn more or less often than they occur.
func (t *trainer) shift() []float32 {
	if len(t.drawn) == 2 {
		return []float32{float32(-math.Log(t.drawn[1] / t.drawn[0]))}
	}
	out := make([]float32, len(t.drawn))
	for k, d := range t.drawn {
		out[k] = float32(-math.Log(d))
	}
	return out
}

// keep remembers the network as the best so far.
func (t *trainer) keep() {
	t.best = &model.Network{Scaler: t.scaler, Link: model.Softmax}
	if len(t.drawn) == 2 {
		t.best.Link = model.Logistic
	}
	for _, l := range t.layers {
		t.best.Layers = append(t.best.Layers, l.Layer())
	}
	sum(t.best.Layers[len(t.layers)-1].Bias, t.shift())
}

// validate is the mean log loss on the validation rows.
func (t *trainer) validate() float64 {
	margins, shift := dense.Apply(t.held, t.layers...), t.shift()
	loss, weight := 0.0, 0.0
	for i, c := range t.heldSet.Class {
		w, row := data.Weight(t.heldSet, i), margins.Row(i)
		sum(row, shift)
		loss += w * lossOf(row, int(c))
		weight += w
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
