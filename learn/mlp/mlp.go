// Package mlp learns multi-layer perceptrons: dense layers of rectified units, trained with mini-batches by Adam with
// decoupled weight decay, stopped early. Inputs are scaled inside the model.
//
// Rows are drawn with chances that follow their weights, so a row that occurred often does not make single steps larger;
// classes may be drawn more evenly than they occur (Config.Balance), which the last biases make up for.
//
// Sources: Kingma and Ba, Adam, ICLR 2015; Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019; He et
// al., Delving deep into rectifiers, ICCV 2015; Srivastava et al., Dropout, JMLR 15, 2014.
package mlp

import (
	"context"
	"fmt"
	"math"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/model"
)

// ErrConfig is returned for a setting that makes no sense.
var ErrConfig = data.ErrConfig

// Config is how a perceptron is learned. Start from Default.
type Config struct {
	Hidden       []int   `json:"hidden"` // units of each hidden layer
	Epochs       int     `json:"epochs"` // at most; in each as many rows are drawn as there are
	Batch        int     `json:"batch"`  // rows of a step
	LearningRate float64 `json:"learning_rate"`
	WeightDecay  float64 `json:"weight_decay"`
	Dropout      float64 `json:"dropout"`  // share of hidden units that a step leaves out
	Balance      float64 `json:"balance"`  // 0: rows are drawn by weight; 1: classes equally often; between: the power of it
	Patience     int     `json:"patience"` // epochs without a better validation loss after which it stops; 0: never
	Log          bool    `json:"log"`      // inputs are taken by their logarithm before they are scaled
	Seed         uint64  `json:"seed"`

	Progress func(Epoch) `json:"-"` // called after each epoch; may be nil
}

// Epoch is how far training has come.
type Epoch struct {
	Done, Of int
	Loss     float64 // weighted mean log loss on the validation rows, in nats
}

// Default has two hidden layers.
func Default() Config {
	return Config{Hidden: []int{64, 32}, Epochs: 30, Batch: 256, LearningRate: 2e-3, WeightDecay: 1e-4, Balance: 0.5, Patience: 5, Log: true}
}

// Check returns ErrConfig with the first setting that is out of range.
func (c *Config) Check() error {
	for _, units := range c.Hidden {
		if err := data.InRange(data.Range("hidden", float64(units), 1, 1<<14)); err != nil {
			return err
		}
	}
	return data.InRange(
		data.Range("layers", float64(len(c.Hidden)), 0, 16), data.Range("epochs", float64(c.Epochs), 1, 1e5), data.Range("batch", float64(c.Batch), 1, 1<<16),
		data.Range("learning_rate", c.LearningRate, 1e-9, 1), data.Range("weight_decay", c.WeightDecay, 0, 1), data.Range("dropout", c.Dropout, 0, 0.95),
		data.Range("balance", c.Balance, 0, 1), data.Range("patience", float64(c.Patience), 0, 1e5),
	)
}

// Fit learns a network with one margin for two classes (model.Logistic), else one per class (model.Softmax), and the
// validation loss of each epoch. It keeps the best epoch's weights; without valid it holds rows back for that. The same
// data, settings and seed give the same network on any number of cores.
func (c Config) Fit(ctx context.Context, train, valid *dataset.Set) (*model.Network, []float64, error) {
	if err := c.Check(); err != nil {
		return nil, nil, fmt.Errorf("perceptron: %w", err)
	}
	if err := data.Check(train, valid); err != nil {
		return nil, nil, fmt.Errorf("perceptron: %w", err)
	}
	if valid == nil {
		train, valid = data.HoldBack(train, c.Seed)
	}
	t := newTrainer(&c, train, valid)
	var curve []float64
	best := math.Inf(1)
	since := 0
	for epoch := range c.Epochs {
		if err := t.epoch(ctx, epoch); err != nil {
			return nil, nil, fmt.Errorf("perceptron: stopped in epoch %d of %d: %w", epoch+1, c.Epochs, err)
		}
		loss := t.validate()
		curve = append(curve, loss)
		if c.Progress != nil {
			c.Progress(Epoch{Done: epoch + 1, Of: c.Epochs, Loss: loss})
		}
		since++
		if loss < best || epoch == 0 {
			best, since = loss, 0
			t.keep()
		}
		if c.Patience > 0 && since >= c.Patience {
			break
		}
	}
	return t.best, curve, nil
}

// newLayers have random weights (He et al., 2015).
func newLayers(c *Config, in, outputs int) []*dense.Packed {
	r := normal(c.Seed)
	layers := make([]*dense.Packed, 0, len(c.Hidden)+1)
	for i, out := range append(append([]int(nil), c.Hidden...), outputs) {
		a := model.Relu
		if i == len(c.Hidden) {
			a = model.None
		}
		l := dense.NewPacked(in, out, a)
		for j := range l.Weights {
			if j%l.Width < out {
				l.Weights[j] = float32(r.NormFloat64() * math.Sqrt(2/float64(in)))
			}
		}
		layers, in = append(layers, l), out
	}
	return layers
}
