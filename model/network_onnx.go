package model

import (
	"errors"
	"fmt"
	"math"

	"mlids/model/internal/onnx"
)

// encode writes Imputer, logarithm, Scaler, Clip and one Gemm and activation per layer.
func (n *Network) encode(g *graphBody) {
	s := &n.Scaler
	g.addML("Imputer", "filled", []string{features},
		attrFloats("imputed_value_floats", s.Missing), attrFloat("replaced_value_float", float32(math.NaN())))
	last := "filled"
	if s.Log {
		g.add("Abs", "absolute", []string{last})
		g.add("Add", "above_one", []string{"absolute", g.floats("log_offset", []float32{1})})
		g.add("Log", "log", []string{"above_one"})
		g.add("Sign", "sign", []string{last})
		g.add("Mul", "logarithm", []string{"sign", "log"})
		last = "logarithm"
	}
	g.addML("Scaler", "scaled", []string{last}, attrFloats("offset", s.Offset), attrFloats("scale", s.Scale))
	limit := s.limit()
	g.add("Clip", "clipped", []string{"scaled", g.floats("lowest", []float32{-limit}), g.floats("highest", []float32{limit})})
	last = "clipped"
	for i := range n.Layers {
		l := &n.Layers[i]
		out := fmt.Sprintf("layer%d", i)
		if i == len(n.Layers)-1 {
			out = margins
		}
		weights := g.floats(fmt.Sprintf("weights%d", i), l.Weights, int64(l.Out), int64(l.In))
		bias := g.floats(fmt.Sprintf("bias%d", i), l.Bias, int64(l.Out))
		g.add("Gemm", out, []string{last, weights, bias}, attrInt("transB", 1))
		last = out
		if l.Activation != None {
			last = fmt.Sprintf("active%d", i)
			g.add(l.Activation.String(), last, []string{out})
		}
	}
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
