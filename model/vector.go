package model

import (
	"math"
	"slices"

	"mlids/model/internal/simd"
)

// vector is a forest of small trees in the form that vector instructions run: blocks of rows against all nodes, or one row
// against many trees. What it computes is bit for bit what flat computes: the leaves are the same, and their values are
// added in the order of the trees.
type vector struct {
	flat   *flat
	level  simd.Level
	used   []int32  // inputs that a node asks for; their columns lie in this order
	dense  bool     // all inputs are used
	words  int      // 32-bit words of a mask of leaves
	code   []uint32 // of all trees for blocks
	groups int      // of the row code; 0 when there is none
	lanes  []uint32
}

// Largest trees and fewest rows that the kernels are used for.
const (
	vectorLeaves = 64
	vectorRows   = 4
)

// vectorise lays out a checked, rounded forest for a level; nil when its trees are too large or the level has no kernels.
func (f *Forest) vectorise(c *flat, level simd.Level) *vector {
	if level == simd.Scalar || len(f.Trees) == 0 {
		return nil
	}
	most := 0
	for i := range f.Trees {
		most = max(most, (len(f.Trees[i].Nodes)+1)/2)
	}
	if most > vectorLeaves {
		return nil
	}
	v := &vector{flat: c, level: level, words: (most + 31) / 32, used: f.used()}
	v.dense = len(v.used) == f.Inputs
	cuts := make([][]cut, len(f.Trees))
	for i := range f.Trees {
		cuts[i] = f.Trees[i].cuts()
		v.addTree(&f.Trees[i], cuts[i])
	}
	v.addLanes(f, cuts)
	return v
}

// used lists the inputs that any node asks for.
func (f *Forest) used() []int32 {
	var used []int32
	seen := make([]bool, f.Inputs)
	for i := range f.Trees {
		for _, n := range f.Trees[i].Nodes {
			if n.Feature >= 0 && !seen[n.Feature] {
				seen[n.Feature] = true
				used = append(used, n.Feature)
			}
		}
	}
	slices.Sort(used)
	return used
}

// cut is an inner node, or the padding where a tree has no more: it parts the leaves from to middle, counted from the
// left, from those after.
type cut struct {
	node         *Node
	from, middle int
}

// cuts lists a tree's inner nodes, those whose missing values go left first.
func (t *Tree) cuts() []cut {
	var out []cut
	leaf := 0
	var visit func(i int32)
	visit = func(i int32) {
		n := &t.Nodes[i]
		if n.Feature < 0 {
			leaf++
			return
		}
		from := leaf
		visit(n.Left)
		out = append(out, cut{n, from, leaf})
		visit(n.Right)
	}
	visit(0)
	slices.SortStableFunc(out, func(a, b cut) int { return int(bit(b.node.MissingLeft) - bit(a.node.MissingLeft)) })
	return out
}

// leftward counts the cuts whose missing values go left.
func leftward(cuts []cut) int {
	n := 0
	for n < len(cuts) && cuts[n].node.MissingLeft {
		n++
	}
	return n
}

// leafValues lists the leaf values of one output, from left to right.
func (t *Tree) leafValues(output, outputs int) []uint32 {
	var out []uint32
	for stack := []int32{0}; len(stack) > 0; {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n := &t.Nodes[i]; n.Feature >= 0 {
			stack = append(stack, n.Right, n.Left)
			continue
		}
		out = append(out, math.Float32bits(float32(t.values(i, outputs)[output])))
	}
	return out
}

// addTree appends the block code of a tree.
func (v *vector) addTree(t *Tree, cuts []cut) {
	outputs, tables := v.flat.forest.Outputs, 1
	if t.Output < 0 {
		tables = outputs
	}
	left := leftward(cuts)
	sums := max(int(t.Output), 0) * simd.BlockRows * 8
	v.code = append(v.code, uint32(left), uint32(len(cuts)-left), uint32(sums), uint32(tables))
	for o := range tables {
		v.code = appendPadded(v.code, t.leafValues(o, outputs), 32*v.words)
	}
	for _, c := range cuts {
		v.code = append(v.code, uint32(v.slot(c)*simd.BlockRows*4), math.Float32bits(c.node.Threshold))
		for w := range v.words {
			v.code = append(v.code, v.mask(c, w))
		}
	}
}

// slot is the place of a cut's input among those used.
func (v *vector) slot(c cut) int {
	i, _ := slices.BinarySearch(v.used, c.node.Feature)
	return i
}

// mask has the bits of the leaves left of a cut that lie in one word.
func (v *vector) mask(c cut, word int) uint32 {
	m := uint32(0)
	for leaf := max(c.from, 32*word); leaf < min(c.middle, 32*word+32); leaf++ {
		m |= v.level.Bit(leaf)
	}
	return m
}

func appendPadded(dst, src []uint32, n int) []uint32 {
	dst = append(dst, src...)
	return append(dst, make([]uint32, n-len(src))...)
}

// addLanes makes the row code, when the trees are small enough and each adds to one output.
func (v *vector) addLanes(f *Forest, cuts [][]cut) {
	vectorValued := slices.ContainsFunc(f.Trees, func(t Tree) bool { return t.Output < 0 })
	if v.level != simd.AVX512 || v.words > 1 || len(v.used) > simd.RowInputs || vectorValued {
		return
	}
	for from := 0; from < len(f.Trees); from += simd.RowLanes {
		to := min(from+simd.RowLanes, len(f.Trees))
		v.addGroup(f.Trees[from:to], cuts[from:to])
		v.groups++
	}
}

// addGroup appends the row code of up to 16 trees: step by step, one cut of each.
func (v *vector) addGroup(trees []Tree, cuts [][]cut) {
	var steps [2]int
	parts := make([][2][]cut, simd.RowLanes)
	for i, c := range cuts {
		left := leftward(c)
		parts[i] = [2][]cut{c[:left], c[left:]}
		steps[0], steps[1] = max(steps[0], left), max(steps[1], len(c)-left)
	}
	v.lanes = appendPadded(v.lanes, []uint32{uint32(steps[0]), uint32(steps[1])}, 16)
	for i := range simd.RowLanes {
		var values []uint32
		if i < len(trees) {
			values = trees[i].leafValues(0, 1)
		}
		v.lanes = appendPadded(v.lanes, values, 32)
	}
	for side, n := range steps {
		for step := range n {
			v.addStep(parts, side, step)
		}
	}
}

// addStep appends one cut of each tree of a group; a tree that has no more keeps all its leaves.
func (v *vector) addStep(parts [][2][]cut, side, step int) {
	var words [3][simd.RowLanes]uint32
	for lane := range parts {
		words[2][lane] = math.MaxUint32
		if own := parts[lane][side]; step < len(own) {
			c := own[step]
			words[0][lane], words[1][lane], words[2][lane] = uint32(v.slot(c)), math.Float32bits(c.node.Threshold), ^v.mask(c, 0)
		}
	}
	for _, w := range words {
		v.lanes = append(v.lanes, w[:]...)
	}
}
