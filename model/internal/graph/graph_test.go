package graph

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"mlids/model/internal/onnx"
)

var nan = math.NaN()

func f32(dims []int, values ...float64) *Tensor {
	return &Tensor{Type: onnx.Float32, Dims: dims, F: values}
}

func i64(values ...float64) *Tensor {
	return &Tensor{Type: onnx.Int64, Dims: []int{len(values)}, F: values}
}

func words(values ...string) *Tensor {
	return &Tensor{Type: onnx.Text, Dims: []int{len(values), 1}, S: values}
}

func ints(name string, v ...int64) onnx.Attribute  { return onnx.Attribute{Name: name, Ints: v} }
func num(name string, v int64) onnx.Attribute      { return onnx.Attribute{Name: name, I: v} }
func single(name string, v float32) onnx.Attribute { return onnx.Attribute{Name: name, F: v} }
func reals(name string, v ...float32) onnx.Attribute {
	return onnx.Attribute{Name: name, Floats: v}
}
func word(name, v string) onnx.Attribute { return onnx.Attribute{Name: name, S: v} }
func list(name string, v ...string) onnx.Attribute {
	return onnx.Attribute{Name: name, Strings: v}
}

// apply runs one operator.
func apply(n onnx.Node, in []*Tensor) (*Tensor, error) {
	g := &onnx.Graph{}
	feed := map[string]*Tensor{}
	for i, t := range in {
		name := string(rune('a' + i))
		n.Inputs = append(n.Inputs, name)
		g.Inputs = append(g.Inputs, onnx.Value{Name: name})
		feed[name] = t
	}
	n.Outputs = []string{"y"}
	if n.Op == "LinearClassifier" || n.Op == "SVMClassifier" {
		n.Outputs = []string{"label", "y"}
	}
	g.Nodes = []onnx.Node{n}
	p, err := Compile(g, "y", nil)
	if err != nil {
		return nil, err
	}
	return p.Run(feed)
}

