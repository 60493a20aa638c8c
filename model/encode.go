package model

import (
	"mlids/model/internal/onnx"
)

// producer is who the file says it was written by.
const producer = "mlids"

// Versions of the standard that files are written in; every ONNX Runtime since 1.12 reads them.
const (
	irVersion = 8
	opset     = 17
	opsetML   = 3
)

// Names of the graph's ends and of the tensor between predictor and link.
const (
	features      = "features"      // float [N, inputs]
	margins       = "margins"       // float [N, outputs]
	probabilities = "probabilities" // float [N, classes]
	label         = "label"         // string [N], by the threshold rule of Model.Decide
)

// encode writes the ONNX file of a predictor: input features, outputs label and probabilities. Equal arguments give equal
// bytes.
func encode(info Info, p Predictor) ([]byte, error) {
	metadata, err := info.entries()
	if err != nil {
		return nil, err
	}
	return write(metadata, info, p), nil
}

// write is encode with these entries of metadata, which do not change what the graph answers.
func write(metadata []onnx.Entry, info Info, p Predictor) []byte {
	inputs, outputs, link := p.shape()
	g := &graphBody{}
	p.encode(g)
	g.link(link)
	g.label(info)
	m := onnx.Model{
		IR:       irVersion,
		Producer: producer,
		Opsets:   []onnx.Opset{{Version: opset}, {Domain: onnx.ML, Version: opsetML}},
		Metadata: metadata,
		Graph: onnx.Graph{
			Name:         "mlids",
			Nodes:        g.nodes,
			Initializers: g.initializers,
			Inputs:       []onnx.Value{{Name: features, Elem: onnx.Float32, Dims: []int64{-1, int64(inputs)}}},
			Outputs: []onnx.Value{
				{Name: label, Elem: onnx.Text, Dims: []int64{-1}},
				{Name: probabilities, Elem: onnx.Float32, Dims: []int64{-1, int64(classes(outputs, link))}},
			},
		},
	}
	return m.Append(nil)
}

// graphBody collects the nodes and constants of a graph.
type graphBody struct {
	nodes        []onnx.Node
	initializers []onnx.Tensor
}

// add appends a node of the standard operators; its name is that of its output.
func (g *graphBody) add(op, out string, in []string, attributes ...onnx.Attribute) {
	g.nodes = append(g.nodes, onnx.Node{Name: out, Op: op, Inputs: in, Outputs: []string{out}, Attributes: attributes})
}

// addML appends a node of the machine-learning operators.
func (g *graphBody) addML(op, out string, in []string, attributes ...onnx.Attribute) {
	g.add(op, out, in, attributes...)
	g.nodes[len(g.nodes)-1].Domain = onnx.ML
}

// floats adds a constant of this shape and returns its name; no dimensions make a scalar.
func (g *graphBody) floats(name string, values []float32, dims ...int64) string {
	g.initializers = append(g.initializers, onnx.Tensor{Name: name, Type: onnx.Float32, Dims: dims, Floats: values})
	return name
}

// ints adds a constant of integers.
func (g *graphBody) ints(name string, values []int64, dims ...int64) string {
	g.initializers = append(g.initializers, onnx.Tensor{Name: name, Type: onnx.Int64, Dims: dims, Ints: values})
	return name
}

// link appends what turns margins into probabilities.
func (g *graphBody) link(l Link) {
	switch l {
	case Identity:
		g.add("Identity", probabilities, []string{margins})
	case Logistic:
		g.add("Sigmoid", "attack", []string{margins})
		g.add("Sub", "benign", []string{g.floats("one", []float32{1}), "attack"})
		g.add("Concat", probabilities, []string{"benign", "attack"}, attrInt("axis", 1))
	case Softmax:
		g.add("Softmax", probabilities, []string{margins}, attrInt("axis", 1))
	case Normalised:
		// float64: where no class is likely, their sum is too small for the float32 operator
		g.add("Sigmoid", "each", []string{g.double(margins)})
		g.add("ReduceSum", "all", []string{"each", g.ints("classes", []int64{1}, 1)}, attrInt("keepdims", 1))
		g.add("Div", "shares", []string{"each", "all"})
		g.add("Cast", probabilities, []string{"shares"}, attrInt("to", onnx.Float32))
	}
}

// label appends the threshold rule: benign when the attack classes sum to less than the threshold, else the most probable
// of them.
func (g *graphBody) label(info Info) {
	k := int64(len(info.Classes))
	others, ids := make([]int64, 0, k), make([]int64, k)
	for i := range k {
		ids[i] = i
		if i > 0 {
			others = append(others, i)
		}
	}
	g.initializers = append(g.initializers, onnx.Tensor{Name: "threshold", Type: onnx.Double, Doubles: []float64{info.Threshold}})
	g.add("Gather", "attacks", []string{probabilities, g.ints("attack_classes", others, k-1)}, attrInt("axis", 1))
	g.add("Cast", "attacks_double", []string{"attacks"}, attrInt("to", onnx.Double))
	g.add("ReduceSum", "attack_sum", []string{"attacks_double", g.ints("attack_axis", []int64{1}, 1)}, attrInt("keepdims", 0))
	g.add("Less", "is_benign", []string{"attack_sum", "threshold"})
	g.add("ArgMax", "best", []string{"attacks"}, attrInt("axis", 1), attrInt("keepdims", 0))
	g.add("Add", "best_attack", []string{"best", g.ints("first_attack", []int64{1})})
	g.add("Where", "class", []string{"is_benign", g.ints("benign_class", []int64{0}), "best_attack"})
	g.addML("LabelEncoder", label, []string{"class"}, attrInts("keys_int64s", ids), attrStrings("values_strings", info.Classes))
}

func attrInt(name string, v int64) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.TypeInt, I: v}
}

func attrFloat(name string, v float32) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.TypeFloat, F: v}
}

func attrString(name, v string) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.TypeString, S: v}
}

func attrInts(name string, v []int64) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.TypeInts, Ints: v}
}

func attrFloats(name string, v []float32) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.TypeFloats, Floats: v}
}

func attrStrings(name string, v []string) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.TypeStrings, Strings: v}
}
