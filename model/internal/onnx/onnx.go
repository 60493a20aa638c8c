// Package onnx holds ONNX files in memory and reads and writes their protobuf wire format: the part of the standard that
// trained models use, without sub-graphs and tensors in other files. Field numbers are those of onnx.proto (IR version 8).
package onnx

import (
	"errors"
	"fmt"
)

// ErrWire is returned for bytes that are no ONNX model.
var ErrWire = errors.New("not an ONNX model")

// ML is the domain of the operators of classical machine learning.
const ML = "ai.onnx.ml"

// Model is a ModelProto.
type Model struct {
	IR       int64
	Producer string
	Opsets   []Opset
	Graph    Graph
	Metadata []Entry
}

// Opset is the version of one domain's operators.
type Opset struct {
	Domain  string
	Version int64
}

// Entry is one pair of metadata_props.
type Entry struct{ Key, Value string }

// Graph is a GraphProto.
type Graph struct {
	Name            string
	Nodes           []Node
	Initializers    []Tensor
	Inputs, Outputs []Value
}

// Node is a NodeProto: one operator.
type Node struct {
	Name, Op, Domain string
	Inputs, Outputs  []string
	Attributes       []Attribute
}

// Attribute types.
const (
	TypeFloat   = 1
	TypeInt     = 2
	TypeString  = 3
	TypeTensor  = 4
	TypeFloats  = 6
	TypeInts    = 7
	TypeStrings = 8
)

// Attribute is an AttributeProto: a named value of the type that Type tells.
type Attribute struct {
	Name    string
	Type    int64
	F       float32
	I       int64
	S       string
	T       *Tensor
	Floats  []float32
	Ints    []int64
	Strings []string
}

// Element types of tensors.
const (
	Float32 = 1
	Uint8   = 2
	Int32   = 6
	Int64   = 7
	Text    = 8
	Bool    = 9
	Double  = 11
)

// Tensor is a TensorProto with its elements decoded: Floats of Float32, Doubles of Double, Ints of
// integers and Bool, Strings of Text.
type Tensor struct {
	Name    string
	Type    int64
	Dims    []int64
	Floats  []float32
	Doubles []float64
	Ints    []int64
	Strings []string
}

// Value is a ValueInfoProto: name, element type and shape of an input or output. Elem is 0 for what is no tensor.
type Value struct {
	Name string
	Elem int64
	Dims []int64 // -1 for a dimension without a fixed size
}

// Size is the number of elements that dims ask for; a negative or huge one is an error.
func Size(dims []int64, limit int64) (int64, error) {
	n := int64(1)
	for _, d := range dims {
		if d < 0 || d > limit || n*max(d, 1) > limit {
			return 0, fmt.Errorf("shape %v, wanted at most %d elements", dims, limit)
		}
		n *= d
	}
	return n, nil
}

// Attr finds an attribute by name; nil when the node has none.
func (n *Node) Attr(name string) *Attribute {
	for i := range n.Attributes {
		if n.Attributes[i].Name == name {
			return &n.Attributes[i]
		}
	}
	return nil
}