func TestOperators(t *testing.T) {
	x := f32([]int{2, 3}, 1, -2, 3, 4, 0, -6)
	row := f32([]int{3}, 10, 20, 30)
	column := f32([]int{2, 1}, 1, 2)
	for _, c := range []struct {
		op    string
		ml    bool
		attrs []onnx.Attribute
		in    []*Tensor
		dims  []int
		want  []float64
	}{
		{op: "Neg", in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{-1, 2, -3, -4, 0, 6}},
		{op: "Sign", in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{1, -1, 1, 1, 0, -1}},
		{op: "Relu", in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{1, 0, 3, 4, 0, 0}},
		{op: "Not", in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{0, 0, 0, 0, 1, 0}},
		{op: "Reciprocal", in: []*Tensor{column}, dims: []int{2, 1}, want: []float64{1, 0.5}},
		{op: "Add", in: []*Tensor{x, row}, dims: []int{2, 3}, want: []float64{11, 18, 33, 14, 20, 24}},
		{op: "Sub", in: []*Tensor{column, x}, dims: []int{2, 3}, want: []float64{0, 3, -2, -2, 2, 8}},
		{op: "Mul", in: []*Tensor{column, row}, dims: []int{2, 3}, want: []float64{10, 20, 30, 20, 40, 60}},
		{op: "Div", in: []*Tensor{i64(7, -7), i64(2)}, dims: []int{2}, want: []float64{3, -3}},
		{op: "Pow", in: []*Tensor{column, f32(nil, 3)}, dims: []int{2, 1}, want: []float64{1, 8}},
		{op: "Sum", in: []*Tensor{column, column, column}, dims: []int{2, 1}, want: []float64{3, 6}},
		{op: "Max", in: []*Tensor{x, f32(nil, 2)}, dims: []int{2, 3}, want: []float64{2, 2, 3, 4, 2, 2}},
		{op: "Less", in: []*Tensor{x, f32(nil, 1)}, dims: []int{2, 3}, want: []float64{0, 1, 0, 0, 1, 1}},
		{op: "Equal", in: []*Tensor{x, f32(nil, 4)}, dims: []int{2, 3}, want: []float64{0, 0, 0, 1, 0, 0}},
		{op: "And", in: []*Tensor{x, column}, dims: []int{2, 3}, want: []float64{1, 1, 1, 1, 0, 1}},
		{op: "Where", in: []*Tensor{x, row, column}, dims: []int{2, 3}, want: []float64{10, 20, 30, 10, 2, 30}},
		{op: "Clip", in: []*Tensor{x, f32(nil, -1), f32(nil, 3)}, dims: []int{2, 3}, want: []float64{1, -1, 3, 3, 0, -1}},
		{op: "Clip", attrs: []onnx.Attribute{single("max", 2)}, in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{1, -2, 2, 2, 0, -6}},
		{op: "Cast", attrs: []onnx.Attribute{num("to", onnx.Int64)}, in: []*Tensor{f32([]int{2}, 1.9, -1.9)}, dims: []int{2}, want: []float64{1, -1}},
		{op: "Cast", attrs: []onnx.Attribute{num("to", onnx.Bool)}, in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{1, 1, 1, 1, 0, 1}},
		{op: "MatMul", in: []*Tensor{x, f32([]int{3, 1}, 1, 1, 1)}, dims: []int{2, 1}, want: []float64{2, -2}},
		{op: "MatMul", in: []*Tensor{x, row}, dims: []int{2}, want: []float64{60, -140}},
		{op: "Gemm", attrs: []onnx.Attribute{num("transB", 1), single("alpha", 2), single("beta", 3)}, in: []*Tensor{x, f32([]int{1, 3}, 1, 1, 1), f32(nil, 1)}, dims: []int{2, 1}, want: []float64{7, -1}},
		{op: "Gemm", attrs: []onnx.Attribute{num("transA", 1)}, in: []*Tensor{column, column}, dims: []int{1, 1}, want: []float64{5}},
		{op: "Transpose", in: []*Tensor{x}, dims: []int{3, 2}, want: []float64{1, 4, -2, 0, 3, -6}},
		{op: "Concat", attrs: []onnx.Attribute{num("axis", -1)}, in: []*Tensor{column, x}, dims: []int{2, 4}, want: []float64{1, 1, -2, 3, 2, 4, 0, -6}},
		{op: "Reshape", in: []*Tensor{x, i64(-1, 2)}, dims: []int{3, 2}, want: x.F},
		{op: "Reshape", in: []*Tensor{x, i64(0, 1, 3)}, dims: []int{2, 1, 3}, want: x.F},
		{op: "Flatten", in: []*Tensor{f32([]int{2, 1, 2}, 1, 2, 3, 4)}, dims: []int{2, 2}, want: []float64{1, 2, 3, 4}},
		{op: "Squeeze", in: []*Tensor{column, i64(1)}, dims: []int{2}, want: []float64{1, 2}},
		{op: "Unsqueeze", in: []*Tensor{row, i64(0)}, dims: []int{1, 3}, want: row.F},
		{op: "Gather", attrs: []onnx.Attribute{num("axis", 1)}, in: []*Tensor{x, i64(2, -3)}, dims: []int{2, 2}, want: []float64{3, 1, -6, 4}},
		{op: "ReduceSum", attrs: []onnx.Attribute{num("keepdims", 0)}, in: []*Tensor{x, i64(1)}, dims: []int{2}, want: []float64{2, -2}},
		{op: "ReduceMean", attrs: []onnx.Attribute{ints("axes", 0)}, in: []*Tensor{x}, dims: []int{1, 3}, want: []float64{2.5, -1, -1.5}},
		{op: "ReduceMax", in: []*Tensor{x}, dims: []int{1, 1}, want: []float64{4}},
		{op: "ReduceL2", attrs: []onnx.Attribute{ints("axes", 1)}, in: []*Tensor{f32([]int{1, 2}, 3, 4)}, dims: []int{1, 1}, want: []float64{5}},
		{op: "ArgMax", attrs: []onnx.Attribute{num("axis", 1), num("keepdims", 0)}, in: []*Tensor{x}, dims: []int{2}, want: []float64{2, 0}},
		{op: "ArgMin", attrs: []onnx.Attribute{num("axis", 0)}, in: []*Tensor{x}, dims: []int{1, 3}, want: []float64{0, 0, 1}},
		{op: "Softmax", in: []*Tensor{f32([]int{2, 2}, 5, 5, 1000, 0)}, dims: []int{2, 2}, want: []float64{0.5, 0.5, 1, 0}},
		{op: "Constant", attrs: []onnx.Attribute{reals("value_floats", 1, 2)}, dims: []int{2}, want: []float64{1, 2}},

		{op: "ArrayFeatureExtractor", ml: true, in: []*Tensor{x, i64(2, 0)}, dims: []int{2, 2}, want: []float64{3, 1, -6, 4}},
		{op: "ArrayFeatureExtractor", ml: true, in: []*Tensor{row, i64(1, 1)}, dims: []int{1, 2}, want: []float64{20, 20}},
		{op: "Scaler", ml: true, attrs: []onnx.Attribute{reals("offset", 1, 0, 3), reals("scale", 2)}, in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{0, -4, 0, 6, 0, -18}},
		{op: "Normalizer", ml: true, attrs: []onnx.Attribute{word("norm", "L1")}, in: []*Tensor{f32([]int{2, 2}, 1, -3, 0, 0)}, dims: []int{2, 2}, want: []float64{0.25, -0.75, 0, 0}},
		{op: "Normalizer", ml: true, attrs: []onnx.Attribute{word("norm", "L2")}, in: []*Tensor{f32([]int{1, 2}, 3, -4)}, dims: []int{1, 2}, want: []float64{float64(float32(0.6)), float64(float32(-0.8))}},
		{op: "Imputer", ml: true, attrs: []onnx.Attribute{reals("imputed_value_floats", 7, 8), single("replaced_value_float", float32(nan))}, in: []*Tensor{f32([]int{2, 2}, nan, 1, 2, nan)}, dims: []int{2, 2}, want: []float64{7, 1, 2, 8}},
		{op: "Binarizer", ml: true, attrs: []onnx.Attribute{single("threshold", 0)}, in: []*Tensor{x}, dims: []int{2, 3}, want: []float64{1, 0, 1, 1, 0, 0}},
		{op: "OneHotEncoder", ml: true, attrs: []onnx.Attribute{list("cats_strings", "a", "b")}, in: []*Tensor{words("b", "z")}, dims: []int{2, 1, 2}, want: []float64{0, 1, 0, 0}},
		{op: "OneHotEncoder", ml: true, attrs: []onnx.Attribute{ints("cats_int64s", 3, 5)}, in: []*Tensor{i64(5, 3)}, dims: []int{2, 2}, want: []float64{0, 1, 1, 0}},
		{op: "FeatureVectorizer", ml: true, in: []*Tensor{column, column}, dims: []int{2, 2}, want: []float64{1, 1, 2, 2}},
		{op: "LabelEncoder", ml: true, attrs: []onnx.Attribute{list("keys_strings", "a", "b"), ints("values_int64s", 4, 5), num("default_int64", 9)}, in: []*Tensor{words("b", "c")}, dims: []int{2, 1}, want: []float64{5, 9}},
		{op: "LinearRegressor", ml: true, attrs: []onnx.Attribute{reals("coefficients", 1, 0, 1), reals("intercepts", 1)}, in: []*Tensor{x}, dims: []int{2, 1}, want: []float64{5, -1}},
		{op: "LinearClassifier", ml: true, attrs: []onnx.Attribute{reals("coefficients", 1, 0, 0, 0, 1, 0), reals("intercepts", 0, 1), ints("classlabels_ints", 0, 1)}, in: []*Tensor{x}, dims: []int{2, 2}, want: []float64{1, -1, 4, 1}},
	} {
		n := onnx.Node{Op: c.op, Attributes: c.attrs}
		if c.ml {
			n.Domain = onnx.ML
		}
		got, err := apply(n, c.in)
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		if !equal(got.Dims, c.dims) || !near(got.F, c.want) {
			t.Errorf("%s: %v %v, want %v %v", c.op, got.Dims, got.F, c.dims, c.want)
		}
	}
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func near(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-7 {
			return false
		}
	}
	return true
}

