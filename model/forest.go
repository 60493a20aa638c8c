package model

import (
	"errors"
	"fmt"
	"math"
)

// Forest is an ensemble of decision trees over a vector of float32 inputs.
//
// The margins of a row are Base plus what each tree's leaf adds, in the order of the trees, summed in float64; Link turns
// margins into class probabilities.
type Forest struct {
	Inputs  int       // length of the vectors it takes
	Outputs int       // margins per row: 1 for two classes under Logistic, else one per class
	Base    []float64 // margin of each output before any tree, length Outputs
	Link    Link
	Trees   []Tree
}

// Tree is one decision tree. Nodes[0] is its root.
type Tree struct {
	Output int32 // the output that its leaves add to; -1 when a leaf holds one value per output
	Nodes  []Node
	Values []float64 // leaf values: one per leaf, or Outputs per leaf when Output is -1
}

// Node is an inner node or a leaf. A row goes left when its value is at most Threshold; a missing value (NaN) goes left
// when MissingLeft is set.
type Node struct {
	Feature     int32 // index of the input; -1 for a leaf
	Threshold   float32
	MissingLeft bool
	Left, Right int32   // children, indexes in Nodes; of a leaf, Left is the index of its first value
	Cover       float64 // weight of the training rows that passed here
}

// left reports whether a value goes left at an inner node.
func (n *Node) left(x float32) bool {
	return x <= n.Threshold || n.MissingLeft && x != x
}

// leaf walks a row down the tree and returns the leaf's index in Nodes.
func (t *Tree) leaf(row []float32) int32 {
	i := int32(0)
	for t.Nodes[i].Feature >= 0 {
		if n := &t.Nodes[i]; n.left(row[n.Feature]) {
			i = n.Left
		} else {
			i = n.Right
		}
	}
	return i
}

// values are what a leaf adds, to Output or to each output.
func (t *Tree) values(leaf int32, outputs int) []float64 {
	first := int(t.Nodes[leaf].Left)
	if t.Output >= 0 {
		outputs = 1
	}
	return t.Values[first : first+outputs]
}

func (f *Forest) shape() (inputs, outputs int, link Link) { return f.Inputs, f.Outputs, f.Link }

// check tells whether every walk of every tree ends in a leaf, within bounds.
func (f *Forest) check() error {
	if f.Inputs < 1 || f.Inputs > MaxInputs {
		return fmt.Errorf("%d inputs, wanted 1 to %d", f.Inputs, MaxInputs)
	}
	if err := checkOutputs(f.Outputs, f.Link); err != nil {
		return err
	}
	if len(f.Base) != f.Outputs {
		return fmt.Errorf("%d base values for %d margins", len(f.Base), f.Outputs)
	}
	for i, b := range f.Base {
		if !finite32(b) {
			return fmt.Errorf("base value %d is %v", i, b)
		}
	}
	nodes := 0
	for i := range f.Trees {
		if nodes += len(f.Trees[i].Nodes); nodes > MaxNodes {
			return fmt.Errorf("more than %d nodes", MaxNodes)
		}
		if err := f.Trees[i].check(f.Inputs, f.Outputs); err != nil {
			return fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return nil
}

// finite32 reports whether v is a number that float32 can hold.
func finite32(v float64) bool { return math.Abs(v) <= math.MaxFloat32 }

// check walks the whole tree once; a node met twice is a loop or shared.
func (t *Tree) check(inputs, outputs int) error {
	if len(t.Nodes) == 0 {
		return errors.New("no nodes")
	}
	if t.Output < -1 || int(t.Output) >= outputs {
		return fmt.Errorf("adds to output %d of %d", t.Output, outputs)
	}
	type place struct {
		node  int32
		depth int
	}
	met := make([]bool, len(t.Nodes))
	count := 0
	for stack := []place{{0, 0}}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if err := t.checkNode(at.node, inputs, outputs); err != nil {
			return fmt.Errorf("node %d: %w", at.node, err)
		}
		if met[at.node] {
			return fmt.Errorf("node %d has two ways to it: a loop or a shared branch", at.node)
		}
		if at.depth > MaxDepth {
			return fmt.Errorf("deeper than %d", MaxDepth)
		}
		met[at.node] = true
		count++
		if n := &t.Nodes[at.node]; n.Feature >= 0 {
			stack = append(stack, place{n.Right, at.depth + 1}, place{n.Left, at.depth + 1})
		}
	}
	if count != len(t.Nodes) {
		return fmt.Errorf("%d of %d nodes cannot be reached from the first", len(t.Nodes)-count, len(t.Nodes))
	}
	return nil
}

// checkNode tells whether one node points to where something is.
func (t *Tree) checkNode(i int32, inputs, outputs int) error {
	if i < 0 || int(i) >= len(t.Nodes) {
		return fmt.Errorf("does not exist, there are %d", len(t.Nodes))
	}
	n := &t.Nodes[i]
	switch {
	case n.Feature < -1 || int(n.Feature) >= inputs:
		return fmt.Errorf("input %d of %d", n.Feature, inputs)
	case n.Feature >= 0 && n.Threshold != n.Threshold:
		return errors.New("threshold is NaN")
	case !(n.Cover >= 0) || !finite32(n.Cover):
		return fmt.Errorf("cover %v", n.Cover)
	case n.Feature >= 0:
		return nil
	}
	width := 1
	if t.Output < 0 {
		width = outputs
	}
	if n.Left < 0 || int(n.Left)+width > len(t.Values) {
		return fmt.Errorf("leaf value %d of %d", n.Left, len(t.Values))
	}
	for _, v := range t.Values[n.Left : int(n.Left)+width] {
		if !finite32(v) {
			return fmt.Errorf("leaf value %v", v)
		}
	}
	return nil
}
