package train

import (
	"context"
	"fmt"

	"mlids/dataset"
	"mlids/learn"
	"mlids/learn/anomaly"
	"mlids/learn/metric"
	"mlids/model"
)

// Companion is the anomaly companion of a model, of the same schema and inputs.
type Companion struct {
	Model  *model.Model
	Unseen []learn.Unseen  // by type held out
	Either []metric.Budget // of the same types: what classifier and companion find together, each at its own threshold
}

// budgets are the false-positive rates that a companion knows thresholds for.
func budgets() []float64 { return []float64{0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001} }

// accompany fits the companion on what the classifier was fitted on, under info, the classifier's.
func (r *Result) accompany(ctx context.Context, set *dataset.Set, info model.Info, cfg *Config) error {
	if cfg.Companion == nil {
		return nil
	}
	fitted, err := cfg.Companion.Fit(ctx, set, nil)
	if err != nil {
		return fmt.Errorf("anomaly companion: %w", err)
	}
	scored, err := learn.CrossValidate(ctx, cfg.Companion, twoClasses(set), cfg.Folds, cfg.Seed)
	if err != nil {
		return fmt.Errorf("anomaly companion: %w", err)
	}
	ranked := scored.Decided()
	own := model.Info{
		Name: model.CompanionName(info.Name), Schema: info.Schema, Natural: info.Natural, Fingerprint: info.Fingerprint,
		Rebuild: info.Rebuild, Quantiles: info.Quantiles, Metrics: map[string]float64{"out_of_fold_roc_auc": ranked.ROCAUC()},
	}
	if err := setBudgets(&own, ranked); err != nil {
		return err
	}
	r.Companion = &Companion{}
	if err := r.Companion.holdOut(ctx, set, r.Unseen, cfg); err != nil {
		return err
	}
	for _, u := range r.Companion.Unseen {
		own.Metrics["unseen_type_recall "+u.Type] = u.Budget.Recall
	}
	r.Companion.Model, err = fitted.Model(own)
	return err
}

// twoClasses gives the rows of all attack classes the companion's second class.
func twoClasses(set *dataset.Set) *dataset.Set {
	out := *set
	out.Classes, out.Class = anomaly.Classes(), make([]int32, set.Len())
	for i, c := range set.Class {
		out.Class[i] = min(c, 1)
	}
	return &out
}

// setBudgets finds the threshold of each false-positive rate that at least one benign row stands for.
func setBudgets(info *model.Info, ranked *metric.Ranking) error {
	for _, fpr := range budgets() {
		at := ranked.Budget(fpr)
		if fpr*ranked.Benign < 1 || !(at.Score > 0 && at.Score <= 1) {
			continue
		}
		info.Budgets = append(info.Budgets, model.Budget{FPR: fpr, Threshold: at.Score})
		info.Metrics[fmt.Sprintf("out_of_fold_recall_at_fpr_%g", fpr)] = ranked.Recall(at)
	}
	if len(info.Budgets) == 0 {
		return fmt.Errorf("%w: %v benign rows are too few for the thresholds of an anomaly companion, 10 are the least", ErrData, ranked.Benign)
	}
	own, err := info.BudgetFor(0.01)
	if err != nil {
		own = info.Budgets[len(info.Budgets)-1]
	}
	info.Threshold = own.Threshold
	return nil
}

// holdOut asks what the companion makes of the types that the classifier was asked about.
func (c *Companion) holdOut(ctx context.Context, set *dataset.Set, classifier []learn.Unseen, cfg *Config) error {
	if len(classifier) == 0 {
		return nil
	}
	types := make([]string, len(classifier))
	for i, u := range classifier {
		types[i] = u.Type
	}
	var err error
	if c.Unseen, err = learn.HoldOutTypes(ctx, cfg.Companion, set, types, cfg.budget(), cfg.Seed); err != nil {
		return fmt.Errorf("anomaly companion: %w", err)
	}
	for i := range classifier {
		c.Either = append(c.Either, either(&classifier[i], &c.Unseen[i]))
	}
	return nil
}

// either counts the rows that one or the other finds. Both have the same rows in the same order, as they were parted by the
// same seed.
func either(classifier, companion *learn.Unseen) metric.Budget {
	s := classifier.Scored
	one, other := s.Attack(), companion.Scored.Attack()
	flagged := make([]float64, s.Len())
	attack := make([]bool, s.Len())
	for i := range flagged {
		attack[i] = s.Class[i] != 0
		if one[i] >= classifier.Budget.Threshold || other[i] >= companion.Budget.Threshold {
			flagged[i] = 1
		}
	}
	r := metric.Rank(flagged, attack, s.Weight)
	return metric.Budget{MaxFPR: classifier.Budget.MaxFPR, FPR: r.FPR(r.At(1)), Recall: r.Recall(r.At(1))}
}
