package model

import "math"

// flat is a forest in the form that rows are walked through, one path per tree. All nodes lie in one slice, siblings side
// by side, and a leaf leads to itself: so several trees are walked at once, in steps that the processor need not guess,
// until none of them moves. Rows with missing values take the plain way through Forest.Trees.
type flat struct {
	forest  *Forest
	base    []float64
	outputs []int32   // of each tree; -1: a leaf has a value per output
	roots   []uint32  // of each tree, and of a lone leaf until there are a multiple of eight
	nodes   []uint64  // threshold, input and left child; see pack
	first   []uint32  // of a leaf: its first in values
	values  []float32 // of leaves, in the order of their trees
}

// Bits of a packed node: the threshold's lie lowest, then the input, then the left child, which the right one follows.
const (
	inputShift = 32
	inputBits  = 12
	inputMask  = 1<<inputBits - 1
	childShift = inputShift + inputBits
	childBits  = 64 - childShift
)

func pack(threshold float32, input int32, child uint32) uint64 {
	return uint64(math.Float32bits(threshold)) | uint64(input)<<inputShift | uint64(child)<<childShift
}

// flatten lays out a checked forest; one too large for the packed form has no roots, and is walked the plain way.
func (f *Forest) flatten() *flat {
	c := &flat{forest: f, base: f.Base}
	nodes := 0
	for i := range f.Trees {
		nodes += len(f.Trees[i].Nodes)
	}
	if nodes+1 >= 1<<childBits || f.Inputs > 1<<inputBits {
		return c
	}
	for i := range f.Trees {
		c.roots = append(c.roots, uint32(len(c.nodes)))
		c.outputs = append(c.outputs, f.Trees[i].Output)
		c.add(&f.Trees[i])
	}
	for len(c.roots)%8 != 0 {
		c.roots = append(c.roots, uint32(len(c.nodes)))
	}
	c.nodes = append(c.nodes, pack(float32(math.Inf(1)), 0, uint32(len(c.nodes))))
	return c
}

// add appends a tree, breadth first.
func (c *flat) add(t *Tree) {
	type place struct{ from, to int32 }
	root := int32(len(c.nodes))
	c.reserve(1)
	for queue := []place{{0, root}}; len(queue) > 0; {
		at := queue[0]
		queue = queue[1:]
		n := &t.Nodes[at.from]
		if n.Feature < 0 {
			c.nodes[at.to] = pack(float32(math.Inf(1)), 0, uint32(at.to))
			c.first[at.to] = uint32(len(c.values))
			for _, v := range t.values(at.from, c.forest.Outputs) {
				c.values = append(c.values, float32(v))
			}
			continue
		}
		left := int32(len(c.nodes))
		c.reserve(2)
		c.nodes[at.to] = pack(n.Threshold, n.Feature, uint32(left))
		queue = append(queue, place{n.Left, left}, place{n.Right, left + 1})
	}
}

// reserve appends room for n nodes.
func (c *flat) reserve(n int) {
	for range n {
		c.nodes, c.first = append(c.nodes, 0), append(c.first, 0)
	}
}

// margins computes the margins of each row.
func (c *flat) margins(dst []float64, rows []float32, s *scratch) {
	inputs, outputs := c.forest.Inputs, c.forest.Outputs
	if len(c.roots) == 0 {
		c.forest.walkAll(dst, rows)
		return
	}
	for len(rows) >= 8*inputs {
		if complete(rows[:8*inputs]) {
			c.rows(dst[:8*outputs], rows[:8*inputs], s.floats(8*inputs))
		} else {
			c.each(dst[:8*outputs], rows[:8*inputs])
		}
		dst, rows = dst[8*outputs:], rows[8*inputs:]
	}
	c.each(dst, rows)
}

// each computes the margins of rows one by one.
func (c *flat) each(dst []float64, rows []float32) {
	inputs, outputs := c.forest.Inputs, c.forest.Outputs
	for len(rows) > 0 {
		copy(dst[:outputs], c.base)
		if row := rows[:inputs]; complete(row) {
			c.row(dst[:outputs], row)
		} else {
			c.forest.walk(dst[:outputs], row)
		}
		dst, rows = dst[outputs:], rows[inputs:]
	}
}

// walk adds what the trees give for one row.
func (f *Forest) walk(dst []float64, row []float32) {
	for i := range f.Trees {
		f.Trees[i].add(dst, row)
	}
}

// walkAll computes margins tree by tree: a large tree stays in the cache for all rows.
func (f *Forest) walkAll(dst []float64, rows []float32) {
	for o := 0; o < len(dst); o += f.Outputs {
		copy(dst[o:], f.Base)
	}
	for i := range f.Trees {
		t := &f.Trees[i]
		for r := range len(rows) / f.Inputs {
			t.add(dst[r*f.Outputs:(r+1)*f.Outputs], rows[r*f.Inputs:(r+1)*f.Inputs])
		}
	}
}

