package anomaly

import (
	"math"
	"math/rand/v2"

	"mlids/model"
)

// grower grows one tree.
type grower struct {
	x    [][]float32
	rand *rand.Rand
	tree model.Tree
}

// sample draws different rows.
func (g *grower) sample(rows []int32, n int) []int32 {
	if n >= len(rows) {
		return append([]int32(nil), rows...)
	}
	taken := make(map[int]bool, n)
	out := make([]int32, 0, n)
	for len(out) < n {
		if i := g.rand.IntN(len(rows)); !taken[i] {
			taken[i] = true
			out = append(out, rows[i])
		}
	}
	return out
}

// grow makes node at of rows. It cuts a random input at a random place between the rows' least and greatest value.
func (g *grower) grow(at int, rows []int32, depth, most int) {
	n := model.Node{Feature: -1, Cover: float64(len(rows))}
	input, low, high := -1, float32(0), float32(0)
	if depth < most && len(rows) > 1 {
		input, low, high = g.choose(rows)
	}
	if input < 0 {
		n.Left = int32(len(g.tree.Values))
		g.tree.Values = append(g.tree.Values, float64(depth)+unbuilt(len(rows)))
		g.tree.Nodes[at] = n
		return
	}
	n.Feature, n.Threshold = int32(input), g.cut(low, high)
	var left, right []int32
	missing := 0
	for _, r := range rows {
		switch v := g.x[input][r]; {
		case v <= n.Threshold:
			left = append(left, r)
		case v == v:
			right = append(right, r)
		default:
			missing++
		}
	}
	n.MissingLeft = len(left) >= len(right)
	if missing > 0 { // after the known ones, so that the heavier side takes them
		for _, r := range rows {
			if v := g.x[input][r]; v != v && n.MissingLeft {
				left = append(left, r)
			} else if v != v {
				right = append(right, r)
			}
		}
	}
	n.Left, n.Right = int32(len(g.tree.Nodes)), int32(len(g.tree.Nodes)+1)
	g.tree.Nodes[at] = n
	g.tree.Nodes = append(g.tree.Nodes, model.Node{}, model.Node{})
	g.grow(int(n.Left), left, depth+1, most)
	g.grow(int(n.Right), right, depth+1, most)
}

// choose draws an input that tells some of the rows apart; -1 when none does.
func (g *grower) choose(rows []int32) (input int, low, high float32) {
	for _, j := range g.rand.Perm(len(g.x)) {
		low, high = float32(math.Inf(1)), float32(math.Inf(-1))
		for _, r := range rows {
			if v := g.x[j][r]; v == v {
				low, high = min(low, v), max(high, v)
			}
		}
		if low < high {
			return j, low, high
		}
	}
	return -1, 0, 0
}

// cut draws a threshold from low on and below high, evenly over the logarithm.
func (g *grower) cut(low, high float32) float32 {
	a, b := signedLog(low), signedLog(high)
	at := a + g.rand.Float64()*(b-a)
	t := float32(math.Copysign(math.Expm1(math.Abs(at)), at))
	if t >= low && t < high {
		return t
	}
	return max(low, -math.MaxFloat32)
}

func signedLog(v float32) float64 {
	x := float64(max(-math.MaxFloat32, min(v, math.MaxFloat32)))
	return math.Copysign(math.Log1p(math.Abs(x)), x)
}

// unbuilt is the mean path length of a search tree of n rows, that a leaf of n rows stands for.
func unbuilt(n int) float64 {
	switch {
	case n < 2:
		return 0
	case n == 2:
		return 1
	}
	const euler = 0.5772156649015329
	return 2*(math.Log(float64(n-1))+euler) - 2*float64(n-1)/float64(n)
}
