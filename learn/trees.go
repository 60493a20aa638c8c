package learn

import (
	"context"
	"math"

	"mlids/dataset"
	"mlids/learn/tree"
)

// Tree learns a single decision tree.
type Tree struct {
	Config  tree.Config
	Options Options
}

// Fit grows the tree; it makes no use of valid.
func (l Tree) Fit(ctx context.Context, train, _ *dataset.Set) (*Fitted, error) {
	c := l.Config
	c.Progress = func(leaves, of int) { l.Options.report(leaves, of, math.NaN()) }
	f, err := c.Fit(ctx, train)
	if err != nil {
		return nil, err
	}
	return fitted("tree", l.Config, train, f, nil), nil
}

// Boost learns boosted trees.
type Boost struct {
	Config  tree.Boost
	Options Options
}

// Fit boosts trees, and stops early when valid says so.
func (l Boost) Fit(ctx context.Context, train, valid *dataset.Set) (*Fitted, error) {
	c := l.Config
	c.Seed = l.Options.Seed
	c.Progress = func(r tree.Round) { l.Options.report(r.Done, r.Of, r.Loss) }
	f, curve, err := c.Fit(ctx, train, valid)
	if err != nil {
		return nil, err
	}
	return fitted("boost", c, train, f, curve), nil
}
