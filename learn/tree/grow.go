package tree

import (
	"math"

	"mlids/model"
)

// grower grows one boosted tree after another, each leaf by leaf, the one that gains most first.
type grower struct {
	t       *table
	workers int
	pool    pool
	leaves  int // at most
	depth   int // at most
	minRows float64
	score   scorer
	columns []int // those that this tree may use

	pairs  []pair   // of each row
	rows   []uint32 // the rows of this tree, leaf after leaf
	spare  []uint32
	grown  []leaf
	nodes  []model.Node
	unsure []int // nodes that saw no missing value
}

// leaf is a leaf of the tree that grows: rows[lo:hi].
type leaf struct {
	node, depth int
	lo, hi      int
	total       pair
	hist        hist
	best        split
}

// grow makes a tree of the rows in g.rows. Leaf i holds rows[lo:hi] of g.grown[i] afterwards; Left of a leaf's node is i.
func (g *grower) grow() {
	g.nodes, g.unsure = append(g.nodes[:0], model.Node{Feature: -1}), g.unsure[:0]
	root := leaf{hi: len(g.rows)}
	for _, r := range g.rows {
		root.total += g.pairs[r]
	}
	root.hist = g.t.build(&g.pool, g.rows, g.pairs, root.total, g.workers)
	root.best = g.find(&root)
	g.grown = append(g.grown[:0], root)
	for len(g.grown) < g.leaves {
		i := g.next()
		if i < 0 {
			break
		}
		g.divide(i)
	}
	for i := range g.grown {
		g.pool.put(g.grown[i].hist)
		g.grown[i].hist = nil
		g.nodes[g.grown[i].node].Left = int32(i)
	}
}

// next is the leaf whose split gains most, the first of equals; -1 when none gains anything.
func (g *grower) next() int {
	at, gain := -1, 0.0
	for i := range g.grown {
		if b := g.grown[i].best.gain; b > gain {
			at, gain = i, b
		}
	}
	return at
}

// divide splits leaf i in two: the left one takes its place, the right one comes last.
func (g *grower) divide(i int) {
	parent := g.grown[i]
	s := parent.best
	mid := parent.lo + g.partition(&parent)
	at := len(g.nodes)
	g.nodes[parent.node] = g.node(&s, int32(at))
	if s.missing == either {
		g.unsure = append(g.unsure, parent.node)
	}
	g.nodes = append(g.nodes, model.Node{Feature: -1}, model.Node{Feature: -1})
	a := leaf{node: at, depth: parent.depth + 1, lo: parent.lo, hi: mid, total: s.left}
	b := leaf{node: at + 1, depth: parent.depth + 1, lo: mid, hi: parent.hi, total: parent.total - s.left}
	if len(g.grown)+1 == g.leaves || a.depth >= g.depth {
		g.pool.put(parent.hist) // nobody will look for a split of these
	} else {
		g.measure(&a, &b, parent.hist)
	}
	g.grown[i] = a
	g.grown = append(g.grown, b)
}

// measure finds the histograms of two children, the larger one's by subtraction, and then their best splits.
func (g *grower) measure(a, b *leaf, parent hist) {
	small, large := a, b
	if a.hi-a.lo > b.hi-b.lo {
		small, large = b, a
	}
	small.hist = g.t.build(&g.pool, g.rows[small.lo:small.hi], g.pairs, small.total, g.workers)
	g.t.subtract(parent, small.hist)
	large.hist = parent
	parallel(min(g.workers, 2), func(w int) {
		if w == 0 {
			a.best = g.find(a)
		}
		if w == 1 || g.workers == 1 {
			b.best = g.find(b)
		}
	})
}

// node makes the inner node of a split whose children are at and at+1.
func (g *grower) node(s *split, at int32) model.Node {
	c := &g.t.columns[s.column]
	n := model.Node{Feature: int32(c.input), Threshold: math.MaxFloat32, MissingLeft: s.missing == left, Left: at, Right: at + 1}
	if s.bin < len(c.edges) {
		n.Threshold = c.edges[s.bin]
	}
	return n
}

// find finds the best split of a leaf.
func (g *grower) find(l *leaf) split {
	score := g.score
	if g.minRows > 1 {
		weight := 0.0
		for _, r := range g.rows[l.lo:l.hi] {
			weight += g.t.weight[r]
		}
		score.atLeast(max(float64(score.least)*score.h, g.minRows*score.hess(l.total)/weight))
	}
	return score.best(g.t, g.columns, l.hist, l.total)
}

// many is the number of rows from which on it pays to share their partition.
const many = 16384

// partition moves the rows of a leaf that go left before the others, both in their order, and returns their number.
func (g *grower) partition(l *leaf) int {
	goes := g.t.goesLeft(&l.best)
	bins := g.t.columns[l.best.column].bin
	rows, spare := g.rows[l.lo:l.hi], g.spare[l.lo:l.hi]
	workers := g.workers
	if len(rows) < many {
		workers = 1
	}
	type part struct{ lo, left, right int }
	parts := make([]part, workers)
	chunks(len(rows), workers, func(w, lo, hi int) {
		left, right := move(rows[lo:hi], spare[lo:hi], bins, goes)
		parts[w] = part{lo, left, right}
	})
	at := parts[0].left
	for _, p := range parts[1:] {
		at += copy(rows[at:], rows[p.lo:p.lo+p.left])
	}
	left := at
	for _, p := range parts {
		at += copy(rows[at:], spare[p.lo:p.lo+p.right])
	}
	return left
}

// move keeps the rows that go left, and puts the others into spare.
func move(rows, spare []uint32, bins []uint8, goes *[256]int) (left, right int) {
	for _, r := range rows {
		rows[left], spare[right] = r, r
		k := goes[bins[r]]
		left += k
		right += 1 - k
	}
	return left, right
}

// goesLeft says for each bin of a split's column whether (1) or not (0) rows of it go left.
func (t *table) goesLeft(s *split) *[256]int {
	var goes [256]int
	c := &t.columns[s.column]
	for b := range goes[:s.bin+1] {
		goes[b] = 1
	}
	if c.missing {
		goes[c.bins()-1] = 0
		if s.missing == left {
			goes[c.bins()-1] = 1
		}
	}
	return &goes
}
