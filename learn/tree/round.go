package tree

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/model"
)

// round grows one tree per output on the derivatives of the margins as they stand.
func (b *booster) round(number int) {
	r := rand.New(rand.NewPCG(b.cfg.Seed, uint64(number)))
	bag := r.Uint64()
	chunks(b.t.rows, b.grower.workers, func(_, lo, hi int) { b.objective.prepare(lo, hi) })
	for k := range b.margins {
		if !b.derive(k, bag) {
			continue // nothing left to gain
		}
		b.grower.columns = sample(r, len(b.t.columns), b.share())
		copy(b.grower.rows, b.all)
		b.grower.grow()
		b.keep(k)
	}
	b.ends = append(b.ends, len(b.forest.Trees))
	if b.valid == nil {
		return
	}
	b.curve = append(b.curve, b.valid.mean(b.grower.workers))
	if number == 1 || b.curve[number-1] < b.curve[b.top-1] {
		b.top = number
	}
}

// share is the part of the inputs that a tree may use.
func (b *booster) share() float64 {
	switch {
	case b.cfg.Columns > 0:
		return b.cfg.Columns
	case len(b.margins) == 1:
		return 0.5
	}
	return 1
}

// sample picks a share of n columns, at least one, in their order.
func sample(r *rand.Rand, n int, share float64) []int {
	picked := r.Perm(n)[:max(1, int(math.Ceil(share*float64(n))))]
	slices.Sort(picked)
	return picked
}

// blockRows is the number of rows whose sums are taken together, so that rounding does not depend on who sums them.
const blockRows = 4096

// derive fills in the rows' pairs for one output, on a grid that is as fine as their sums allow. It reports whether any
// row pulls at all.
func (b *booster) derive(output int, bag uint64) bool {
	blocks := (b.t.rows + blockRows - 1) / blockRows
	sums := make([][2]float64, blocks)
	b.eachBlock(func(i, lo, hi int) {
		b.objective.derive(b.g, b.h, output, lo, hi)
		b.thin(bag, lo, hi)
		for r := lo; r < hi; r++ {
			sums[i][0] += math.Abs(float64(b.g[r]))
			sums[i][1] += float64(b.h[r])
		}
	})
	g, h := 0.0, 0.0
	for _, s := range sums {
		g, h = g+s[0], h+s[1]
	}
	if !(g > 0) || !(h > 0) {
		return false
	}
	perG, perH := (1<<30)/g, (1<<31)/h
	b.grower.score.g, b.grower.score.h = 1/perG, 1/perH
	b.grower.score.atLeast(b.cfg.MinChild)
	b.eachBlock(func(_, lo, hi int) {
		for r := lo; r < hi; r++ {
			up := int64(float64(b.g[r])*perG+(1<<31+0.5)) - 1<<31
			b.grower.pairs[r] = up<<32 + int64(float64(b.h[r])*perH+0.5)
		}
	})
	return true
}

// thin takes rows out of this round, by a random number that depends on the row alone.
func (b *booster) thin(bag uint64, lo, hi int) {
	if b.cfg.Rows == 1 {
		return
	}
	for r := lo; r < hi; r++ {
		if float64(data.Mix(bag+uint64(r))>>11)/(1<<53) >= b.cfg.Rows {
			b.g[r], b.h[r] = 0, 0
		}
	}
}

// eachBlock shares blocks of rows between the workers.
func (b *booster) eachBlock(work func(i, lo, hi int)) {
	var next atomic.Int64
	parallel(b.grower.workers, func(int) {
		for i := int(next.Add(1)) - 1; i*blockRows < b.t.rows; i = int(next.Add(1)) - 1 {
			work(i, i*blockRows, min((i+1)*blockRows, b.t.rows))
		}
	})
}

// keep adds the grown tree to the forest and its leaves to the margins.
func (b *booster) keep(output int) {
	g := &b.grower
	t := model.Tree{Output: int32(output), Nodes: slices.Clone(g.nodes), Values: make([]float64, len(g.grown))}
	var next atomic.Int64
	parallel(g.workers, func(int) {
		for i := int(next.Add(1)) - 1; i < len(g.grown); i = int(next.Add(1)) - 1 {
			l := &g.grown[i]
			v := single(b.cfg.LearningRate * g.score.leaf(l.total))
			t.Values[i] = v
			cover, margins := 0.0, b.margins[output]
			for _, r := range g.rows[l.lo:l.hi] {
				margins[r] += v
				cover += b.t.weight[r]
			}
			t.Nodes[l.node].Cover = cover
		}
	})
	settle(t.Nodes, g.unsure)
	b.forest.Trees = append(b.forest.Trees, t)
	if b.valid != nil {
		b.valid.add(&t, output, g.workers)
	}
}

// settle sums the covers of inner nodes, and sends missing values where most rows went if training saw none.
func settle(nodes []model.Node, unsure []int) {
	for i := len(nodes) - 1; i >= 0; i-- {
		if n := &nodes[i]; n.Feature >= 0 {
			n.Cover = nodes[n.Left].Cover + nodes[n.Right].Cover
		}
	}
	for _, i := range unsure {
		n := &nodes[i]
		n.MissingLeft = nodes[n.Left].Cover >= nodes[n.Right].Cover
	}
}

// exhausted reports whether more rounds are of no use.
func (b *booster) exhausted(done int) bool {
	if before := append([]int{0}, b.ends...); before[done] == before[done-1] {
		return true // every row is certain already
	}
	return b.valid != nil && b.cfg.Patience > 0 && done-b.top >= b.cfg.Patience
}

// loss is the validation loss after the latest round.
func (b *booster) loss() float64 {
	if len(b.curve) == 0 {
		return math.NaN()
	}
	return b.curve[len(b.curve)-1]
}

// best is the forest up to the round with the least validation loss.
func (b *booster) best() *model.Forest {
	if b.valid != nil {
		b.forest.Trees = b.forest.Trees[:b.ends[b.top-1]]
	}
	return b.forest
}

// held is the validation set with its margins.
type held struct {
	set     *dataset.Set
	margins [][]float64
	loss    loss
	weight  float64
}

func newHeld(f *model.Forest, s *dataset.Set) *held {
	v := &held{set: s}
	weight := make([]float64, s.Len())
	for i := range weight {
		weight[i] = data.Weight(s, i)
		v.weight += weight[i]
	}
	v.margins, v.loss = newLoss(f, s.Class, weight)
	return v
}

// add adds a tree's leaves to the margins.
func (v *held) add(t *model.Tree, output, workers int) {
	margins := v.margins[output]
	chunks(v.set.Len(), workers, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			margins[i] += t.Values[leafOf(t.Nodes, v.set.X, i)]
		}
	})
}

// leafOf is the index of the first value of the leaf that a row falls in.
func leafOf(nodes []model.Node, x [][]float32, row int) int32 {
	n := &nodes[0]
	for n.Feature >= 0 {
		if v := x[n.Feature][row]; v <= n.Threshold || v != v && n.MissingLeft {
			n = &nodes[n.Left]
		} else {
			n = &nodes[n.Right]
		}
	}
	return n.Left
}

// mean is the weighted mean loss.
func (v *held) mean(workers int) float64 {
	n := v.set.Len()
	sums := make([]float64, (n+blockRows-1)/blockRows)
	chunks(len(sums), workers, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			from, to := i*blockRows, min((i+1)*blockRows, n)
			v.loss.prepare(from, to)
			sums[i] = v.loss.value(from, to)
		}
	})
	sum := 0.0
	for _, s := range sums {
		sum += s
	}
	return sum / v.weight
}
