package tree

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/model"
)

// ErrConfig is returned for a setting that makes no sense.
var ErrConfig = data.ErrConfig

// The criteria by which Config splits.
const (
	Gini    = "gini"
	Entropy = "entropy"
)

// Config is how a single decision tree is grown (Breiman et al., 1984): the split first that makes leaves purest.
type Config struct {
	Criterion string  `json:"criterion"` // Gini or Entropy
	Depth     int     `json:"depth"`     // at most; 0: no limit
	Leaves    int     `json:"leaves"`    // at most, at least 2; 0: 32,768
	MinLeaf   float64 `json:"min_leaf"`  // least weight of a leaf
	MinGain   float64 `json:"min_gain"`  // least impurity that a split takes away, as a share of the tree's weight
	Smooth    float64 `json:"smooth"`    // added to the weight of each class in a leaf; 1 is Laplace's rule of succession

	Progress func(leaves, of int) `json:"-"` // called now and then; may be nil
}

// DefaultTree is a tree of at most 12 levels with smoothed leaves.
func DefaultTree() Config {
	return Config{Criterion: Gini, Depth: 12, MinLeaf: 2, MinGain: 1e-7, Smooth: 1}
}

// Check returns ErrConfig with the first setting that is out of range.
func (c *Config) Check() error {
	if c.Criterion != Gini && c.Criterion != Entropy {
		return fmt.Errorf("%w: criterion is %q, want %q or %q", ErrConfig, c.Criterion, Gini, Entropy)
	}
	if c.Leaves == 1 {
		return fmt.Errorf("%w: leaves is 1, want 0 or at least 2", ErrConfig)
	}
	return data.InRange(
		data.Range("depth", float64(c.Depth), 0, 1<<10),
		data.Range("leaves", float64(c.Leaves), 0, 1<<15),
		data.Range("min_leaf", c.MinLeaf, 0, 1e12),
		data.Range("min_gain", c.MinGain, 0, 1),
		data.Range("smooth", c.Smooth, 0, 1e6),
	)
}

// Fit grows a tree whose leaves hold the probability of each class. The same data and settings give the same tree on any
// number of cores.
func (c Config) Fit(ctx context.Context, train *dataset.Set) (*model.Forest, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("decision tree: %w", err)
	}
	if err := data.Check(train, nil); err != nil {
		return nil, fmt.Errorf("decision tree: %w", err)
	}
	g := newCart(&c, newTable(train, runtime.GOMAXPROCS(0)), len(train.Classes))
	for len(g.grown) < g.leaves {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("decision tree: stopped at %d leaves: %w", len(g.grown), err)
		}
		i := g.next()
		if i < 0 {
			break
		}
		g.divide(i)
		if c.Progress != nil && len(g.grown)%64 == 0 {
			c.Progress(len(g.grown), g.leaves)
		}
	}
	return g.forest(len(train.X)), nil
}

// cart grows a tree from one histogram of weights per class.
type cart struct {
	grower
	cfg    *Config
	unit   float64 // weight of one unit in pairs
	counts [][]pair
	purity func(weight []float64) float64
}

func newCart(c *Config, t *table, classes int) *cart {
	g := &cart{cfg: c, purity: gini}
	g.grower = grower{t: t, workers: runtime.GOMAXPROCS(0), pool: pool{t: t}, leaves: c.Leaves, depth: c.Depth}
	if c.Criterion == Entropy {
		g.purity = entropy
	}
	if c.Leaves == 0 {
		g.leaves = 1 << 15
	}
	if c.Depth == 0 {
		g.depth = math.MaxInt
	}
	g.pairs, g.rows, g.spare = make([]pair, t.rows), make([]uint32, t.rows), make([]uint32, t.rows)
	total := 0.0
	for _, w := range t.weight {
		total += w
	}
	g.unit = total / (1 << 52)
	for r, w := range t.weight {
		g.pairs[r], g.rows[r] = pair(w/g.unit+0.5), uint32(r)
	}
	g.nodes = []model.Node{{Feature: -1}}
	g.add(leaf{hi: t.rows}, classes)
	return g
}

// add measures a new leaf, finds its best split, and appends it.
func (g *cart) add(l leaf, classes int) {
	byClass := make([][]uint32, classes)
	for _, r := range g.rows[l.lo:l.hi] {
		byClass[g.t.class[r]] = append(byClass[g.t.class[r]], r)
	}
	count, h := make([]pair, classes), make([]hist, classes)
	for k, rows := range byClass {
		for _, r := range rows {
			count[k] += g.pairs[r]
		}
		if len(rows) > 0 && l.depth < g.depth {
			h[k] = g.t.build(&g.pool, rows, g.pairs, count[k], g.workers)
		}
	}
	if l.depth < g.depth {
		l.best = g.best(h, count)
	}
	for _, part := range h {
		g.pool.put(part)
	}
	g.grown = append(g.grown, l)
	g.counts = append(g.counts, count)
}

