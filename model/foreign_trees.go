package model

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"mlids/model/internal/onnx"
)

// treeScores is a TreeEnsemble operator: a forest and what the operator makes of its sums. The rules for two classes that
// share one sum are those of ONNX Runtime.
type treeScores struct {
	forest  *Forest // of the sums; Link is not used
	engine  engine
	outputs int
	post    string
	shared  bool // two classes, one sum
	shares  bool // and it is a probability: no weight is negative
	average float64
}

func newTreeScores(n *onnx.Node) (*treeScores, error) {
	t := &treeScores{average: 1, post: "NONE"}
	if a := n.Attr("post_transform"); a != nil && a.S != "" {
		t.post = a.S
	}
	var err error
	if n.Op == "TreeEnsembleRegressor" {
		err = t.regressor(n)
	} else {
		err = t.classifier(n)
	}
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"NONE", "LOGISTIC", "SOFTMAX"}, t.post) {
		return nil, fmt.Errorf("post_transform %s is not supported", t.post)
	}
	if err := t.forest.check(); err != nil {
		return nil, err
	}
	t.engine = t.forest.compile()
	return t, nil
}

func (t *treeScores) regressor(n *onnx.Node) error {
	targets := n.Attr("n_targets")
	if targets == nil || targets.I < 1 || targets.I > MaxClasses {
		return fmt.Errorf("n_targets: wanted 1 to %d", MaxClasses)
	}
	columns, err := parseEnsemble(n, "target")
	if err != nil {
		return err
	}
	t.outputs = int(targets.I)
	if err := t.build(n, columns, t.outputs); err != nil {
		return err
	}
	switch a := n.Attr("aggregate_function"); {
	case a == nil || a.S == "SUM":
	case a.S == "AVERAGE":
		t.average = float64(len(t.forest.Trees))
	default:
		return fmt.Errorf("aggregate_function %s is not supported", a.S)
	}
	return nil
}

func (t *treeScores) classifier(n *onnx.Node) error {
	for _, name := range []string{"classlabels_strings", "classlabels_int64s"} {
		if a := n.Attr(name); a != nil {
			t.outputs = max(len(a.Strings), len(a.Ints))
		}
	}
	if t.outputs < 2 || t.outputs > MaxClasses {
		return fmt.Errorf("%d class labels, wanted 2 to %d", t.outputs, MaxClasses)
	}
	columns, err := parseEnsemble(n, "class")
	if err != nil {
		return err
	}
	if len(columns.leafOutputs) == 0 {
		return errors.New("no leaf has a value")
	}
	sums, one := t.outputs, columns.leafOutputs[0]
	if t.shared = sums == 2 && !slices.ContainsFunc(columns.leafOutputs, func(id int64) bool { return id != one }); t.shared {
		sums = 1
		columns.leafOutputs = make([]int64, len(columns.leafOutputs))
		t.shares = !slices.ContainsFunc(columns.leafValues, func(w float32) bool { return w < 0 })
	}
	return t.build(n, columns, sums)
}

// build makes the forest of the sums.
func (t *treeScores) build(n *onnx.Node, columns *ensemble, sums int) error {
	f := &Forest{Inputs: 1, Outputs: sums, Base: make([]float64, sums), Link: Softmax}
	if sums == 1 {
		f.Link = Logistic
	}
	if a := n.Attr("base_values"); a != nil && len(a.Floats) == sums {
		f.Base = widen(a.Floats)
	} else if a != nil && len(a.Floats) > 0 {
		return fmt.Errorf("%d base_values for %d sums", len(a.Floats), sums)
	}
	for _, input := range columns.features {
		if input < 0 || input >= MaxInputs {
			return fmt.Errorf("input %d, wanted 0 to %d", input, MaxInputs-1)
		}
		f.Inputs = max(f.Inputs, int(input)+1)
	}
	var err error
	f.Trees, err = columns.decode(sums)
	t.forest = f
	return err
}

// Scores runs the forest over a matrix.
func (t *treeScores) Scores(x []float32, n, width int) ([]float64, int, error) {
	inputs, sums := t.forest.Inputs, t.forest.Outputs
	if width < inputs {
		return nil, 0, fmt.Errorf("%d columns, the trees ask for input %d", width, inputs-1)
	}
	if width > inputs {
		narrow := make([]float32, 0, n*inputs)
		for i := range n {
			narrow = append(narrow, x[i*width:i*width+inputs]...)
		}
		x = narrow
	}
	raw := make([]float64, n*sums)
	if err := t.engine.margins(raw, x, &scratch{}); err != nil {
		return nil, 0, err
	}
	out := make([]float64, 0, n*t.outputs)
	for ; len(raw) > 0; raw = raw[sums:] {
		out = append(out, t.finish(raw[:sums])...)
	}
	return out, t.outputs, nil
}

// finish makes a row of scores of its sums.
func (t *treeScores) finish(sums []float64) []float64 {
	for i, base := range t.forest.Base {
		sums[i] = base + (sums[i]-base)/t.average
	}
	if t.shared {
		return t.both(sums[0])
	}
	switch t.post {
	case "LOGISTIC":
		for i, v := range sums {
			sums[i] = logistic(v)
		}
	case "SOFTMAX":
		probs := make([]float32, len(sums))
		Softmax.row(probs, sums)
		return widen(probs)
	}
	return sums
}

