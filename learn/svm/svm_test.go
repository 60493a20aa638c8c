package svm

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"mlids/dataset"
	"mlids/model"
)

// rings is an inner disc of one class in an outer ring of the other, which no straight line parts.
func rings(n int) *dataset.Set {
	r := rand.New(rand.NewPCG(4, 2))
	s := &dataset.Set{Inputs: []string{"x", "y"}, Classes: []string{"benign", "attack"}, Types: []string{"a", "b"}, X: make([][]float32, 2)}
	for i := range n {
		class := int32(i % 2)
		angle, radius := r.Float64()*2*math.Pi, 1+r.Float64()+2*float64(class)
		s.X[0], s.X[1] = append(s.X[0], float32(radius*math.Cos(angle))), append(s.X[1], float32(radius*math.Sin(angle)))
		s.Class, s.Type, s.Weight = append(s.Class, class), append(s.Type, class), append(s.Weight, 1)
	}
	return s
}

// accuracy asks the model about every row.
func accuracy(t *testing.T, n *model.Network, s *dataset.Set) float64 {
	t.Helper()
	m, err := model.New(model.Info{Name: "test", Inputs: s.Inputs, Classes: s.Classes}, n)
	if err != nil {
		t.Fatal(err)
	}
	prob := make([]float32, s.Len()*len(s.Classes))
	if err := m.Probabilities(prob, s.Rows()); err != nil {
		t.Fatal(err)
	}
	right := 0.0
	for i, c := range s.Class {
		if prob[i*len(s.Classes)+int(c)] > 0.5 {
			right++
		}
	}
	return right / float64(s.Len())
}

func TestFourierFeaturesPartWhatNoLineParts(t *testing.T) {
	s := rings(1000)
	c := DefaultRBF()
	c.Log, c.Gamma = false, 1
	n, err := c.Fit(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := accuracy(t, n, rings(3000)); a < 0.97 {
		t.Errorf("accuracy %.3f with the Gaussian kernel, want at least 0.97", a)
	}
	line, err := Default().Fit(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := accuracy(t, line, s); a > 0.8 {
		t.Errorf("accuracy %.3f by a line, which cannot be", a)
	}
}

// Two rows a distance of 2 apart have the widest margin halfway, with |w| = 1.
func TestTheWidestMargin(t *testing.T) {
	c := Default()
	c.C, c.Log, c.Epochs, c.Tolerance = 1000, false, 1000, 1e-6
	s := &dataset.Set{
		Inputs: []string{"x"}, Classes: []string{"benign", "attack"}, Types: []string{"a", "b"},
		X: [][]float32{{-1, 1, -3, 3}}, Class: []int32{0, 1, 0, 1}, Type: []int32{0, 1, 0, 1}, Weight: []float32{1, 1, 1, 1},
	}
	n, err := c.Fit(t.Context(), s, s)
	if err != nil {
		t.Fatal(err)
	}
	if bias := n.Layers[0].Bias[0]; math.Abs(float64(bias)) > 1e-3 {
		t.Errorf("boundary is off the middle: bias %v", bias)
	}
	if accuracy(t, n, s) != 1 {
		t.Error("it does not part the rows it learned from")
	}
}

func TestRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"price":    func(c *Config) { c.C = 0 },
		"features": func(c *Config) { c.Features = -1 },
		"epochs":   func(c *Config) { c.Epochs = 0 },
		"gamma":    func(c *Config) { c.Gamma = math.NaN() },
	} {
		c := Default()
		change(&c)
		if _, err := c.Fit(t.Context(), rings(20), nil); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error %v, want %v", name, err, ErrConfig)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Default().Fit(ctx, rings(20), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