func TestOperatorsRefuse(t *testing.T) {
	x := f32([]int{2, 3}, 1, 2, 3, 4, 5, 6)
	for _, c := range []struct {
		op    string
		ml    bool
		attrs []onnx.Attribute
		in    []*Tensor
		want  string
	}{
		{op: "Add", in: []*Tensor{x, f32([]int{2}, 1, 2)}, want: "do not fit"},
		{op: "Add", in: []*Tensor{x, words("a")}, want: "numbers"},
		{op: "Neg", in: []*Tensor{words("a")}, want: "text"},
		{op: "Where", in: []*Tensor{x, x}, want: "3 inputs"},
		{op: "Cast", attrs: []onnx.Attribute{num("to", 10)}, in: []*Tensor{x}, want: "not supported"},
		{op: "Cast", attrs: []onnx.Attribute{num("to", onnx.Text)}, in: []*Tensor{x}, want: "not supported"},
		{op: "MatMul", in: []*Tensor{x, x}, want: "do not fit"},
		{op: "Reshape", in: []*Tensor{x, i64(4, -1)}, want: "shape"},
		{op: "Reshape", in: []*Tensor{x, f32([]int{1}, 1e30)}, want: "index"},
		{op: "Gather", in: []*Tensor{x, i64(2)}, want: "axis 2 of 2"},
		{op: "Gather", in: []*Tensor{x, f32([]int{1}, nan)}, want: "no index"},
		{op: "Softmax", attrs: []onnx.Attribute{num("axis", 0)}, in: []*Tensor{x}, want: "softmax"},
		{op: "Concat", attrs: []onnx.Attribute{num("axis", 2)}, in: []*Tensor{x}, want: "axis"},
		{op: "Constant", want: "no value"},
		{op: "Scaler", ml: true, attrs: []onnx.Attribute{reals("offset", 1, 2), reals("scale", 1)}, in: []*Tensor{x}, want: "2 values for 3 columns"},
		{op: "Normalizer", ml: true, attrs: []onnx.Attribute{word("norm", "L9")}, in: []*Tensor{x}, want: "L9"},
		{op: "LabelEncoder", ml: true, attrs: []onnx.Attribute{list("keys_strings", "a"), ints("values_int64s", 4, 5)}, in: []*Tensor{words("b")}, want: "1 keys for 2 values"},
		{op: "LinearClassifier", ml: true, attrs: []onnx.Attribute{reals("coefficients", 1), ints("classlabels_ints", 0, 1)}, in: []*Tensor{x}, want: "coefficients"},
		{op: "SVMClassifier", ml: true, in: []*Tensor{x}, want: "0 classes"},
		{op: "Unsqueeze", in: []*Tensor{x, i64(0, 0)}, want: "axes"},
	} {
		n := onnx.Node{Op: c.op, Attributes: c.attrs}
		if c.ml {
			n.Domain = onnx.ML
		}
		if _, err := apply(n, c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.op, err, c.want)
		}
	}
}

