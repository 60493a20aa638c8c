package mlp

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"mlids/dataset"
	"mlids/learn/internal/dense"
	"mlids/model"
)

// corners is the exclusive or of two inputs, with the first class three times as frequent as the second.
func corners(n int) *dataset.Set {
	r := rand.New(rand.NewPCG(4, 2))
	s := &dataset.Set{Inputs: []string{"x", "y"}, Classes: []string{"benign", "attack"}, Types: []string{"a", "b"}, X: make([][]float32, 2)}
	for range n {
		x, y := float32(r.NormFloat64()), float32(r.NormFloat64())
		class, weight := int32(0), float32(3)
		if x*y > 0 {
			class, weight = 1, 1
		}
		s.X[0], s.X[1] = append(s.X[0], x), append(s.X[1], y)
		s.Class, s.Type, s.Weight = append(s.Class, class), append(s.Type, class), append(s.Weight, weight)
	}
	return s
}

func quick() Config {
	c := Default()
	c.Hidden, c.Epochs, c.Batch, c.Log, c.Patience = []int{16, 8}, 60, 32, false, 0
	return c
}

func TestTwoLayersLearnTheExclusiveOr(t *testing.T) {
	for name, c := range map[string]Config{"plain": quick(), "dropout": func() Config { c := quick(); c.Dropout = 0.1; return c }()} {
		t.Run(name, func(t *testing.T) {
			var told []Epoch
			c.Progress = func(e Epoch) { told = append(told, e) }
			n, curve, err := c.Fit(t.Context(), corners(1500), corners(500))
			if err != nil {
				t.Fatal(err)
			}
			if len(curve) != 60 || len(told) != 60 || told[59].Loss != curve[59] {
				t.Errorf("%d epochs, %d told", len(curve), len(told))
			}
			if a := accuracy(t, n, corners(1000)); a < 0.93 {
				t.Errorf("accuracy %.3f, want at least 0.93", a)
			}
		})
	}
}

func accuracy(t *testing.T, n *model.Network, s *dataset.Set) float64 {
	t.Helper()
	right := 0.0
	for i, p := range attack(t, n, s) {
		if (p > 0.5) == (s.Class[i] == 1) {
			right++
		}
	}
	return right / float64(s.Len())
}

// attack is P(class 1) of each row.
func attack(t *testing.T, n *model.Network, s *dataset.Set) []float32 {
	t.Helper()
	m, err := model.New(model.Info{Name: "test", Inputs: s.Inputs, Classes: s.Classes}, n)
	if err != nil {
		t.Fatal(err)
	}
	prob, out := make([]float32, 2*s.Len()), make([]float32, s.Len())
	if err := m.Probabilities(prob, s.Rows()); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		out[i] = prob[2*i+1]
	}
	return out
}

// Classes that are drawn evenly must not make the rare one look frequent.
func TestBalanceDoesNotBiasProbabilities(t *testing.T) {
	s := corners(1500)
	for i := range s.Class {
		s.X[0][i] = float32(i % 5) // says nothing any more: the prior of 1 in 4 is all there is
		s.X[1][i] = 0
	}
	c := quick()
	c.Balance, c.Epochs = 1, 10
	n, _, err := c.Fit(t.Context(), s, s)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range attack(t, n, s)[:5] {
		if p < 0.17 || p > 0.33 {
			t.Errorf("P(attack) of row %d is %.3f, want about a quarter", i, p)
		}
	}
}

// The derivatives that a step uses are those of the loss.
func TestDerivativesAgreeWithDifferences(t *testing.T) {
	c := quick()
	c.Balance, c.Batch = 0, 8
	s := corners(8)
	for i := range s.Weight {
		s.Weight[i] = 1
	}
	tr := newTrainer(&c, s, s)
	rows := []int{0, 1, 2, 3, 4, 5, 6, 7}
	tr.shards[0].run(tr, rows, 1)
	for i, l := range tr.layers {
		for _, j := range []int{0, 1, l.Width} {
			if j >= len(l.Weights) {
				continue
			}
			was := l.Weights[j]
			const h = 1e-2
			l.Weights[j] = was + h
			up := tr.validate()
			l.Weights[j] = was - h
			down := tr.validate()
			l.Weights[j] = was
			want := (up - down) / (2 * h) * 8
			if got := float64(tr.shards[0].weights[i][j]); math.Abs(got-want) > 0.05*math.Abs(want)+2e-3 {
				t.Errorf("layer %d, weight %d: derivative %.5f, by differences %.5f", i, j, got, want)
			}
		}
	}
}

func TestPackingKeepsALayer(t *testing.T) {
	l := model.Layer{In: 3, Out: 2, Weights: []float32{1, 2, 3, 4, 5, 6}, Bias: []float32{7, 8}, Activation: model.Relu}
	got := dense.Pack(&l).Layer()
	for i, w := range got.Weights {
		if w != l.Weights[i] {
			t.Fatalf("weights %v, want %v", got.Weights, l.Weights)
		}
	}
	if got.Bias[1] != 8 || got.Activation != model.Relu {
		t.Errorf("layer %+v", got)
	}
}

func TestRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"layer":   func(c *Config) { c.Hidden = []int{0} },
		"dropout": func(c *Config) { c.Dropout = 1 },
		"batch":   func(c *Config) { c.Batch = 0 },
		"rate":    func(c *Config) { c.LearningRate = math.Inf(1) },
	} {
		c := Default()
		change(&c)
		if _, _, err := c.Fit(t.Context(), corners(20), nil); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error %v, want %v", name, err, ErrConfig)
		}
	}
}
