package learn

import (
	"context"

	"mlids/dataset"
	"mlids/learn/anomaly"
)

// Anomaly learns an isolation forest. Its model's classes are anomaly.Classes, whatever the set's are.
func Anomaly(ctx context.Context, s *dataset.Set, c anomaly.Config) (*Fitted, error) {
	f, err := c.Fit(ctx, s)
	if err != nil {
		return nil, err
	}
	return &Fitted{
		Algorithm: "anomaly", Settings: c, Predictor: f, Inputs: s.Inputs, Classes: anomaly.Classes(),
		Priors: []float64{c.Middle, 1 - c.Middle},
	}, nil
}
