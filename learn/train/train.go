// Package train goes the whole way from a labelled set to a model with its figures:
//
//	set → select inputs → choose or take an algorithm → cross-validate → fit on all rows → calibrate → threshold → model
//
// Figures, threshold and calibration come from out-of-fold scores: every row is judged by a model that did not see it or
// one that equals it. Those models saw fewer rows than the one that is kept, so the figures err on the low side.
package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"mlids/dataset"
	"mlids/learn"
	"mlids/learn/metric"
	"mlids/model"
)

// ErrData is returned for sets that nothing can be learned from.
var ErrData = errors.New("cannot train on this data")

// Config says how to get to a model. Either Learner or Auto is set.
type Config struct {
	Learner learn.Learner
	Classes learn.Weighted // how often rows of each class count in training with Learner; its own Learner is not used
	Auto    *learn.AutoConfig

	Companion learn.Learner // of anomaly.Classes, fitted on the same rows and inputs beside the model; nil for none

	Inputs  int          // inputs to select: 0 for all of them, -1 for as few as do as well
	Valid   float64      // share of the rows by which boost and mlp stop early, before all rows are used; 0: never
	Folds   int          // of the cross-validation
	FPR     float64      // threshold: the lowest that flags at most this share of the benign rows; 0 for 0.5
	HoldOut []string     // attack types to hold out, one after the other; "each" for all
	Cost    *metric.Cost // what decisions cost; nil for no costs
	Seed    uint64
	Options learn.Options
}

// Result is a model and all that is known of it.
type Result struct {
	Model      *model.Model
	Evaluation *metric.Evaluation // out of fold
	Fitted     *learn.Fitted
	Selection  *learn.Selection  // nil when all inputs are used
	Comparison *learn.Comparison // nil unless Auto chose
	Unseen     []learn.Unseen    // by type held out
	Curve      []float64         // validation loss of each round or epoch; nil without early stopping
	Companion  *Companion        // nil unless wanted
}

