package model

import (
	"fmt"
	"math"
)

// decode puts the columns together as trees whose leaves add to so many outputs. Trees and nodes keep the file's order,
// but the root comes first. That children exist is checked here, the rest by Forest.check.
func (a *ensemble) decode(outputs int) ([]Tree, error) {
	var trees []Tree
	at := map[int64]int{} // tree id → index in trees
	rows := [][]int{}     // per tree: its nodes' rows in the columns
	for row, id := range a.trees {
		t, known := at[id]
		if !known {
			t = len(trees)
			at[id] = t
			trees = append(trees, Tree{})
			rows = append(rows, nil)
		}
		rows[t] = append(rows[t], row)
	}
	index := make([]nodeIndex, len(trees))
	for t := range trees {
		var err error
		if index[t], err = a.index(rows[t]); err != nil {
			return nil, fmt.Errorf("tree %d: %w", a.trees[rows[t][0]], err)
		}
		if err := a.branches(&trees[t], rows[t], index[t]); err != nil {
			return nil, fmt.Errorf("tree %d: %w", a.trees[rows[t][0]], err)
		}
	}
	return trees, a.leaves(trees, at, index, outputs)
}

// nodeIndex finds the place in Tree.Nodes of a node id.
type nodeIndex map[int64]int32

// index orders a tree's rows with the root, the node that is no other's child, first.
func (a *ensemble) index(rows []int) (nodeIndex, error) {
	child := make(map[int64]bool, len(rows))
	for _, row := range rows {
		if a.modes[row] != "LEAF" {
			child[a.yes[row]], child[a.no[row]] = true, true
		}
	}
	for i, row := range rows {
		if !child[a.ids[row]] {
			copy(rows[1:i+1], rows[:i])
			rows[0] = row
			break
		}
	}
	index := make(nodeIndex, len(rows))
	for i, row := range rows {
		if _, twice := index[a.ids[row]]; twice {
			return nil, fmt.Errorf("node %d twice", a.ids[row])
		}
		index[a.ids[row]] = int32(i)
	}
	return index, nil
}

// branches fills a tree's nodes; leaves get their values later.
func (a *ensemble) branches(t *Tree, rows []int, index nodeIndex) error {
	t.Nodes = make([]Node, len(rows))
	for i, row := range rows {
		n := &t.Nodes[i]
		n.Cover = float64(a.cover[row])
		if a.modes[row] == "LEAF" {
			n.Feature, n.Left = -1, -1
			continue
		}
		var yes, no bool
		n.Left, yes = index[a.yes[row]]
		n.Right, no = index[a.no[row]]
		if !yes || !no {
			return fmt.Errorf("node %d: children %d and %d do not both exist", a.ids[row], a.yes[row], a.no[row])
		}
		if f := a.features[row]; f < 0 || f >= MaxInputs {
			return fmt.Errorf("node %d: input %d, wanted 0 to %d", a.ids[row], f, MaxInputs-1)
		}
		n.Feature, n.MissingLeft = int32(a.features[row]), a.missing[row] != 0
		if err := n.setMode(a.modes[row], a.values[row]); err != nil {
			return fmt.Errorf("node %d: %w", a.ids[row], err)
		}
	}
	return nil
}

// setMode expresses a comparison of the standard as "at most Threshold goes left".
func (n *Node) setMode(mode string, value float32) error {
	n.Threshold = value
	switch mode {
	case "BRANCH_LEQ":
	case "BRANCH_LT":
		n.Threshold = below(value)
	case "BRANCH_GT":
		n.swap()
	case "BRANCH_GTE":
		n.Threshold = below(value)
		n.swap()
	default:
		return fmt.Errorf("mode %s is not supported", mode)
	}
	return nil
}

// below is the next smaller float32: x < v is x <= below(v).
func below(v float32) float32 { return math.Nextafter32(v, float32(math.Inf(-1))) }

// swap turns the node around.
func (n *Node) swap() {
	n.Left, n.Right, n.MissingLeft = n.Right, n.Left, !n.MissingLeft
}

// leaves gives the leaves their values. A tree whose leaves all have one value, for the same output, adds to that output
// alone; any other has a value for each output.
func (a *ensemble) leaves(trees []Tree, at map[int64]int, index []nodeIndex, outputs int) error {
	const unset = -2
	places := make([]int32, len(a.leafTrees))
	for t := range trees {
		trees[t].Output = unset
	}
	for i, id := range a.leafTrees {
		t, known := at[id]
		node, exists := int32(0), false
		if known {
			node, exists = index[t][a.leafNodes[i]]
		}
		if !exists || trees[t].Nodes[node].Feature >= 0 {
			return fmt.Errorf("tree %d: value for node %d, which is no leaf of it", id, a.leafNodes[i])
		}
		if out := a.leafOutputs[i]; out < 0 || out >= int64(outputs) {
			return fmt.Errorf("tree %d: value for output %d of %d", id, out, outputs)
		}
		places[i] = node
		tree, n := &trees[t], &trees[t].Nodes[node]
		switch out := int32(a.leafOutputs[i]); {
		case n.Left >= 0: // a second value
			tree.Output = -1
		case tree.Output == unset:
			tree.Output = out
		case tree.Output != out:
			tree.Output = -1
		}
		n.Left = 0
	}
	room := maxValues
	for t := range trees {
		if room -= trees[t].place(outputs, room); room < 0 {
			return fmt.Errorf("more than %d leaf values", maxValues)
		}
	}
	for i, id := range a.leafTrees {
		tree := &trees[at[id]]
		first := tree.Nodes[places[i]].Left
		if tree.Output < 0 {
			first += int32(a.leafOutputs[i])
		}
		tree.Values[first] += float64(a.leafValues[i])
	}
	return nil
}

// maxValues bounds the leaf values of all trees: a leaf of many outputs need not name them all.
const maxValues = 1 << 25

// place makes room for the leaves' values, in the order of the nodes, when there are at most room; it returns how many.
func (t *Tree) place(outputs, room int) int {
	if t.Output >= 0 {
		outputs = 1
	} else if t.Output < -1 {
		t.Output, outputs = 0, 1
	}
	next := 0
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Feature < 0 {
			n.Left = int32(min(next, maxValues))
			next += outputs
		}
	}
	if next <= room {
		t.Values = make([]float64, next)
	}
	return next
}
