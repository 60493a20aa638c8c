package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mlids/dataset"
	"mlids/learn/internal/data"
)

// ErrWeight is returned for class weights that cannot be used.
var ErrWeight = errors.New("wrong class weight")

// Weighted is a learner for which a row of class NAME counts ByClass[NAME] times in training; classes that are not named
// count once. Balanced makes all classes count alike. Whatever is measured afterwards keeps the rows' own weights.
type Weighted struct {
	Learner  Learner
	ByClass  map[string]float64
	Balanced bool
}

// Fit trains the learner on reweighted rows. A class that the data do not have, or a weight of 0 or less, is ErrWeight.
func (l Weighted) Fit(ctx context.Context, train, valid *dataset.Set) (*Fitted, error) {
	factor, err := l.factors(train)
	if err != nil {
		return nil, err
	}
	out := *train
	out.Weight = make([]float32, train.Len())
	for i, c := range train.Class {
		out.Weight[i] = float32(factor[c])
		if train.Weight != nil {
			out.Weight[i] *= train.Weight[i]
		}
	}
	f, err := l.Learner.Fit(ctx, &out, valid)
	if err != nil {
		return nil, err
	}
	f.Priors = priors(train)
	return f, nil
}

// factors is how often a row of each class counts.
func (l Weighted) factors(s *dataset.Set) ([]float64, error) {
	factor := make([]float64, len(s.Classes))
	for i := range factor {
		factor[i] = 1
	}
	if l.Balanced {
		balance(factor, s)
	}
	for name, w := range l.ByClass {
		c := slices.Index(s.Classes, name)
		if c < 0 || !(w > 0 && w <= 1e6) {
			return nil, fmt.Errorf("%w: %s=%v: want a number above 0, at most 1e6, for one of %q", ErrWeight, name, w, s.Classes)
		}
		factor[c] *= w
	}
	return factor, nil
}

// balance gives each class that has rows of any weight the same total, and all together what they had.
func balance(factor []float64, s *dataset.Set) {
	sum, total, present := data.ClassWeights(s), 0.0, 0.0
	for _, w := range sum {
		total += w
		if w > 0 {
			present++
		}
	}
	for c, w := range sum {
		if w > 0 {
			factor[c] = total / present / w
		}
	}
}
