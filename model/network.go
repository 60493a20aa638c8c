package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Network is a chain of dense layers over scaled inputs: a linear model, a support vector machine over random Fourier
// features (one Cosine layer), or a multi-layer perceptron. The margins are what the last layer gives.
type Network struct {
	Scaler Scaler
	Layers []Layer
	Link   Link
}

// Scaler prepares a row: a missing value (NaN) becomes Missing, then x becomes sign(x)·log(1+|x|) when Log is set, then
// (x-Offset)·Scale, and at last what lies beyond ±Limit is cut. All slices have one element per input.
type Scaler struct {
	Missing []float32
	Log     bool
	Offset  []float32 // usually the mean in the training data; explanations compare with this row
	Scale   []float32 // usually one over the standard deviation; not 0
	Limit   float32   // above 0; 0 stands for DefaultLimit
}

// DefaultLimit stands in for a Scaler.Limit of zero.
const DefaultLimit = 1e6

// Layer computes Activation(Weights·x + Bias).
type Layer struct {
	In, Out    int
	Weights    []float32 // Out×In, row by row
	Bias       []float32 // Out
	Activation Activation
}

// Activation is the function that a layer ends with.
type Activation uint8

// The activations. The last layer of a Network has None.
const (
	None Activation = iota
	Relu
	Tanh
	Cosine
)

var activationNames = [...]string{"", "Relu", "Tanh", "Cos"}

// String is the name of the activation's ONNX operator.
func (a Activation) String() string { return activationNames[min(int(a), len(activationNames)-1)] }

func (n *Network) shape() (inputs, outputs int, link Link) {
	if len(n.Layers) == 0 {
		return 0, 0, n.Link
	}
	return n.Layers[0].In, n.Layers[len(n.Layers)-1].Out, n.Link
}

func (n *Network) check() error {
	if len(n.Layers) == 0 || len(n.Layers) > maxLayers {
		return fmt.Errorf("network of %d layers, wanted 1 to %d", len(n.Layers), maxLayers)
	}
	inputs, outputs, _ := n.shape()
	if err := checkOutputs(outputs, n.Link); err != nil {
		return err
	}
	if err := n.Scaler.check(inputs); err != nil {
		return fmt.Errorf("scaler: %w", err)
	}
	width := inputs
	for i := range n.Layers {
		if err := n.Layers[i].check(width, i == len(n.Layers)-1); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
		width = n.Layers[i].Out
	}
	return nil
}

const (
	maxLayers = 64
	maxWidth  = 1 << 15
)

func (l *Layer) check(in int, last bool) error {
	switch {
	case l.In != in || l.In < 1 || l.In > maxWidth:
		return fmt.Errorf("takes %d values, %d come in", l.In, in)
	case l.Out < 1 || l.Out > maxWidth:
		return fmt.Errorf("gives %d values, wanted 1 to %d", l.Out, maxWidth)
	case len(l.Weights) != l.In*l.Out:
		return fmt.Errorf("%d weights, wanted %d×%d", len(l.Weights), l.Out, l.In)
	case len(l.Bias) != l.Out:
		return fmt.Errorf("%d biases, wanted %d", len(l.Bias), l.Out)
	case int(l.Activation) >= len(activationNames):
		return fmt.Errorf("unknown activation %d", l.Activation)
	case last && l.Activation != None:
		return fmt.Errorf("activation %s, the last layer has none", l.Activation)
	}
	if !allFinite(l.Weights) || !allFinite(l.Bias) {
		return errors.New("a weight or bias is no finite number")
	}
	return nil
}

func (s *Scaler) check(inputs int) error {
	if len(s.Missing) != inputs || len(s.Offset) != inputs || len(s.Scale) != inputs {
		return fmt.Errorf("%d missing, %d offset and %d scale values for %d inputs", len(s.Missing), len(s.Offset), len(s.Scale), inputs)
	}
	if !allFinite(s.Missing) || !allFinite(s.Offset) || !allFinite(s.Scale) {
		return errors.New("a value is no finite number")
	}
	if slices.Contains(s.Scale, 0) {
		return fmt.Errorf("scale of input %d is 0: give a column that should not count weights of 0", slices.Index(s.Scale, 0))
	}
	if !(s.Limit >= 0) || math.IsInf(float64(s.Limit), 0) {
		return fmt.Errorf("limit %v, wanted a number above 0", s.Limit)
	}
	return nil
}

func allFinite(values []float32) bool {
	for _, v := range values {
		if !finite(float64(v)) {
			return false
		}
	}
	return true
}

// checkOutputs tells whether a link can end a model of this many margins.
func checkOutputs(outputs int, l Link) error {
	switch {
	case int(l) >= len(linkNames):
		return fmt.Errorf("unknown link %d", l)
	case l == Logistic && outputs != 1:
		return fmt.Errorf("%d margins under the logistic link, wanted 1", outputs)
	case l != Logistic && (outputs < 2 || outputs > MaxClasses):
		return fmt.Errorf("%d margins under the %s link, wanted 2 to %d", outputs, l, MaxClasses)
	}
	return nil
}