// Run learns from set under info, which names the model, its schema and whatever else the set does not say.
func Run(ctx context.Context, set *dataset.Set, info model.Info, cfg Config) (*Result, error) {
	if err := check(set); err != nil {
		return nil, err
	}
	r := &Result{}
	set, err := r.pick(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	scored, err := r.fit(ctx, set, &cfg)
	if err != nil {
		return nil, err
	}
	calibration, err := r.Fitted.Calibrate(scored)
	if err != nil {
		return nil, err
	}
	scored = calibration.Apply(scored)
	info.Fingerprint = set.Fingerprint()
	for _, column := range set.X {
		info.Quantiles = append(info.Quantiles, model.Quantiles(column, set.Weight))
	}
	if err := r.holdOut(ctx, set, &info, &cfg, calibration); err != nil {
		return nil, err
	}
	if err := r.decide(scored, &info, cfg); err != nil {
		return nil, err
	}
	info.Metrics = figures(r.Evaluation, r.Unseen)
	if r.Model, err = r.Fitted.Model(info); err != nil {
		return nil, err
	}
	return r, r.accompany(ctx, set, info, &cfg)
}

// check refuses sets without two different rows of either kind.
func check(set *dataset.Set) error {
	benign, attack := 0, 0
	for _, c := range set.Class {
		if c == 0 {
			benign++
		} else {
			attack++
		}
	}
	if benign < 2 || attack < 2 {
		return fmt.Errorf("%w: %d different benign rows and %d of attacks; both need at least 2", ErrData, benign, attack)
	}
	return nil
}

// pick selects inputs, if asked to.
func (r *Result) pick(ctx context.Context, set *dataset.Set, cfg Config) (*dataset.Set, error) {
	if cfg.Inputs == 0 {
		return set, nil
	}
	var err error
	if r.Selection, err = learn.Select(ctx, set, max(cfg.Inputs, 0), cfg.Options); err != nil {
		return nil, err
	}
	if set, err = set.Select(r.Selection.Inputs); err != nil {
		return nil, err
	}
	return set.Merge(), nil
}

// fit trains on all rows, and scores each row by a model that did not see it. Once Auto has chosen, the choice is the
// learner.
func (r *Result) fit(ctx context.Context, set *dataset.Set, cfg *Config) (*metric.Scored, error) {
	var err error
	if cfg.Auto != nil {
		if r.Fitted, r.Comparison, err = learn.Auto(ctx, set, *cfg.Auto); err != nil {
			return nil, err
		}
		cfg.Learner = r.Comparison.Learner
		return r.Comparison.Trials[r.Comparison.Best].Scored, nil
	}
	if err := r.stopEarly(ctx, set, cfg); err != nil {
		return nil, err
	}
	if cfg.Classes.Balanced || len(cfg.Classes.ByClass) > 0 {
		cfg.Classes.Learner = cfg.Learner
		cfg.Learner = cfg.Classes
	}
	scored, err := learn.CrossValidate(ctx, cfg.Learner, set, cfg.Folds, cfg.Seed)
	if err != nil {
		return nil, err
	}
	r.Fitted, err = cfg.Learner.Fit(ctx, set, nil)
	return scored, err
}

// stopEarly finds, on a part of the rows, after how many rounds the learner does best, and leaves it at that.
func (r *Result) stopEarly(ctx context.Context, set *dataset.Set, cfg *Config) error {
	boost, isBoost := cfg.Learner.(learn.Boost)
	mlp, isMLP := cfg.Learner.(learn.MLP)
	if cfg.Valid <= 0 || !isBoost && !isMLP {
		return nil
	}
	rest, valid, err := set.Split(cfg.Valid, cfg.Seed)
	if err != nil {
		return err
	}
	trial, err := cfg.Learner.Fit(ctx, rest, valid)
	if err != nil {
		return err
	}
	r.Curve = trial.Curve
	best := 0
	for i, loss := range r.Curve {
		if loss < r.Curve[best] {
			best = i
		}
	}
	if isBoost {
		boost.Config.Trees = best + 1
		cfg.Learner = boost
	} else {
		mlp.Config.Epochs = best + 1
		cfg.Learner = mlp
	}
	return nil
}

// decide sets the threshold and measures the decisions, all by out-of-fold scores.
func (r *Result) decide(scored *metric.Scored, info *model.Info, cfg Config) error {
	info.Threshold = model.DefaultThreshold
	if cfg.FPR > 0 {
		budget, err := learn.Threshold(scored, cfg.FPR)
		if err != nil {
			return err
		}
		info.Threshold = budget.Threshold
	}
	var err error
	r.Evaluation, err = metric.Evaluate(scored, metric.Options{
		Threshold: info.Threshold, Cost: cfg.Cost, Natural: info.Natural, Points: 400,
	})
	return err
}

// budget is the false-positive rate at which types held out are judged.
func (c *Config) budget() float64 { return cmp.Or(c.FPR, 0.01) }

// holdOut asks what becomes of attack types that training has not seen, and how much to doubt what the model calls benign
// where costs are weighed.
func (r *Result) holdOut(ctx context.Context, set *dataset.Set, info *model.Info, cfg *Config, by learn.Calibration) (err error) {
	if len(cfg.HoldOut) == 0 {
		return nil
	}
	types := cfg.HoldOut
	if types[0] == "each" {
		types = nil
	}
	if r.Unseen, err = learn.HoldOutTypes(ctx, cfg.Learner, set, types, cfg.budget(), cfg.Seed); err != nil || cfg.Cost == nil {
		return err
	}
	calibrated := slices.Clone(r.Unseen)
	for i, u := range calibrated {
		calibrated[i].Scored = by.Apply(u.Scored)
	}
	cost, err := learn.Caution(calibrated, *cfg.Cost)
	if err != nil {
		return err
	}
	info.CostBenign, cfg.Cost = cost.Benign, &cost
	for i := range r.Unseen {
		if err := r.Unseen[i].SetCost(calibrated[i].Scored, cost); err != nil {
			return err
		}
	}
	return nil
}

// figures are those that the model's file keeps.
func figures(e *metric.Evaluation, unseen []learn.Unseen) map[string]float64 {
	f := map[string]float64{
		"out_of_fold_roc_auc": e.Binary.ROCAUC, "out_of_fold_recall": e.Binary.Recall, "out_of_fold_fpr": e.Binary.FPR,
		"out_of_fold_class_accuracy": e.Correct,
	}
	for _, b := range e.Budgets {
		f[fmt.Sprintf("out_of_fold_recall_at_fpr_%g", b.MaxFPR)] = b.Recall
	}
	if e.Cost != nil {
		f["out_of_fold_cost"] = e.Cost.Expected
	}
	for _, u := range unseen {
		f["unseen_type_recall "+u.Type] = u.Budget.Recall
	}
	return f
}
