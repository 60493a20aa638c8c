package onnx

import (
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a message: a number or the bytes of what it holds.
type field struct {
	num   protowire.Number
	value uint64 // of varint, fixed32 and fixed64
	bytes []byte // of length-delimited
	wire  protowire.Type
}

// each calls visit for every field of a message. Errors name the message and the offset in it.
func each(what string, b []byte, visit func(field) error) error {
	for at := 0; at < len(b); {
		f, n := next(b[at:])
		if n < 0 {
			return fmt.Errorf("%w: %s: offset %d of %d: %w", ErrWire, what, at, len(b), protowire.ParseError(n))
		}
		if err := visit(f); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		at += n
	}
	return nil
}

// next reads one field; a negative length is a protowire error.
func next(b []byte) (field, int) {
	num, wire, n := protowire.ConsumeTag(b)
	if n < 0 {
		return field{}, n
	}
	f := field{num: num, wire: wire}
	var m int
	switch wire {
	case protowire.VarintType:
		f.value, m = protowire.ConsumeVarint(b[n:])
	case protowire.Fixed32Type:
		var v uint32
		v, m = protowire.ConsumeFixed32(b[n:])
		f.value = uint64(v)
	case protowire.Fixed64Type:
		f.value, m = protowire.ConsumeFixed64(b[n:])
	case protowire.BytesType:
		f.bytes, m = protowire.ConsumeBytes(b[n:])
	default:
		m = protowire.ConsumeFieldValue(num, wire, b[n:])
	}
	if m < 0 {
		return field{}, m
	}
	return f, n + m
}

// Most parts that a model's messages may have: two bytes are enough for one, which takes a hundred in memory.
const (
	maxParts      = 1 << 16 // operators, constants, inputs, outputs, entries of metadata
	maxAttributes = 64      // of an operator
)

// another makes room for one more part.
func another[T any](parts *[]T, most int, what string) (*T, error) {
	if len(*parts) >= most {
		return nil, fmt.Errorf("%w: more than %d %s", ErrWire, most, what)
	}
	*parts = append(*parts, *new(T))
	return &(*parts)[len(*parts)-1], nil
}

// Parse reads the wire format. The memory it takes is at most a small multiple of the bytes, and a few hundred MiB.
func Parse(b []byte) (*Model, error) {
	m := &Model{}
	graph := false
	err := each("model", b, func(f field) error {
		switch f.num {
		case 1:
			m.IR = int64(f.value)
		case 2:
			m.Producer = string(f.bytes)
		case 7:
			graph = true
			return m.Graph.parse(f.bytes)
		case 8:
			return m.parseOpset(f.bytes)
		case 14:
			return m.parseEntry(f.bytes)
		}
		return nil
	})
	if err == nil && !graph {
		err = fmt.Errorf("%w: it has no graph", ErrWire)
	}
	return m, err
}

func (m *Model) parseOpset(b []byte) error {
	o, err := another(&m.Opsets, maxParts, "operator sets")
	if err != nil {
		return err
	}
	return each("opset", b, func(f field) error {
		switch f.num {
		case 1:
			o.Domain = string(f.bytes)
		case 2:
			o.Version = int64(f.value)
		}
		return nil
	})
}

func (m *Model) parseEntry(b []byte) error {
	e, err := another(&m.Metadata, maxParts, "entries of metadata")
	if err != nil {
		return err
	}
	return each("metadata", b, func(f field) error {
		switch f.num {
		case 1:
			e.Key = string(f.bytes)
		case 2:
			e.Value = string(f.bytes)
		}
		return nil
	})
}

func (g *Graph) parse(b []byte) error {
	return each("graph", b, func(f field) error {
		switch f.num {
		case 1:
			part, err := another(&g.Nodes, maxParts, "operators")
			if err != nil {
				return err
			}
			return part.parse(f.bytes)
		case 2:
			g.Name = string(f.bytes)
		case 5:
			part, err := another(&g.Initializers, maxParts, "constants")
			if err != nil {
				return err
			}
			return part.parse(f.bytes)
		case 11:
			part, err := another(&g.Inputs, maxParts, "inputs")
			if err != nil {
				return err
			}
			return part.parse(f.bytes)
		case 12:
			part, err := another(&g.Outputs, maxParts, "outputs")
			if err != nil {
				return err
			}
			return part.parse(f.bytes)
		case 15:
			return fmt.Errorf("%w: sparse initializers are not supported", ErrWire)
		}
		return nil
	})
}

func (n *Node) parse(b []byte) error {
	return each("node", b, func(f field) error {
		switch f.num {
		case 1:
			n.Inputs = append(n.Inputs, string(f.bytes))
		case 2:
			n.Outputs = append(n.Outputs, string(f.bytes))
		case 3:
			n.Name = string(f.bytes)
		case 4:
			n.Op = string(f.bytes)
		case 5:
			a, err := another(&n.Attributes, maxAttributes, "attributes")
			if err != nil {
				return err
			}
			return a.parse(f.bytes)
		case 7:
			n.Domain = string(f.bytes)
		}
		return nil
	})
}

func (a *Attribute) parse(b []byte) error {
	return each("attribute", b, func(f field) (err error) {
		switch f.num {
		case 1:
			a.Name = string(f.bytes)
		case 2:
			a.F = math.Float32frombits(uint32(f.value))
		case 3:
			a.I = int64(f.value)
		case 4:
			a.S = string(f.bytes)
		case 5:
			a.T = &Tensor{}
			return a.T.parse(f.bytes)
		case 7:
			a.Floats, err = appendFloats(a.Floats, f)
		case 8:
			a.Ints, err = appendInts(a.Ints, f)
		case 9:
			a.Strings = append(a.Strings, intern(f.bytes))
		case 6, 10, 11:
			return fmt.Errorf("%w: attribute %q holds a sub-graph or tensors, not supported", ErrWire, a.Name)
		case 20:
			a.Type = int64(f.value)
		}
		return err
	})
}

// intern gives the strings that trees repeat for each node without allocating them again.
func intern(b []byte) string {
	switch string(b) {
	case "BRANCH_LEQ":
		return "BRANCH_LEQ"
	case "LEAF":
		return "LEAF"
	case "BRANCH_LT":
		return "BRANCH_LT"
	}
	return string(b)
}

// appendFloats reads one 32-bit float or a packed run.
func appendFloats(dst []float32, f field) ([]float32, error) {
	if f.wire != protowire.BytesType {
		return append(dst, math.Float32frombits(uint32(f.value))), nil
	}
	dst = slices.Grow(dst, len(f.bytes)/4)
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeFixed32(b)
		if n < 0 {
			return dst, fmt.Errorf("%w: floats: %w", ErrWire, protowire.ParseError(n))
		}
		dst = append(dst, math.Float32frombits(v))
		b = b[n:]
	}
	return dst, nil
}

// appendDoubles reads one 64-bit float or a packed run.
func appendDoubles(dst []float64, f field) ([]float64, error) {
	if f.wire != protowire.BytesType {
		return append(dst, math.Float64frombits(f.value)), nil
	}
	dst = slices.Grow(dst, len(f.bytes)/8)
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeFixed64(b)
		if n < 0 {
			return dst, fmt.Errorf("%w: doubles: %w", ErrWire, protowire.ParseError(n))
		}
		dst = append(dst, math.Float64frombits(v))
		b = b[n:]
	}
	return dst, nil
}

// appendInts reads one varint or a packed run.
func appendInts(dst []int64, f field) ([]int64, error) {
	if f.wire != protowire.BytesType {
		return append(dst, int64(f.value)), nil
	}
	ends := 0
	for _, c := range f.bytes {
		if c < 0x80 {
			ends++
		}
	}
	dst = slices.Grow(dst, ends)
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return dst, fmt.Errorf("%w: integers: %w", ErrWire, protowire.ParseError(n))
		}
		dst = append(dst, int64(v))
		b = b[n:]
	}
	return dst, nil
}
