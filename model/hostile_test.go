package model

import (
	"errors"
	"strings"
	"testing"

	"mlids/model/internal/onnx"
)

// graphFile wraps nodes into a file of another tool: input x of four columns, output probabilities.
func graphFile(constants []onnx.Tensor, nodes ...onnx.Node) []byte {
	m := onnx.Model{IR: 8, Producer: "someone", Graph: onnx.Graph{
		Nodes: nodes, Initializers: constants,
		Inputs:  []onnx.Value{{Name: "x", Elem: onnx.Float32, Dims: []int64{-1, 4}}},
		Outputs: []onnx.Value{{Name: "probabilities", Elem: onnx.Float32, Dims: []int64{-1, 2}}},
	}}
	return m.Append(nil)
}

func node(op, out string, in ...string) onnx.Node {
	return onnx.Node{Op: op, Inputs: in, Outputs: []string{out}}
}

func TestReadRefuses(t *testing.T) {
	huge := onnx.Tensor{Name: "huge", Type: onnx.Int64, Dims: []int64{2}, Ints: []int64{1 << 40, 1 << 40}}
	wide := onnx.Tensor{Name: "wide", Type: onnx.Int64, Dims: []int64{2}, Ints: []int64{-1, 3}}
	var doubling []onnx.Node
	last := "x"
	for i := range 30 {
		next := "x" + strings.Repeat("x", i+1)
		doubling = append(doubling, node("Concat", next, last, last))
		last = next
	}
	doubling = append(doubling, node("Softmax", "probabilities", last))
	loop := growForest(1, 4, 2, 1, 3, Softmax)
	loop.Trees[0].Nodes[0].Right = 0
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":            {nil, "no graph"},
		"text":             {[]byte("hello"), "not an ONNX model"},
		"cut short":        {graphFile(nil, node("Softmax", "probabilities", "x"))[:40], "not an ONNX model"},
		"cycle":            {graphFile(nil, node("Neg", "a", "b"), node("Neg", "b", "a"), node("Softmax", "probabilities", "b")), "cycle"},
		"own input":        {graphFile(nil, node("Add", "probabilities", "x", "probabilities")), "cycle"},
		"made twice":       {graphFile(nil, node("Neg", "x", "x")), "twice"},
		"no output":        {graphFile(nil, node("Neg", "a", "x")), `"probabilities"`},
		"unknown operator": {graphFile(nil, node("Loop", "probabilities", "x")), "not supported"},
		"huge shape":       {graphFile([]onnx.Tensor{huge}, node("Reshape", "probabilities", "x", "huge")), "Reshape"},
		"wrong shape":      {graphFile([]onnx.Tensor{wide}, node("Reshape", "probabilities", "x", "wide")), "Reshape"},
		"doubling":         {graphFile(nil, doubling...), "elements"},
		"tree with a loop": {graphFile(nil, treeNode(loop)), "cannot be reached"},
		"XGBoost":          {[]byte(`{"learner": {}}`), "booster"},
		"LightGBM":         {[]byte("tree\nversion=v2\n"), "v3 or v4"},
	} {
		_, err := Read(c.file)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want ErrInvalid with %q", name, err, c.want)
		}
	}
}

// treeNode writes a forest as its operator, whatever is wrong with it.
func treeNode(f *Forest) onnx.Node {
	g := &graphBody{}
	f.encode(g)
	n := g.nodes[0]
	n.Inputs, n.Outputs = []string{"x"}, []string{"probabilities"}
	return n
}

func TestTooLarge(t *testing.T) {
	if _, err := Read(make([]byte, MaxFile+1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

// TestChangedFile changes a file of ours: what its graph then says is what counts, not what it was written as.
func TestChangedFile(t *testing.T) {
	m, err := New(testInfo(4, 2), growForest(1, 4, 1, 3, 4, Logistic))
	if err != nil {
		t.Fatal(err)
	}
	file, err := onnx.Parse(m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	for i := range file.Graph.Nodes {
		if n := &file.Graph.Nodes[i]; n.Op == "Sub" { // P(benign) becomes attack - 1
			n.Inputs[0], n.Inputs[1] = n.Inputs[1], n.Inputs[0]
		}
	}
	changed, err := Read(file.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	row, a, b := randomRows(1, 1, 4), make([]float32, 2), make([]float32, 2)
	if err := errors.Join(m.Probabilities(a, row), changed.Probabilities(b, row)); err != nil {
		t.Fatal(err)
	}
	if a[0] == b[0] {
		t.Errorf("the changed file answers %v as before", b)
	}
}
