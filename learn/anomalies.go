package learn

import (
	"context"

	"mlids/dataset"
	"mlids/learn/anomaly"
)

// Anomaly learns what rows look like, with an isolation forest. Its model's classes are anomaly.Classes, whatever the set's
// are; HoldOutTypes tells how many attacks of new types it finds.
type Anomaly struct {
	Config  anomaly.Config
	Options Options
}

// Fit grows the forest; it makes no use of valid.
func (l Anomaly) Fit(ctx context.Context, train, _ *dataset.Set) (*Fitted, error) {
	c := l.Config
	c.Seed = l.Options.Seed
	f, err := c.Fit(ctx, train)
	if err != nil {
		return nil, err
	}
	return &Fitted{
		Algorithm: "anomaly", Settings: c, Predictor: f, Inputs: train.Inputs, Classes: anomaly.Classes(),
		Priors: []float64{c.Middle, 1 - c.Middle},
	}, nil
}

// Autoencoder learns what benign rows have in common, by a linear autoencoder. Its model's classes are anomaly.Classes,
// whatever the set's are.
type Autoencoder struct{ Config anomaly.Linear }

// Fit finds the components; it makes no use of valid, and nothing in it is random.
func (l Autoencoder) Fit(ctx context.Context, train, _ *dataset.Set) (*Fitted, error) {
	n, err := l.Config.Fit(ctx, train)
	if err != nil {
		return nil, err
	}
	return &Fitted{
		Algorithm: "anomaly", Settings: l.Config, Predictor: n, Inputs: train.Inputs, Classes: anomaly.Classes(),
		Priors: []float64{l.Config.Middle, 1 - l.Config.Middle},
	}, nil
}