// divide splits leaf i in two: the left one takes its place, the right one comes last.
func (g *cart) divide(i int) {
	parent, classes := g.grown[i], len(g.counts[i])
	mid := parent.lo + g.partition(&parent)
	at := len(g.nodes)
	g.nodes[parent.node] = g.node(&parent.best, int32(at))
	if parent.best.missing == either {
		g.unsure = append(g.unsure, parent.node)
	}
	g.nodes = append(g.nodes, model.Node{Feature: -1}, model.Node{Feature: -1})
	g.add(leaf{node: at, depth: parent.depth + 1, lo: parent.lo, hi: mid}, classes)
	last := len(g.grown) - 1
	g.grown[i], g.counts[i] = g.grown[last], g.counts[last]
	g.grown, g.counts = g.grown[:last], g.counts[:last]
	g.add(leaf{node: at + 1, depth: parent.depth + 1, lo: mid, hi: parent.hi}, classes)
}

// best finds the split that takes away most impurity.
func (g *cart) best(h []hist, count []pair) split {
	c := &classCut{cart: g, h: h, total: count, left: make([]pair, len(count)), l: make([]float64, len(count)), r: make([]float64, len(count))}
	for k, n := range count {
		c.l[k] = float64(n) * g.unit
	}
	whole := g.purity(c.l)
	c.top.gain = whole + g.cfg.MinGain*g.unit*(1<<52)
	floor := c.top.gain
	for i := range g.t.columns {
		c.scan(i)
	}
	if c.top.gain <= floor+math.Abs(floor)*1e-12 { // purity by entropy is below 0
		return split{}
	}
	c.top.gain -= whole
	return c.top
}

// classCut looks for the best split of one leaf.
type classCut struct {
	*cart
	h           []hist // by class; nil for a class without rows
	total, left []pair // weight of each class in the leaf, and left of the cut
	l, r        []float64
	top         split
}

// scan tries the cuts of one column: missing values go right, then left.
func (c *classCut) scan(column int) {
	col := &c.t.columns[column]
	last := len(col.edges)
	clear(c.left)
	if !col.missing || !c.any(col, last+1) {
		c.sweep(col, last, split{column: column})
		return
	}
	c.sweep(col, last+1, split{column: column, missing: right})
	clear(c.left)
	c.move(col, last+1)
	c.sweep(col, last, split{column: column, missing: left})
}

// any reports whether the leaf has rows in a bin.
func (c *classCut) any(col *column, bin int) bool {
	for _, h := range c.h {
		if h != nil && h[col.block][col.first+bin] != 0 {
			return true
		}
	}
	return false
}

// move moves a bin to the left side, and reports whether there was anything in it.
func (c *classCut) move(col *column, bin int) bool {
	moved := false
	for k, h := range c.h {
		if h == nil {
			continue
		}
		if v := h[col.block][col.first+bin]; v != 0 {
			c.left[k] += v
			moved = true
		}
	}
	return moved
}

func (c *classCut) sweep(col *column, bins int, found split) {
	for b := range bins {
		if !c.move(col, b) {
			continue
		}
		left, right := 0.0, 0.0
		for k, v := range c.left {
			c.l[k], c.r[k] = float64(v)*c.unit, float64(c.total[k]-v)*c.unit
			left, right = left+c.l[k], right+c.r[k]
		}
		if left < c.cfg.MinLeaf || right < c.cfg.MinLeaf || right == 0 {
			continue
		}
		if gain := c.purity(c.l) + c.purity(c.r); gain > c.top.gain {
			found.gain, found.bin = gain, b
			c.top = found
		}
	}
}

// gini is the weight of a leaf times the chance that two of its rows are of the same class.
func gini(weight []float64) float64 {
	sum, square := 0.0, 0.0
	for _, w := range weight {
		sum, square = sum+w, square+w*w
	}
	if sum == 0 {
		return 0
	}
	return square / sum
}

// entropy is the weight of a leaf times its negated entropy in bits.
func entropy(weight []float64) float64 {
	sum, bits := 0.0, 0.0
	for _, w := range weight {
		if w > 0 {
			sum, bits = sum+w, bits+w*math.Log2(w)
		}
	}
	if sum == 0 {
		return 0
	}
	return bits - sum*math.Log2(sum)
}

// forest is the grown tree with the classes' probabilities in its leaves.
func (g *cart) forest(inputs int) *model.Forest {
	classes := len(g.counts[0])
	t := model.Tree{Output: -1}
	for i := range g.grown {
		n := &g.nodes[g.grown[i].node]
		n.Left = int32(len(t.Values))
		for _, v := range g.counts[i] {
			n.Cover += float64(v) * g.unit
		}
		for _, v := range g.counts[i] {
			t.Values = append(t.Values, single((float64(v)*g.unit+g.cfg.Smooth)/(n.Cover+g.cfg.Smooth*float64(classes))))
		}
	}
	settle(g.nodes, g.unsure)
	t.Nodes = g.nodes
	return &model.Forest{Inputs: inputs, Outputs: classes, Link: model.Identity, Base: make([]float64, classes), Trees: []model.Tree{t}}
}
