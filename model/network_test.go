package model

import (
	"math"
	"math/rand/v2"
	"testing"

	"mlids/model/internal/simd"
)

var networkShapes = []struct {
	name   string
	widths []int
	hidden Activation
	link   Link
	log    bool
}{
	{"linear", []int{41, 1}, None, Logistic, false},
	{"linear classes", []int{10, 5}, None, Softmax, false},
	{"one against rest", []int{10, 4}, None, Normalised, true},
	{"fourier", []int{20, 64, 1}, Cosine, Logistic, false},
	{"relu", []int{30, 32, 16, 5}, Relu, Softmax, true},
	{"tanh", []int{7, 9, 3}, Tanh, Softmax, false},
}

func randomNetwork(seed uint64, widths []int, hidden Activation, link Link, log bool) *Network {
	r := rand.New(rand.NewPCG(seed, 9))
	normal := func(n int, scale float64) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(r.NormFloat64() * scale)
		}
		return out
	}
	n := &Network{Link: link}
	n.Scaler = Scaler{Missing: normal(widths[0], 1), Log: log, Offset: normal(widths[0], 1), Scale: normal(widths[0], 0.2), Limit: 10}
	for i := range n.Scaler.Scale {
		n.Scaler.Scale[i] += 1
	}
	for i, in := range widths[:len(widths)-1] {
		out := widths[i+1]
		l := Layer{In: in, Out: out, Weights: normal(in*out, 1/math.Sqrt(float64(in))), Bias: normal(out, 0.1), Activation: hidden}
		if i == len(widths)-2 {
			l.Activation = None
		}
		n.Layers = append(n.Layers, l)
	}
	return n
}

func TestNetworkRoundTrip(t *testing.T) {
	for _, s := range networkShapes {
		t.Run(s.name, func(t *testing.T) {
			n := randomNetwork(5, s.widths, s.hidden, s.link, s.log)
			inputs, outputs, _ := n.shape()
			roundTrip(t, testInfo(inputs, classes(outputs, s.link)), n)
		})
	}
}

// TestNetworkLevels compares every instruction set with plain sums.
func TestNetworkLevels(t *testing.T) {
	for _, s := range networkShapes {
		n := randomNetwork(5, s.widths, s.hidden, s.link, s.log)
		inputs, outputs, _ := n.shape()
		rows := randomRows(4, 20, inputs)
		for level := range simd.Detect() + 1 {
			got, want := make([]float64, 20*outputs), plainNetwork(n, rows)
			if err := n.compileFor(level).margins(got, rows, &scratch{}); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("%s, level %d: margin %d is %v, want %v", s.name, level, i, got[i], want[i])
				}
			}
		}
	}
}

// plainNetwork computes margins as the types say.
func plainNetwork(n *Network, rows []float32) []float64 {
	inputs, _, _ := n.shape()
	var out []float64
	for ; len(rows) > 0; rows = rows[inputs:] {
		x := make([]float64, inputs)
		n.Scaler.apply(x, rows[:inputs])
		for _, l := range n.Layers {
			y := make([]float64, l.Out)
			for o := range y {
				y[o] = float64(l.Bias[o])
				for i, v := range x {
					y[o] += float64(float64(l.Weights[o*l.In+i]) * v)
				}
			}
			l.Activation.apply(y)
			x = y
		}
		out = append(out, x...)
	}
	return out
}