// TestOnlyWhatIsNeeded compiles a graph whose label needs an operator that does not exist.
func TestOnlyWhatIsNeeded(t *testing.T) {
	g := &onnx.Graph{
		Inputs: []onnx.Value{{Name: "x"}},
		Nodes: []onnx.Node{
			{Op: "Strange", Inputs: []string{"x"}, Outputs: []string{"label"}},
			{Op: "Softmax", Inputs: []string{"x"}, Outputs: []string{"y"}},
		},
	}
	if _, err := Compile(g, "y", nil); err != nil {
		t.Error(err)
	}
	if _, err := Compile(g, "label", nil); !errors.Is(err, ErrOperator) {
		t.Errorf("%v, want ErrOperator", err)
	}
}

// A file of a few megabytes can ask for more than any machine does in a day; a run has a bound for all of its operators.
func TestWorkIsBounded(t *testing.T) {
	x := f32([]int{3, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	c := &call{work: 100}
	for range 3 {
		if _, err := c.product(x, x, false, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.product(x, x, false, false); !errors.Is(err, errWork) {
		t.Errorf("fourth product of 27 multiplications out of 100: %v", err)
	}
	const size = 1 << 10
	g := &onnx.Graph{Initializers: []onnx.Tensor{{Name: "big", Type: onnx.Float32, Dims: []int64{size}, Floats: make([]float32, size)}}}
	for i := range 10 { // each reads a thousand elements and makes one
		g.Nodes = append(g.Nodes, onnx.Node{Op: "ReduceSum", Inputs: []string{"big"}, Outputs: []string{fmt.Sprint("y", i)}})
	}
	var sum onnx.Node
	sum.Op, sum.Outputs = "Sum", []string{"y"}
	for i := range g.Nodes {
		sum.Inputs = append(sum.Inputs, g.Nodes[i].Outputs[0])
	}
	g.Nodes = append(g.Nodes, sum)
	p, err := Compile(g, "y", nil)
	if err != nil {
		t.Fatal(err)
	}
	short := &call{program: p, budget: runElements, work: 3*elementWork*size + 1}
	values := make([]*Tensor, len(p.slots))
	for slot, v := range p.consts {
		values[slot] = v
	}
	steps := 0
	for _, s := range p.steps {
		if err = short.step(s, values); err != nil {
			break
		}
		steps++
	}
	if !errors.Is(err, errWork) || steps != 3 {
		t.Errorf("%v after %d sums over %d elements, want errWork after 3", err, steps, size)
	}
}

func TestTrace(t *testing.T) {
	g := &onnx.Graph{
		Inputs: []onnx.Value{{Name: "x"}},
		Nodes: []onnx.Node{{
			Op: "OneHotEncoder", Domain: onnx.ML, Inputs: []string{"x"}, Outputs: []string{"y"},
			Attributes: []onnx.Attribute{list("cats_strings", "tcp", "udp")},
		}},
	}
	p, err := Compile(g, "y", nil)
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]string{}
	err = p.Trace(map[string]*Tensor{"x": words("token")}, func(token string, categories []string) {
		met[token] = strings.Join(categories, " ")
	})
	if err != nil || met["token"] != "tcp udp" {
		t.Errorf("met %v, %v", met, err)
	}
}
