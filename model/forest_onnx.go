package model

import (
	"errors"
	"fmt"

	"mlids/model/internal/onnx"
)

// encode writes the trees as one TreeEnsembleRegressor, whose targets are the margins. The classifier operator would add
// rules of its own for two classes; the link stands in the graph as plain operators instead.
func (f *Forest) encode(g *graphBody) {
	var a ensemble
	for i := range f.Trees {
		a.addTree(int64(i), &f.Trees[i], f.Outputs)
	}
	if len(f.Trees) == 0 { // the operator must have one
		a.addTree(0, &Tree{Nodes: []Node{{Feature: -1}}, Values: []float64{0}}, f.Outputs)
	}
	g.addML("TreeEnsembleRegressor", margins, []string{features},
		attrInt("n_targets", int64(f.Outputs)),
		attrString("aggregate_function", "SUM"),
		attrString("post_transform", "NONE"),
		attrFloats("base_values", narrow(f.Base)),
		attrInts("nodes_treeids", a.trees),
		attrInts("nodes_nodeids", a.ids),
		attrInts("nodes_featureids", a.features),
		attrStrings("nodes_modes", a.modes),
		attrFloats("nodes_values", a.values),
		attrInts("nodes_truenodeids", a.yes),
		attrInts("nodes_falsenodeids", a.no),
		attrInts("nodes_missing_value_tracks_true", a.missing),
		attrFloats("nodes_hitrates", a.cover),
		attrInts("target_treeids", a.leafTrees),
		attrInts("target_nodeids", a.leafNodes),
		attrInts("target_ids", a.leafOutputs),
		attrFloats("target_weights", a.leafValues))
}

// ensemble is the columns of a TreeEnsemble operator: one element per node, then one per leaf value.
type ensemble struct {
	trees, ids, features, yes, no, missing []int64
	modes                                  []string
	values, cover                          []float32
	leafTrees, leafNodes, leafOutputs      []int64
	leafValues                             []float32
}

func (a *ensemble) addTree(id int64, t *Tree, outputs int) {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		a.trees = append(a.trees, id)
		a.ids = append(a.ids, int64(i))
		a.cover = append(a.cover, float32(n.Cover))
		if n.Feature < 0 {
			a.addLeaf(id, int32(i), t, outputs)
			continue
		}
		a.features = append(a.features, int64(n.Feature))
		a.modes = append(a.modes, "BRANCH_LEQ")
		a.values = append(a.values, n.Threshold)
		a.yes = append(a.yes, int64(n.Left))
		a.no = append(a.no, int64(n.Right))
		a.missing = append(a.missing, bit(n.MissingLeft))
	}
}

func (a *ensemble) addLeaf(id int64, node int32, t *Tree, outputs int) {
	a.features = append(a.features, 0)
	a.modes = append(a.modes, "LEAF")
	a.values = append(a.values, 0)
	a.yes = append(a.yes, 0)
	a.no = append(a.no, 0)
	a.missing = append(a.missing, 0)
	for j, v := range t.values(node, outputs) {
		a.leafTrees = append(a.leafTrees, id)
		a.leafNodes = append(a.leafNodes, int64(node))
		a.leafOutputs = append(a.leafOutputs, max(int64(t.Output), 0)+int64(j))
		a.leafValues = append(a.leafValues, float32(v))
	}
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func narrow(values []float64) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(v)
	}
	return out
}

func widen(values []float32) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// column returns an attribute's integers, which must be n.
func intColumn(node *onnx.Node, name string, n int) ([]int64, error) {
	a := node.Attr(name)
	if a == nil || len(a.Ints) != n {
		return nil, fmt.Errorf("%s: wanted %d integers", name, n)
	}
	return a.Ints, nil
}

// parseEnsemble reads the columns of a TreeEnsemble operator; prefix is "target" of a regressor, "class" of a classifier.
func parseEnsemble(node *onnx.Node, prefix string) (*ensemble, error) {
	a := &ensemble{}
	modes := node.Attr("nodes_modes")
	if modes == nil || len(modes.Strings) == 0 {
		return nil, errors.New("nodes_modes: there are no nodes")
	}
	a.modes = modes.Strings
	n := len(a.modes)
	if n > MaxNodes {
		return nil, fmt.Errorf("%d nodes, at most %d are accepted", n, MaxNodes)
	}
	weights, ids := node.Attr(prefix+"_weights"), node.Attr(prefix+"_ids")
	if weights == nil || ids == nil || len(weights.Floats) != len(ids.Ints) {
		return nil, fmt.Errorf("%s_weights and %s_ids do not go together", prefix, prefix)
	}
	a.leafValues, a.leafOutputs = weights.Floats, ids.Ints
	for _, c := range []struct {
		to   *[]int64
		name string
		n    int
	}{
		{&a.trees, "nodes_treeids", n}, {&a.ids, "nodes_nodeids", n}, {&a.features, "nodes_featureids", n},
		{&a.yes, "nodes_truenodeids", n}, {&a.no, "nodes_falsenodeids", n},
		{&a.leafTrees, prefix + "_treeids", len(ids.Ints)}, {&a.leafNodes, prefix + "_nodeids", len(ids.Ints)},
	} {
		column, err := intColumn(node, c.name, c.n)
		if err != nil {
			return nil, err
		}
		*c.to = column
	}
	return a, a.parseOptional(node)
}

// parseOptional reads the columns that a file may leave out.
func (a *ensemble) parseOptional(node *onnx.Node) error {
	n := len(a.modes)
	values := node.Attr("nodes_values")
	if values == nil || len(values.Floats) != n {
		return fmt.Errorf("nodes_values: wanted %d floats", n)
	}
	a.values = values.Floats
	a.missing, a.cover = make([]int64, n), make([]float32, n)
	if m := node.Attr("nodes_missing_value_tracks_true"); m != nil && len(m.Ints) == n {
		a.missing = m.Ints
	}
	if c := node.Attr("nodes_hitrates"); c != nil && len(c.Floats) == n {
		a.cover = c.Floats
	}
	return nil
}
