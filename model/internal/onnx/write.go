package onnx

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Append appends the wire format of m to b. The same model gives the same bytes.
func (m *Model) Append(b []byte) []byte {
	b = number(b, 1, m.IR)
	b = text(b, 2, m.Producer)
	b = message(b, 7, m.Graph.append)
	for _, o := range m.Opsets {
		b = message(b, 8, func(b []byte) []byte { return number(text(b, 1, o.Domain), 2, o.Version) })
	}
	for _, e := range m.Metadata {
		b = message(b, 14, func(b []byte) []byte { return text(text(b, 1, e.Key), 2, e.Value) })
	}
	return b
}

func (g *Graph) append(b []byte) []byte {
	for i := range g.Nodes {
		b = message(b, 1, g.Nodes[i].append)
	}
	b = text(b, 2, g.Name)
	for i := range g.Initializers {
		b = message(b, 5, g.Initializers[i].append)
	}
	for i := range g.Inputs {
		b = message(b, 11, g.Inputs[i].append)
	}
	for i := range g.Outputs {
		b = message(b, 12, g.Outputs[i].append)
	}
	return b
}

func (n *Node) append(b []byte) []byte {
	for _, s := range n.Inputs {
		b = text(b, 1, s)
	}
	for _, s := range n.Outputs {
		b = text(b, 2, s)
	}
	b = text(b, 3, n.Name)
	b = text(b, 4, n.Op)
	for i := range n.Attributes {
		b = message(b, 5, n.Attributes[i].append)
	}
	if n.Domain != "" {
		b = text(b, 7, n.Domain)
	}
	return b
}

func (a *Attribute) append(b []byte) []byte {
	b = text(b, 1, a.Name)
	switch a.Type {
	case TypeFloat:
		b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
		b = protowire.AppendFixed32(b, math.Float32bits(a.F))
	case TypeInt:
		b = number(b, 3, a.I)
	case TypeString:
		b = text(b, 4, a.S)
	case TypeTensor:
		b = message(b, 5, a.T.append)
	case TypeFloats:
		b = floats(b, 7, a.Floats)
	case TypeInts:
		b = numbers(b, 8, a.Ints)
	case TypeStrings:
		for _, s := range a.Strings {
			b = text(b, 9, s)
		}
	}
	return number(b, 20, a.Type)
}

func (t *Tensor) append(b []byte) []byte {
	b = numbers(b, 1, t.Dims)
	b = number(b, 2, t.Type)
	switch t.Type {
	case Float32:
		b = floats(b, 4, t.Floats)
	case Double:
		b = message(b, 10, func(b []byte) []byte {
			for _, v := range t.Doubles {
				b = protowire.AppendFixed64(b, math.Float64bits(v))
			}
			return b
		})
	case Text:
		for _, s := range t.Strings {
			b = text(b, 6, s)
		}
	case Int32, Bool:
		b = numbers(b, 5, t.Ints)
	default:
		b = numbers(b, 7, t.Ints)
	}
	return text(b, 8, t.Name)
}

// append writes a tensor's name and type; a dimension below zero becomes the free dimension N.
func (v *Value) append(b []byte) []byte {
	b = text(b, 1, v.Name)
	return message(b, 2, func(b []byte) []byte {
		return message(b, 1, func(b []byte) []byte {
			b = number(b, 1, v.Elem)
			return message(b, 2, v.shape)
		})
	})
}

func (v *Value) shape(b []byte) []byte {
	for _, d := range v.Dims {
		b = message(b, 1, func(b []byte) []byte {
			if d < 0 {
				return text(b, 2, "N")
			}
			return number(b, 1, d)
		})
	}
	return b
}

// number writes a varint field.
func number(b []byte, field protowire.Number, v int64) []byte {
	b = protowire.AppendTag(b, field, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(v))
}

// text writes a string field.
func text(b []byte, field protowire.Number, s string) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendString(b, s)
}

// message writes a length-delimited field: what body appends, after its length.
func message(b []byte, field protowire.Number, body func([]byte) []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, body(nil))
}

// numbers writes packed varints.
func numbers(b []byte, field protowire.Number, values []int64) []byte {
	return message(b, field, func(b []byte) []byte {
		for _, v := range values {
			b = protowire.AppendVarint(b, uint64(v))
		}
		return b
	})
}

// floats writes packed 32-bit floats.
func floats(b []byte, field protowire.Number, values []float32) []byte {
	return message(b, field, func(b []byte) []byte {
		for _, v := range values {
			b = protowire.AppendFixed32(b, math.Float32bits(v))
		}
		return b
	})
}
