// Package svm learns support vector machines by dual coordinate descent: a linear one, or one with a Gaussian kernel
// approximated by random Fourier features. Inputs are scaled inside the model, and probabilities are calibrated.
//
// Sources: Hsieh et al., A dual coordinate descent method for large-scale linear SVM, ICML 2008; Rahimi and Recht, Random
// features for large-scale kernel machines, NIPS 2007; Platt, Probabilistic outputs for support vector machines, 1999.
package svm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/model"
)

// ErrConfig is returned for a setting that makes no sense.
var ErrConfig = data.ErrConfig

// Config is how a machine is learned. Start from Default.
type Config struct {
	C         float64 `json:"c"`         // price of a row on the wrong side, for a row of mean weight; above 0
	Features  int     `json:"features"`  // random Fourier features; 0: a linear machine
	Gamma     float64 `json:"gamma"`     // of the kernel exp(-gamma·|x-y|²) of scaled rows; 0: 1 over the mean squared distance of two rows
	Epochs    int     `json:"epochs"`    // passes over the rows at most
	Tolerance float64 `json:"tolerance"` // stops when no row violates the optimum by more
	Log       bool    `json:"log"`       // inputs are taken by their logarithm before they are scaled
	Balance   float64 `json:"balance"`   // 0: rows count by weight; 1: classes count the same; between: the power of it
	Seed      uint64  `json:"seed"`

	Progress func(done, of int) `json:"-"` // called after each epoch; may be nil
}

// Default is a linear machine.
func Default() Config {
	return Config{C: 1, Epochs: 30, Tolerance: 0.01, Log: true, Balance: 0.5}
}

// DefaultRBF is a machine with 256 random Fourier features.
func DefaultRBF() Config {
	c := Default()
	c.Features, c.C = 256, 10
	return c
}

// Check returns ErrConfig with the first setting that is out of range.
func (c *Config) Check() error {
	return data.InRange(
		data.Range("c", c.C, 1e-9, 1e9), data.Range("features", float64(c.Features), 0, 1<<14), data.Range("gamma", c.Gamma, 0, 1e9),
		data.Range("epochs", float64(c.Epochs), 1, 1e5), data.Range("tolerance", c.Tolerance, 0, 10), data.Range("balance", c.Balance, 0, 1),
	)
}

// Fit learns one machine for two classes (model.Logistic) or one per class against the others (model.Normalised).
// Probabilities are calibrated on valid, or without one on rows that it holds back from training for that. The same data,
// settings and seed give the same machine on any number of cores.
func (c Config) Fit(ctx context.Context, train, valid *dataset.Set) (*model.Network, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("support vector machine: %w", err)
	}
	if err := data.Check(train, valid); err != nil {
		return nil, fmt.Errorf("support vector machine: %w", err)
	}
	part, rest := train, valid
	if valid == nil {
		part, rest = data.HoldBack(train, c.Seed)
	}
	net := &model.Network{Scaler: dense.FitScaler(part, c.Log), Link: model.Logistic}
	x := dense.Scale(part, &net.Scaler)
	if c.Features > 0 {
		layer := fourier(x, c.Features, c.Gamma, c.Seed)
		net.Layers = append(net.Layers, layer)
		x = dense.Apply(x, dense.Pack(&layer))
	}
	positives := []int{1}
	if len(train.Classes) > 2 {
		net.Link = model.Normalised
		positives = make([]int, len(train.Classes))
		for k := range positives {
			positives[k] = k
		}
	}
	last, err := c.machines(ctx, part, x, positives)
	if err != nil {
		return nil, fmt.Errorf("support vector machine: %w", err)
	}
	net.Layers = append(net.Layers, last)
	calibrate(net, rest, positives)
	return net, nil
}

// machines learns one machine for each positive class.
func (c *Config) machines(ctx context.Context, s *dataset.Set, x *dense.Matrix, positives []int) (model.Layer, error) {
	out := model.Layer{In: x.Cols, Out: len(positives), Weights: make([]float32, x.Cols*len(positives)), Bias: make([]float32, len(positives))}
	errs := make([]error, len(positives))
	dense.Each(len(positives), func(k int) {
		p := newProblem(c, s, x, int32(positives[k]))
		if k == 0 {
			p.progress = c.Progress
		}
		if errs[k] = p.solve(ctx); errs[k] != nil {
			return
		}
		for j, w := range p.w[:x.Cols] {
			out.Weights[k*x.Cols+j] = float32(w)
		}
		out.Bias[k] = float32(p.w[x.Cols])
	})
	return out, errors.Join(errs...)
}

// fourier is the layer cos(W·x+b), W normal and b uniform: products of its outputs approximate the Gaussian kernel.
func fourier(x *dense.Matrix, features int, gamma float64, seed uint64) model.Layer {
	r := rand.New(rand.NewPCG(seed, 0xf0))
	if gamma == 0 {
		gamma = 1 / max(spread(x, r), 1e-9)
	}
	l := model.Layer{In: x.Cols, Out: features, Activation: model.Cosine, Weights: make([]float32, features*x.Cols), Bias: make([]float32, features)}
	for i := range l.Weights {
		l.Weights[i] = float32(r.NormFloat64() * math.Sqrt(2*gamma))
	}
	for i := range l.Bias {
		l.Bias[i] = float32(r.Float64() * 2 * math.Pi)
	}
	return l
}

// spread is the mean squared distance of two rows, from a sample.
func spread(x *dense.Matrix, r *rand.Rand) float64 {
	const pairs = 2000
	sum := 0.0
	for range pairs {
		a, b := x.Row(r.IntN(x.Rows)), x.Row(r.IntN(x.Rows))
		for j, v := range a {
			sum += float64(v-b[j]) * float64(v-b[j])
		}
	}
	return sum / pairs
}

// calibrate folds Platt's scaling of each machine into its weights.
func calibrate(net *model.Network, s *dataset.Set, positives []int) {
	packed := make([]*dense.Packed, 0, len(net.Layers))
	for i := range net.Layers {
		packed = append(packed, dense.Pack(&net.Layers[i]))
	}
	x := dense.Apply(dense.Scale(s, &net.Scaler), packed...)
	last := &net.Layers[len(net.Layers)-1]
	weight := make([]float64, s.Len())
	for i := range weight {
		weight[i] = data.Weight(s, i)
	}
	for k, class := range positives {
		margin, positive := make([]float64, s.Len()), make([]bool, s.Len())
		for i := range margin {
			margin[i], positive[i] = float64(x.Data[i*last.Out+k]), s.Class[i] == int32(class)
		}
		a, b := dense.Platt(margin, positive, weight)
		if a = max(a, 1e-6); !(a < 1e6) {
			a = 1e6
		}
		for j := range last.In {
			last.Weights[k*last.In+j] *= float32(a)
		}
		last.Bias[k] = float32(float64(last.Bias[k])*a + b)
	}
}
