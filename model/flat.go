package model

import "math"

// flat is a forest in the form that rows are walked through, one path per tree: all nodes in one slice of 16 bytes each,
// siblings side by side. A leaf leads to itself, so every walk of a tree takes the same number of steps and no step is a
// branch that the processor could guess wrong.
type flat struct {
	inputs, outputs int
	base            []float64
	trees           []flatTree
	nodes           []flatNode
	values          []float32 // of leaves, in the order of their trees
}

type flatTree struct {
	root   uint32
	depth  int32
	output int32 // -1: a leaf has a value per output
}

type flatNode struct {
	threshold float32
	feature   uint32 // index, and missingRight
	left      uint32 // the right child follows it; a leaf's own index
	value     uint32 // of a leaf: its first in values
}

// missingRight marks a node whose missing values go right.
const missingRight = 1 << 31

// flatten lays out a checked forest.
func (f *Forest) flatten() *flat {
	c := &flat{inputs: f.Inputs, outputs: f.Outputs, base: widen(narrow(f.Base)), trees: make([]flatTree, len(f.Trees))}
	for i := range f.Trees {
		c.trees[i] = flatTree{root: uint32(len(c.nodes)), output: f.Trees[i].Output}
		c.trees[i].depth = c.add(&f.Trees[i])
	}
	return c
}

// add appends a tree breadth first and returns its depth.
func (c *flat) add(t *Tree) int32 {
	type place struct {
		from  int32
		to    uint32
		depth int32
	}
	depth := int32(0)
	queue := []place{{0, uint32(len(c.nodes)), 0}}
	c.nodes = append(c.nodes, flatNode{})
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		depth = max(depth, at.depth)
		n := &t.Nodes[at.from]
		if n.Feature < 0 {
			c.nodes[at.to] = flatNode{threshold: float32(math.Inf(1)), left: at.to, value: uint32(len(c.values))}
			for _, v := range t.values(at.from, c.outputs) {
				c.values = append(c.values, float32(v))
			}
			continue
		}
		left := uint32(len(c.nodes))
		node := flatNode{threshold: n.Threshold, feature: uint32(n.Feature), left: left}
		if !n.MissingLeft {
			node.feature |= missingRight
		}
		c.nodes[at.to] = node
		c.nodes = append(c.nodes, flatNode{}, flatNode{})
		queue = append(queue, place{n.Left, left, at.depth + 1}, place{n.Right, left + 1, at.depth + 1})
	}
	return depth
}

// margins walks each row through all trees.
func (c *flat) margins(dst []float64, rows []float32, _ *scratch) {
	for len(rows) > 0 {
		copy(dst[:c.outputs], c.base)
		c.row(dst[:c.outputs], rows[:c.inputs])
		dst, rows = dst[c.outputs:], rows[c.inputs:]
	}
}

// row adds what the trees give for one row, four trees at a time: their walks wait for memory together.
func (c *flat) row(dst []float64, row []float32) {
	whole := complete(row)
	trees := c.trees
	for ; len(trees) >= 4; trees = trees[4:] {
		at := [4]uint32{trees[0].root, trees[1].root, trees[2].root, trees[3].root}
		c.walk(&at, max(trees[0].depth, trees[1].depth, trees[2].depth, trees[3].depth), row, whole)
		for i := range at {
			c.leaf(dst, trees[i].output, at[i])
		}
	}
	for _, t := range trees {
		at := [4]uint32{t.root, t.root, t.root, t.root}
		c.walk(&at, t.depth, row, whole)
		c.leaf(dst, t.output, at[0])
	}
}

// leaf adds a leaf's values.
func (c *flat) leaf(dst []float64, output int32, at uint32) {
	first := c.nodes[at].value
	if output >= 0 {
		dst[output] += float64(c.values[first])
		return
	}
	for i, v := range c.values[first : int(first)+len(dst)] {
		dst[i] += float64(v)
	}
}

// complete reports whether no value is missing.
func complete(row []float32) bool {
	for _, x := range row {
		if x != x {
			return false
		}
	}
	return true
}

// walk takes four trees down by so many steps; whole tells that no value of the row is missing.
func (c *flat) walk(at *[4]uint32, steps int32, row []float32, whole bool) {
	if whole {
		c.stepComplete(at, steps, row)
	} else {
		c.step(at, steps, row)
	}
}

// stepComplete walks four trees down by so many steps, for a row without missing values.
func (c *flat) stepComplete(at *[4]uint32, steps int32, row []float32) {
	nodes := c.nodes
	a0, a1, a2, a3 := at[0], at[1], at[2], at[3]
	for range steps {
		n0, n1, n2, n3 := &nodes[a0], &nodes[a1], &nodes[a2], &nodes[a3]
		a0 = n0.left + above(row[n0.feature&^missingRight], n0.threshold)
		a1 = n1.left + above(row[n1.feature&^missingRight], n1.threshold)
		a2 = n2.left + above(row[n2.feature&^missingRight], n2.threshold)
		a3 = n3.left + above(row[n3.feature&^missingRight], n3.threshold)
	}
	at[0], at[1], at[2], at[3] = a0, a1, a2, a3
}

// above is 1 when x is above t, without a branch.
func above(x, t float32) uint32 {
	var b uint32
	if x > t {
		b = 1
	}
	return b
}

// step is stepComplete for any row.
func (c *flat) step(at *[4]uint32, steps int32, row []float32) {
	for i := range at {
		for range steps {
			n := &c.nodes[at[i]]
			x := row[n.feature&^missingRight]
			right := above(x, n.threshold)
			if x != x {
				right = n.feature >> 31
			}
			at[i] = n.left + right
		}
	}
}
