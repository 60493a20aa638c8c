package model

import "gonum.org/v1/gonum/integrate/quad"

// explain computes exact Shapley values, tree by tree. A leaf of value v, on whose path input j would be followed by a
// share known[j] (1 or 0) when it is known and a share unknown[j] of the training rows when not, gives input i
//
//	v · (known[i] - unknown[i]) · ∫ Π_{j≠i} (t·known[j] + (1-t)·unknown[j]) dt,  t from 0 to 1:
//
// the Shapley value of a product game. The integrand is a polynomial, so Gauss–Legendre quadrature with half as many
// points as the path has inputs is exact; as all its terms are positive, depth costs no precision.
func (e *forestEngine) explain(dst []float64, row []float32, output int) float64 {
	base := e.forest.Base[output]
	s := shap{row: row, dst: dst}
	for i := range e.forest.Trees {
		t := &e.forest.Trees[i]
		s.tree, s.offset = t, 0
		if t.Output < 0 {
			s.offset = output
		} else if int(t.Output) != output {
			continue
		}
		s.points(t.widest(len(row)))
		base += s.visit(0, 0, 1)
	}
	return base
}

// widest is the largest number of different inputs on a path, or an upper bound of it.
func (t *Tree) widest(inputs int) int {
	deepest := 0
	var visit func(i int32, depth int)
	visit = func(i int32, depth int) {
		deepest = max(deepest, depth)
		if n := &t.Nodes[i]; n.Feature >= 0 {
			visit(n.Left, depth+1)
			visit(n.Right, depth+1)
		}
	}
	visit(0, 0)
	return min(deepest, inputs)
}

// shap walks one tree along all its paths.
type shap struct {
	tree   *Tree
	offset int // of the output in a leaf's values
	row    []float32
	dst    []float64

	at, weights []float64   // points of the quadrature
	path        []split     // inputs met so far
	products    [][]float64 // per depth and point: the product over path
}

// split is one input of a path.
type split struct {
	input          int32
	known, unknown float64
}

func (p split) factor(t float64) float64 { return t*p.known + (1-t)*p.unknown }

// points sets the quadrature up for paths of so many inputs.
func (s *shap) points(inputs int) {
	n := inputs/2 + 1
	if n != len(s.at) {
		s.at, s.weights = make([]float64, n), make([]float64, n)
		quad.Legendre{}.FixedLocations(s.at, s.weights, 0, 1)
		s.products = nil
	}
	s.level(0)
	for i := range s.products[0] {
		s.products[0][i] = 1
	}
}

// level makes sure that there is room for the products at a depth.
func (s *shap) level(depth int) {
	for len(s.products) <= depth {
		s.products = append(s.products, make([]float64, len(s.at)))
	}
}

// visit goes down from a node and returns the mean leaf value below it, weighted by the share of training rows.
func (s *shap) visit(node int32, depth int, share float64) float64 {
	n := &s.tree.Nodes[node]
	if n.Feature < 0 {
		value := s.tree.Values[int(n.Left)+s.offset]
		s.leaf(value, s.products[depth])
		return value * share
	}
	left := s.tree.share(n)
	goesLeft := n.left(s.row[n.Feature])
	return s.branch(n.Left, n.Feature, depth, share, left, goesLeft) +
		s.branch(n.Right, n.Feature, depth, share, 1-left, !goesLeft)
}

// share is the part of the training rows at a node that went left; a half when that was not recorded.
func (t *Tree) share(n *Node) float64 {
	left, right := t.Nodes[n.Left].Cover, t.Nodes[n.Right].Cover
	if left+right == 0 {
		return 0.5
	}
	return left / (left + right)
}

// branch extends the path by one input and visits the child.
func (s *shap) branch(child, input int32, depth int, share, part float64, follows bool) float64 {
	place, old := s.find(input)
	next := split{input, old.known, old.unknown * part}
	if !follows {
		next.known = 0
	}
	if next.known == 0 && next.unknown == 0 {
		return 0 // no row comes here, whatever is known
	}
	s.level(depth + 1)
	from, to := s.products[depth], s.products[depth+1]
	for q, t := range s.at {
		to[q] = from[q] / old.factor(t) * next.factor(t)
	}
	length := len(s.path)
	if place == length {
		s.path = append(s.path, next)
	} else {
		s.path[place] = next
	}
	mean := s.visit(child, depth+1, share*part)
	if place == length {
		s.path = s.path[:length]
	} else {
		s.path[place] = old
	}
	return mean
}

// find returns the place of an input in the path, or the end and an input that changes nothing.
func (s *shap) find(input int32) (int, split) {
	for i, p := range s.path {
		if p.input == input {
			return i, p
		}
	}
	return len(s.path), split{input, 1, 1}
}

// leaf gives the inputs of the path their parts of a leaf's value.
func (s *shap) leaf(value float64, products []float64) {
	for _, p := range s.path {
		sum := 0.0
		for q, t := range s.at {
			sum += s.weights[q] * products[q] / p.factor(t)
		}
		s.dst[p.input] += value * (p.known - p.unknown) * sum
	}
}
