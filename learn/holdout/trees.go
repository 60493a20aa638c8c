package holdout

import (
	"context"

	"mlids/dataset"
	"mlids/learn/tree"
)

// Tree is a single decision tree as a Learner.
type Tree struct{ tree.Config }

// Name is "tree".
func (Tree) Name() string { return "tree" }

// Fit grows the tree on train.
func (t Tree) Fit(ctx context.Context, train, _ *dataset.Set) (Fitted, error) {
	forest, err := t.Config.Fit(ctx, train)
	return Fitted{Predictor: forest, Final: t}, err
}

// Boost is boosted trees as a Learner.
type Boost struct{ tree.Boost }

// Name is "boost".
func (Boost) Name() string { return "boost" }

// Fit grows trees on train until valid gets no better.
func (b Boost) Fit(ctx context.Context, train, valid *dataset.Set) (Fitted, error) {
	forest, curve, err := b.Boost.Fit(ctx, train, valid)
	if err != nil {
		return Fitted{}, err
	}
	final := b
	if valid != nil {
		final.Trees = max(1, len(forest.Trees)/max(1, forest.Outputs))
	}
	return Fitted{Predictor: forest, Final: final, Curve: curve}, nil
}