// add walks a row down the tree and adds what its leaf holds.
func (t *Tree) add(dst []float64, row []float32) {
	values := t.values(t.leaf(row), len(dst))
	if t.Output >= 0 {
		dst[t.Output] += values[0]
		return
	}
	for j, v := range values {
		dst[j] += v
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

// row adds what the trees give for one row without missing values, eight trees at a time: their steps wait for memory
// together.
func (c *flat) row(dst []float64, row []float32) {
	for i := 0; i < len(c.roots); i += 8 {
		at := eight(c.nodes, (*[8]uint32)(c.roots[i:]), row)
		for j, out := range c.outputs[i:min(i+8, len(c.outputs))] {
			c.leaf(dst, out, at[j])
		}
	}
}

// rows computes the margins of eight rows without missing values, tree by tree, all rows at a time. columns is room for
// the rows, turned so that those of one input lie side by side.
func (c *flat) rows(dst []float64, rows, columns []float32) {
	inputs, outputs := c.forest.Inputs, c.forest.Outputs
	for r := range 8 {
		copy(dst[r*outputs:(r+1)*outputs], c.base)
		for i, x := range rows[r*inputs : (r+1)*inputs] {
			columns[8*i+r] = x
		}
	}
	for t, out := range c.outputs {
		at := eightRows(c.nodes, c.roots[t], columns)
		for r := range at {
			c.leaf(dst[r*outputs:(r+1)*outputs], out, at[r])
		}
	}
}

// leaf adds what a leaf holds.
func (c *flat) leaf(dst []float64, out int32, at uint64) {
	first := c.first[at>>childShift]
	if out >= 0 {
		dst[out] += float64(c.values[first])
		return
	}
	for k, v := range c.values[first : int(first)+len(dst)] {
		dst[k] += float64(v)
	}
}

// eight walks eight trees down to their leaves. Written out, the nodes stay in registers.
func eight(nodes []uint64, roots *[8]uint32, row []float32) [8]uint64 {
	a0, a1, a2, a3 := nodes[roots[0]], nodes[roots[1]], nodes[roots[2]], nodes[roots[3]]
	a4, a5, a6, a7 := nodes[roots[4]], nodes[roots[5]], nodes[roots[6]], nodes[roots[7]]
	for {
		b0, b1, b2, b3 := step(nodes, a0, row), step(nodes, a1, row), step(nodes, a2, row), step(nodes, a3, row)
		moved := (a0 ^ b0) | (a1 ^ b1) | (a2 ^ b2) | (a3 ^ b3)
		a0, a1, a2, a3 = b0, b1, b2, b3
		b4, b5, b6, b7 := step(nodes, a4, row), step(nodes, a5, row), step(nodes, a6, row), step(nodes, a7, row)
		moved |= (a4 ^ b4) | (a5 ^ b5) | (a6 ^ b6) | (a7 ^ b7)
		a4, a5, a6, a7 = b4, b5, b6, b7
		if moved == 0 {
			break
		}
	}
	return [8]uint64{a0, a1, a2, a3, a4, a5, a6, a7}
}

// step is the child that a row goes to; a leaf is its own.
func step(nodes []uint64, n uint64, row []float32) uint64 {
	return nodes[n>>childShift+above(row[n>>inputShift&inputMask], math.Float32frombits(uint32(n)))]
}

// above is 1 when x is above t, without a branch.
func above(x, t float32) uint64 {
	var b uint64
	if x > t {
		b = 1
	}
	return b
}

// eightRows walks eight rows down one tree.
func eightRows(nodes []uint64, root uint32, columns []float32) [8]uint64 {
	n := nodes[root]
	a0, a1, a2, a3, a4, a5, a6, a7 := n, n, n, n, n, n, n, n
	for {
		b0, b1 := stepRow(nodes, a0, columns, 0), stepRow(nodes, a1, columns, 1)
		b2, b3 := stepRow(nodes, a2, columns, 2), stepRow(nodes, a3, columns, 3)
		moved := (a0 ^ b0) | (a1 ^ b1) | (a2 ^ b2) | (a3 ^ b3)
		a0, a1, a2, a3 = b0, b1, b2, b3
		b4, b5 := stepRow(nodes, a4, columns, 4), stepRow(nodes, a5, columns, 5)
		b6, b7 := stepRow(nodes, a6, columns, 6), stepRow(nodes, a7, columns, 7)
		moved |= (a4 ^ b4) | (a5 ^ b5) | (a6 ^ b6) | (a7 ^ b7)
		a4, a5, a6, a7 = b4, b5, b6, b7
		if moved == 0 {
			break
		}
	}
	return [8]uint64{a0, a1, a2, a3, a4, a5, a6, a7}
}

// stepRow is step for one of eight rows.
func stepRow(nodes []uint64, n uint64, columns []float32, row uint64) uint64 {
	x := columns[n>>(inputShift-3)&(inputMask<<3)+row]
	return nodes[n>>childShift+above(x, math.Float32frombits(uint32(n)))]
}
