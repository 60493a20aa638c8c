package model

import (
	"errors"
	"fmt"
)

// ErrBudget is returned for a false-positive rate that no threshold is known for.
var ErrBudget = errors.New("no threshold for this false-positive rate")

// Budget is a threshold that flags at most a share of benign rows.
type Budget struct {
	FPR       float64 `json:"fpr"`       // above 0, below 1
	Threshold float64 `json:"threshold"` // attack from this probability on
}

// BudgetFor finds the threshold for a false-positive rate: of the entry with that rate, else of the next stricter one. A
// rate that is no share, or stricter than all entries, is ErrBudget.
func (i *Info) BudgetFor(fpr float64) (Budget, error) {
	if !(fpr > 0 && fpr < 1) {
		return Budget{}, fmt.Errorf("%w: %v, want above 0 and below 1", ErrBudget, fpr)
	}
	for _, b := range i.Budgets { // the highest rate first
		if b.FPR <= fpr {
			return b, nil
		}
	}
	if len(i.Budgets) == 0 {
		return Budget{}, fmt.Errorf("%w: model %s has no table of thresholds; mlids train --anomaly writes one", ErrBudget, i.Name)
	}
	return Budget{}, fmt.Errorf("%w: %v, and the strictest that model %s has is %v", ErrBudget, fpr, i.Name, i.Budgets[len(i.Budgets)-1].FPR)
}

// checkBudgets wants rates to fall and thresholds not to.
func checkBudgets(budgets []Budget) error {
	last := Budget{FPR: 1}
	for _, b := range budgets {
		if !(b.FPR > 0 && b.FPR < last.FPR && b.Threshold > 0 && b.Threshold <= 1 && b.Threshold >= last.Threshold) {
			return fmt.Errorf("budgets: threshold %v for a false-positive rate of %v after %v for %v; wanted falling rates below 1 and "+
				"thresholds that do not fall, above 0 and at most 1", b.Threshold, b.FPR, last.Threshold, last.FPR)
		}
		last = b
	}
	return nil
}
