package learn

import (
	"context"
	"math"

	"mlids/dataset"
	"mlids/learn/mlp"
	"mlids/learn/svm"
)

// SVM learns a support vector machine.
type SVM struct {
	Config  svm.Config
	Options Options
}

// Fit learns the machine; valid calibrates its probabilities.
func (l SVM) Fit(ctx context.Context, train, valid *dataset.Set) (*Fitted, error) {
	c := l.Config
	c.Seed = l.Options.Seed
	c.Progress = func(done, of int) { l.Options.report(done, of, math.NaN()) }
	n, err := c.Fit(ctx, train, valid)
	if err != nil {
		return nil, err
	}
	return fitted("svm", c, train, n, nil), nil
}

// MLP learns a multi-layer perceptron.
type MLP struct {
	Config  mlp.Config
	Options Options
}

// Fit trains the perceptron, and stops early when valid says so.
func (l MLP) Fit(ctx context.Context, train, valid *dataset.Set) (*Fitted, error) {
	c := l.Config
	c.Seed = l.Options.Seed
	c.Progress = func(e mlp.Epoch) { l.Options.report(e.Done, e.Of, e.Loss) }
	n, curve, err := c.Fit(ctx, train, valid)
	if err != nil {
		return nil, err
	}
	return fitted("mlp", c, train, n, curve), nil
}