// both makes two classes' scores of one sum.
func (t *treeScores) both(sum float64) []float64 {
	switch {
	case t.post == "LOGISTIC":
		return []float64{logistic(-sum), logistic(sum)}
	case t.shares:
		return []float64{1 - sum, sum}
	}
	return []float64{-sum, sum}
}

func logistic(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// liftForest recognises a graph that is one tree ensemble classifier from its lone input to its output, and returns the
// forest, its classes in the given order; nil when the graph is anything else.
func liftForest(g *onnx.Graph, inputs []graphInput, output string, order []int) *Forest {
	if len(inputs) != 1 || inputs[0].elem != onnx.Float32 {
		return nil
	}
	n := source(g, output)
	if n == nil || n.Op != "TreeEnsembleClassifier" || len(n.Inputs) != 1 || len(n.Outputs) != 2 || n.Inputs[0] != inputs[0].name {
		return nil
	}
	t, err := newTreeScores(n)
	if err != nil || t.forest.Inputs > inputs[0].width {
		return nil // running the graph tells why
	}
	f := t.forest
	f.Inputs = inputs[0].width
	switch {
	case t.shared && (t.post == "LOGISTIC" || t.post == "NONE" && !t.shares):
		f.Link = Logistic
		if len(order) == 2 && order[0] == 1 {
			f.negate()
		}
		return f
	case t.shared && t.post == "NONE" && len(order) == 2:
		f.Link = Identity
		f.split()
		if !f.shared() {
			return nil
		}
	case t.shared || len(order) != f.Outputs:
		return nil
	case t.post == "SOFTMAX":
		f.Link = Softmax
	case t.post == "NONE" && f.shared():
		f.Link = Identity
	default:
		return nil
	}
	f.reorder(order)
	return f
}

// shared reports whether the sums are probabilities whatever the row: each between 0 and 1.
func (f *Forest) shared() bool {
	least, most := slices.Clone(f.Base), slices.Clone(f.Base)
	for i := range f.Trees {
		t := &f.Trees[i]
		if t.Output >= 0 {
			return false
		}
		for o := range f.Outputs {
			low, high := t.Values[o], t.Values[o]
			for v := o; v < len(t.Values); v += f.Outputs {
				low, high = min(low, t.Values[v]), max(high, t.Values[v])
			}
			least[o] += low
			most[o] += high
		}
	}
	const rounding = 1e-3
	return slices.Min(least) >= -rounding && slices.Max(most) <= 1+rounding
}

// split gives two classes that share one sum p their own: 1-p and p.
func (f *Forest) split() {
	f.Outputs, f.Base = 2, []float64{1 - f.Base[0], f.Base[0]}
	for i := range f.Trees {
		t := &f.Trees[i]
		values := make([]float64, 0, 2*len(t.Values))
		for _, v := range t.Values {
			values = append(values, -v, v)
		}
		for j := range t.Nodes {
			if t.Nodes[j].Feature < 0 {
				t.Nodes[j].Left *= 2
			}
		}
		t.Output, t.Values = -1, values
	}
}

// negate turns one margin into that of the other class.
func (f *Forest) negate() {
	f.Base[0] = -f.Base[0]
	for i := range f.Trees {
		for j := range f.Trees[i].Values {
			f.Trees[i].Values[j] *= -1
		}
	}
}

// reorder makes output k what order[k] was.
func (f *Forest) reorder(order []int) {
	place, base := make([]int32, len(order)), slices.Clone(f.Base)
	for k, from := range order {
		place[from] = int32(k)
		f.Base[k] = base[from]
	}
	for i := range f.Trees {
		t := &f.Trees[i]
		if t.Output >= 0 {
			t.Output = place[t.Output]
			continue
		}
		old := slices.Clone(t.Values)
		for v := range old {
			leaf, o := v/f.Outputs, v%f.Outputs
			t.Values[leaf*f.Outputs+int(place[o])] = old[v]
		}
	}
}

// source is the node that makes a value, behind operators that pass it on unchanged.
func source(g *onnx.Graph, value string) *onnx.Node {
	makers, fixed := map[string]*onnx.Node{}, constantsOf(g)
	for i := range slices.Backward(g.Nodes) { // of several the first counts
		for _, out := range g.Nodes[i].Outputs {
			makers[out] = &g.Nodes[i]
		}
	}
	for range g.Nodes {
		n := makers[value]
		switch {
		case n == nil:
			return nil
		case passes(fixed, n):
			value = n.Inputs[0]
		case n.Outputs[0] == value && len(n.Outputs) > 1:
			return nil // the label, not the scores
		default:
			return n
		}
	}
	return nil
}

// passes reports whether a node gives its first input unchanged, as far as float32 numbers go.
func passes(fixed map[string]*onnx.Tensor, n *onnx.Node) bool {
	switch {
	case len(n.Inputs) == 0:
		return false
	case n.Op == "Identity" || n.Op == "ZipMap":
		return true
	case n.Op == "Cast":
		a := n.Attr("to")
		return a != nil && a.I == onnx.Float32
	case n.Op == "Mul" && len(n.Inputs) == 2:
		t := fixed[n.Inputs[1]]
		return t != nil && len(t.Floats) == 1 && t.Floats[0] == 1
	}
	return false
}
