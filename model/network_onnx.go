package model

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"mlids/model/internal/onnx"
)

// encode writes Imputer, logarithm, Scaler, Clip and the layers.
func (n *Network) encode(g *graphBody) {
	s := &n.Scaler
	g.addML("Imputer", "filled", []string{features},
		attrFloats("imputed_value_floats", s.Missing), attrFloat("replaced_value_float", float32(math.NaN())))
	if s.Log {
		s.encodeLog(g)
	} else {
		g.addML("Scaler", "scaled", []string{"filled"}, attrFloats("offset", s.Offset), attrFloats("scale", s.Scale))
	}
	limit := s.limit()
	g.add("Clip", "clipped", []string{"scaled", g.floats("lowest", []float32{-limit}), g.floats("highest", []float32{limit})})
	last := "clipped"
	for i := range n.Layers {
		last = n.Layers[i].encode(g, i, last, i == len(n.Layers)-1)
	}
}

// encode writes a layer: like here, its sums are float64, so that large weights of opposite signs cost no precision.
func (l *Layer) encode(g *graphBody, i int, in string, end bool) string {
	name := func(part string) string { return part + strconv.Itoa(i) }
	weights := g.double(g.floats(name("weights"), l.Weights, int64(l.Out), int64(l.In)))
	bias := g.double(g.floats(name("bias"), l.Bias, int64(l.Out)))
	g.add("Gemm", name("sum"), []string{g.double(in), weights, bias}, attrInt("transB", 1))
	out := name("layer")
	if end {
		out = margins
	}
	g.add("Cast", out, []string{name("sum")}, attrInt("to", onnx.Float32))
	if l.Activation == None {
		return out
	}
	g.add(l.Activation.String(), name("active"), []string{out})
	return name("active")
}

// encodeLog writes the logarithm and the scaling of it as float64: small deviations would be told apart otherwise.
func (s *Scaler) encodeLog(g *graphBody) {
	n := int64(len(s.Offset))
	one := g.double(g.floats("log_offset", []float32{1}))
	x := g.double("filled")
	g.add("Abs", "absolute", []string{x})
	g.add("Add", "above_one", []string{"absolute", one})
	g.add("Log", "log", []string{"above_one"})
	g.add("Sign", "sign", []string{x})
	g.add("Mul", "logarithm", []string{"sign", "log"})
	g.add("Sub", "centred", []string{"logarithm", g.double(g.floats("offset", s.Offset, n))})
	g.add("Mul", "scaled_double", []string{"centred", g.double(g.floats("scale", s.Scale, n))})
	g.add("Cast", "scaled", []string{"scaled_double"}, attrInt("to", onnx.Float32))
}

// double adds a node that makes float64 of a value, and returns its name.
func (g *graphBody) double(value string) string {
	g.add("Cast", value+"_double", []string{value}, attrInt("to", onnx.Double))
	return value + "_double"
}

func (s *Scaler) limit() float32 {
	if s.Limit == 0 {
		return DefaultLimit
	}
	return s.Limit
}

// decodeNetwork takes the parameters out of the nodes that encode writes, wherever they stand; reading compares the whole.
func decodeNetwork(g *onnx.Graph, link Link) (*Network, error) {
	constants := map[string]*onnx.Tensor{}
	for i := range g.Initializers {
		constants[g.Initializers[i].Name] = &g.Initializers[i]
	}
	n := &Network{Link: link}
	for i := range g.Nodes {
		if err := n.decodeNode(&g.Nodes[i], constants); err != nil {
			return nil, fmt.Errorf("node %s: %w", g.Nodes[i].Name, err)
		}
	}
	if offset, scale := constants["offset"], constants["scale"]; n.Scaler.Log && offset != nil && scale != nil {
		n.Scaler.Offset, n.Scaler.Scale = offset.Floats, scale.Floats
	}
	if highest := constants["highest"]; highest != nil && len(highest.Floats) == 1 {
		n.Scaler.Limit = highest.Floats[0]
	}
	return n, nil
}

func (n *Network) decodeNode(node *onnx.Node, constants map[string]*onnx.Tensor) error {
	switch node.Op {
	case "Imputer":
		n.Scaler.Missing = floatsOf(node, "imputed_value_floats")
	case "Log":
		n.Scaler.Log = true
	case "Scaler":
		n.Scaler.Offset, n.Scaler.Scale = floatsOf(node, "offset"), floatsOf(node, "scale")
	case "Cast":
		if len(node.Inputs) == 1 && len(node.Outputs) == 1 {
			constants[node.Outputs[0]] = constants[node.Inputs[0]]
		}
	case "Gemm":
		if len(node.Inputs) != 3 {
			return errors.New("wanted three inputs")
		}
		weights, bias := constants[node.Inputs[1]], constants[node.Inputs[2]]
		if weights == nil || bias == nil || len(weights.Dims) != 2 {
			return errors.New("weights and bias are no constants")
		}
		n.Layers = append(n.Layers, Layer{
			In: int(weights.Dims[1]), Out: int(weights.Dims[0]), Weights: weights.Floats, Bias: bias.Floats,
		})
	case "Relu", "Tanh", "Cos":
		if len(n.Layers) == 0 {
			return errors.New("activation before any layer")
		}
		n.Layers[len(n.Layers)-1].Activation = activationOf(node.Op)
	}
	return nil
}

func activationOf(op string) Activation {
	for a, name := range activationNames {
		if name == op {
			return Activation(a)
		}
	}
	return None
}

// floatsOf returns an attribute's floats, nil when there is none.
func floatsOf(node *onnx.Node, name string) []float32 {
	if a := node.Attr(name); a != nil {
		return a.Floats
	}
	return nil
}
