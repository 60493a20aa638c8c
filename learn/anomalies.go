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
