package onnx

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

func sample() *Model {
	return &Model{
		IR: 8, Producer: "test", Opsets: []Opset{{"", 17}, {ML, 3}}, Metadata: []Entry{{"key", "välue"}, {"empty", ""}},
		Graph: Graph{
			Name: "g",
			Nodes: []Node{{
				Name: "n", Op: "Scaler", Domain: ML, Inputs: []string{"x", ""}, Outputs: []string{"y"},
				Attributes: []Attribute{
					{Name: "f", Type: TypeFloat, F: -1.5}, {Name: "i", Type: TypeInt, I: -7}, {Name: "s", Type: TypeString, S: "LEAF"},
					{Name: "t", Type: TypeTensor, T: &Tensor{Name: "c", Type: Double, Dims: []int64{2}, Doubles: []float64{1, 2}}},
					{Name: "fs", Type: TypeFloats, Floats: []float32{1, 2.5}}, {Name: "is", Type: TypeInts, Ints: []int64{0, -1, 1 << 40}},
					{Name: "ss", Type: TypeStrings, Strings: []string{"BRANCH_LEQ", "", "other"}},
				},
			}},
			Initializers: []Tensor{
				{Name: "a", Type: Float32, Dims: []int64{1, 2}, Floats: []float32{3, 4}},
				{Name: "b", Type: Int64, Dims: []int64{2}, Ints: []int64{5, -6}},
				{Name: "c", Type: Int32, Dims: []int64{1}, Ints: []int64{-9}},
				{Name: "d", Type: Text, Dims: []int64{2}, Strings: []string{"u", "v"}},
				{Name: "scalar", Type: Double, Doubles: []float64{0.1}},
			},
			Inputs:  []Value{{Name: "x", Elem: Float32, Dims: []int64{-1, 4}}},
			Outputs: []Value{{Name: "y", Elem: Text, Dims: []int64{-1}}},
		},
	}
}

func TestWriteRead(t *testing.T) {
	b := sample().Append(nil)
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample(), got); d != "" {
		t.Errorf("what was read differs: %s", d)
	}
	if again := got.Append(nil); !cmp.Equal(again, b) {
		t.Error("writing again gives other bytes")
	}
}

func TestAttr(t *testing.T) {
	n := &sample().Graph.Nodes[0]
	if a := n.Attr("i"); a == nil || a.I != -7 {
		t.Errorf("attribute i is %v", a)
	}
	if n.Attr("none") != nil {
		t.Error("an attribute that is not there was found")
	}
}

// TestRawTensor reads elements the other way that files store them.
func TestRawTensor(t *testing.T) {
	for _, c := range []struct {
		elem int64
		raw  []byte
		want Tensor
	}{
		{Float32, []byte{0, 0, 0x80, 0x3f}, Tensor{Floats: []float32{1}}},
		{Double, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, Tensor{Doubles: []float64{1}}},
		{Int32, []byte{0xff, 0xff, 0xff, 0xff}, Tensor{Ints: []int64{-1}}},
		{Int64, []byte{2, 0, 0, 0, 0, 0, 0, 0}, Tensor{Ints: []int64{2}}},
		{Bool, []byte{1}, Tensor{Ints: []int64{1}}},
	} {
		b := numbers(nil, 1, []int64{1})
		b = number(b, 2, c.elem)
		b = text(b, 9, string(c.raw))
		var got Tensor
		if err := got.parse(b); err != nil {
			t.Fatal(err)
		}
		c.want.Type, c.want.Dims = c.elem, []int64{1}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("type %d: %s", c.elem, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tensor := func(fields ...[]byte) []byte {
		var all []byte
		for _, f := range fields {
			all = append(all, f...)
		}
		return message(nil, 7, func([]byte) []byte { return message(nil, 5, func([]byte) []byte { return all }) })
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"no graph":       {number(nil, 1, 8), "no graph"},
		"cut short":      {sample().Append(nil)[:100], "offset"},
		"external":       {tensor(number(nil, 2, Float32), number(nil, 14, 1)), "another file"},
		"type":           {tensor(number(nil, 2, 16)), "element type 16"},
		"too few":        {tensor(numbers(nil, 1, []int64{3}), number(nil, 2, Float32)), "0 elements"},
		"negative shape": {tensor(numbers(nil, 1, []int64{-3}), number(nil, 2, Float32)), "shape"},
		"huge shape":     {tensor(numbers(nil, 1, []int64{1 << 40, 1 << 40}), number(nil, 2, Float32)), "shape"},
		"half a float":   {tensor(number(nil, 2, Float32), text(nil, 9, "abc")), "3 bytes"},
		"packed floats":  {tensor(number(nil, 2, Float32), text(nil, 4, "abc")), "floats"},
		"packed doubles": {tensor(number(nil, 2, Double), text(nil, 10, "abc")), "doubles"},
		"packed numbers": {tensor(number(nil, 2, Int64), text(nil, 7, "\xff")), "integers"},
		"sparse":         {message(nil, 7, func([]byte) []byte { return text(nil, 15, "") }), "sparse"},
		"operators":      {many(maxParts+1, 1), "more than 65536 operators"},
		"inputs":         {many(maxParts+1, 11), "more than 65536 inputs"},
		"attributes": {message(nil, 7, func([]byte) []byte {
			return message(nil, 1, func([]byte) []byte { return bytes.Repeat(text(nil, 5, ""), maxAttributes+1) })
		}), "more than 64 attributes"},
		"metadata": {bytes.Repeat(text(nil, 14, ""), maxParts+1), "more than 65536 entries"},
		"sub-graph": {message(nil, 7, func([]byte) []byte {
			return message(nil, 1, func([]byte) []byte { return message(nil, 5, func([]byte) []byte { return text(nil, 6, "") }) })
		}), "sub-graph"},
	} {
		if _, err := Parse(c.file); !errors.Is(err, ErrWire) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want ErrWire with %q", name, err, c.want)
		}
	}
}

// many is a graph of so many empty parts.
func many(n int, field protowire.Number) []byte {
	return message(nil, 7, func([]byte) []byte { return bytes.Repeat(text(nil, field, ""), n) })
}

// FuzzParse reads anything; what is accepted is written and read again as the same.
func FuzzParse(f *testing.F) {
	f.Add(sample().Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		once := m.Append(nil)
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if !cmp.Equal(again.Append(nil), once) {
			t.Error("writing again gives other bytes")
		}
	})
}
