package tree

import "mlids/model"

// Importance is how much each input moves a forest's margins: the variance over the training rows that its splits
// explain, as shares that sum to one. It needs the forest's covers; a forest that never splits has zeros.
func Importance(f *model.Forest) []float64 {
	out := make([]float64, f.Inputs)
	for i := range f.Trees {
		t := &f.Trees[i]
		w := &walker{tree: t, width: 1, out: out}
		if t.Output < 0 {
			w.width = f.Outputs
		}
		if len(t.Nodes) > 0 {
			w.mean(0)
		}
	}
	sum := 0.0
	for _, v := range out {
		sum += v
	}
	for j := range out {
		if sum > 0 {
			out[j] /= sum
		}
	}
	return out
}

// walker walks one tree.
type walker struct {
	tree  *model.Tree
	width int // values per leaf
	out   []float64
}

// mean is the mean of a subtree's leaves by cover; on the way it adds what each split explains.
func (w *walker) mean(at int32) []float64 {
	n := &w.tree.Nodes[at]
	if n.Feature < 0 {
		return w.tree.Values[n.Left:][:w.width]
	}
	left, right := w.mean(n.Left), w.mean(n.Right)
	a, b := w.tree.Nodes[n.Left].Cover, w.tree.Nodes[n.Right].Cover
	mean := make([]float64, w.width)
	if a+b == 0 {
		return mean
	}
	for k := range mean {
		mean[k] = (a*left[k] + b*right[k]) / (a + b)
		w.out[n.Feature] += a * b / (a + b) * (left[k] - right[k]) * (left[k] - right[k])
	}
	return mean
}
