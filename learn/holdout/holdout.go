// Package holdout trains a model and measures it on rows that it did not see.
//
//	set ─ split ─┬─ rest ─ fit ──→ figures on held
//	             └─ held
//	set ─ fit (as many rounds as served rest best) ──→ the model that is kept
//
// The figures are those of a model that saw less data than the one kept, so they err on the low side.
package holdout

import (
	"context"
	"errors"
	"fmt"

	"mlids/dataset"
	"mlids/learn/metric"
	"mlids/model"
)

// ErrData is returned for sets that nothing can be learned from.
var ErrData = errors.New("cannot train on this data")

// Learner fits a predictor.
type Learner interface {
	// Name is the algorithm's name: tree, boost.
	Name() string
	// Fit learns from train. A learner that can stop early stops by valid, which may be nil.
	Fit(ctx context.Context, train, valid *dataset.Set) (Fitted, error)
}

// Fitted is what a learner found.
type Fitted struct {
	Predictor model.Predictor
	Final     Learner   // learns on all rows without validation, as long as served best here
	Curve     []float64 // loss on the validation set, round by round; nil for learners without rounds
}

// Config says how to measure.
type Config struct {
	Held  float64      // share of the rows that figures are measured on, between 0 and 1
	Valid float64      // share of the others that the learner may stop early by, between 0 and 1
	FPR   float64      // threshold: the lowest with at most this share of benign rows flagged in the validation rows; 0 for 0.5
	Seed  uint64       // of both splits
	Cost  *metric.Cost // what decisions cost; nil for no costs
}

// Result is a model and its figures.
type Result struct {
	Model      *model.Model
	Evaluation *metric.Evaluation // on the held rows
	Curve      []float64
}

// Train learns from set under info, which names schema, classes and whatever else the set does not say.
func Train(ctx context.Context, l Learner, set *dataset.Set, info model.Info, cfg Config) (*Result, error) {
	if err := check(set); err != nil {
		return nil, err
	}
	rest, held, err := set.Split(cfg.Held, cfg.Seed)
	if err != nil {
		return nil, err
	}
	train, valid, err := rest.Split(cfg.Valid, cfg.Seed+1)
	if err != nil {
		return nil, err
	}
	fitted, err := l.Fit(ctx, train, valid)
	if err != nil {
		return nil, err
	}
	info = describe(info, l.Name(), set)
	trial, err := model.New(info, fitted.Predictor)
	if err != nil {
		return nil, err
	}
	if cfg.FPR > 0 {
		if info.Threshold, err = threshold(trial, valid, cfg.FPR); err != nil {
			return nil, err
		}
	}
	evaluation, err := Evaluate(trial, held, metric.Options{Threshold: info.Threshold, Cost: cfg.Cost, Natural: info.Natural, Points: 200})
	if err != nil {
		return nil, err
	}
	final, err := fitted.Final.Fit(ctx, set, nil)
	if err != nil {
		return nil, err
	}
	info.Metrics = figures(evaluation)
	m, err := model.New(info, final.Predictor)
	return &Result{Model: m, Evaluation: evaluation, Curve: fitted.Curve}, err
}

// check refuses sets without two classes.
func check(set *dataset.Set) error {
	if set.Len() == 0 {
		return fmt.Errorf("%w: it has no rows", ErrData)
	}
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

// describe fills in what the set says of itself.
func describe(info model.Info, algorithm string, set *dataset.Set) model.Info {
	info.Algorithm, info.Inputs, info.Classes = algorithm, set.Inputs, set.Classes
	info.Fingerprint = set.Fingerprint()
	info.Priors = make([]float64, len(set.Classes))
	total := 0.0
	for i, c := range set.Class {
		info.Priors[c] += float64(set.Weight[i])
		total += float64(set.Weight[i])
	}
	for i := range info.Priors {
		info.Priors[i] /= total
	}
	if info.Threshold == 0 {
		info.Threshold = model.DefaultThreshold
	}
	return info
}

// threshold finds the lowest threshold within a false-positive budget.
func threshold(m *model.Model, valid *dataset.Set, fpr float64) (float64, error) {
	scored, err := Score(m, valid)
	if err != nil {
		return 0, err
	}
	step := scored.Ranked().Budget(fpr)
	return min(max(step.Score, 1e-6), 1), nil
}

// figures are those that the model's file keeps.
func figures(e *metric.Evaluation) map[string]float64 {
	f := map[string]float64{
		"held_out_roc_auc": e.Binary.ROCAUC, "held_out_recall": e.Binary.Recall, "held_out_fpr": e.Binary.FPR,
		"held_out_class_accuracy": e.Correct,
	}
	for _, b := range e.Budgets {
		f[fmt.Sprintf("held_out_recall_at_fpr_%g", b.MaxFPR)] = b.Recall
	}
	if e.Cost != nil {
		f["held_out_cost"] = e.Cost.Expected
	}
	return f
}
