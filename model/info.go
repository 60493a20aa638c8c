package model

import (
	"fmt"
	"maps"
	"slices"
)

// Info is what a model says of itself; it is kept in the metadata_props of its ONNX file, one entry per field under the
// key "mlids." and the field's json name: plain text for strings, JSON for the rest.
type Info struct {
	Name        string             `json:"name"`
	Version     string             `json:"version"`               // first 12 hex digits of the SHA-256 of the file; never stored in it
	Algorithm   string             `json:"algorithm"`             // tree, boost, svm, mlp; "" for models from elsewhere
	Schema      string             `json:"schema"`                // ID of the schema: "kdd99/1"
	Inputs      []string           `json:"inputs"`                // names of the inputs, as feature.Schema.Inputs has them, in the vector's order
	Classes     []string           `json:"classes"`               // Classes[0] is the benign class
	Threshold   float64            `json:"threshold"`             // attack (1 - P(benign)) from this probability on
	Priors      []float64          `json:"priors,omitempty"`      // share of each class in the training data
	CostBenign  float64            `json:"cost_benign,omitempty"` // P(benign) is multiplied by it where costs are weighed; 0: it is not
	Natural     bool               `json:"natural_priors"`        // false: the training data was balanced by hand, no real-world rate can be read off
	Fingerprint string             `json:"fingerprint,omitempty"` // SHA-256 of the training set as the learner saw it
	Metrics     map[string]float64 `json:"metrics,omitempty"`     // held-out figures, with the protocol's name in the key
	Rebuild     string             `json:"rebuild,omitempty"`     // the command that makes this file again
	Quantiles   [][]float32        `json:"quantiles,omitempty"`   // per input: its values in the training data at equally spaced ranks, as Quantiles makes them
	Budgets     []Budget           `json:"budgets,omitempty"`     // of a companion: thresholds for false-positive rates, the highest rate first
}

func (i Info) clone() Info {
	i.Inputs, i.Classes, i.Priors = slices.Clone(i.Inputs), slices.Clone(i.Classes), slices.Clone(i.Priors)
	i.Metrics = maps.Clone(i.Metrics)
	i.Quantiles = slices.Clone(i.Quantiles)
	i.Budgets = slices.Clone(i.Budgets)
	return i
}

// check tells whether the fields fit a predictor of this many inputs and classes.
func (i *Info) check(inputs, classes int) error {
	switch {
	case inputs < 1 || inputs > MaxInputs:
		return fmt.Errorf("%d inputs, wanted 1 to %d", inputs, MaxInputs)
	case classes < 2 || classes > MaxClasses:
		return fmt.Errorf("%d classes, wanted 2 to %d", classes, MaxClasses)
	case len(i.Inputs) != inputs:
		return fmt.Errorf("%d input names for %d inputs", len(i.Inputs), inputs)
	case len(i.Classes) != classes:
		return fmt.Errorf("%d class names for %d classes", len(i.Classes), classes)
	case !(i.Threshold > 0 && i.Threshold <= 1):
		return fmt.Errorf("threshold %v, wanted above 0 and at most 1", i.Threshold)
	case !(i.CostBenign >= 0 && i.CostBenign <= 1):
		return fmt.Errorf("benign factor of costs %v, wanted 0 to 1", i.CostBenign)
	case len(i.Priors) != 0 && len(i.Priors) != classes:
		return fmt.Errorf("%d priors for %d classes", len(i.Priors), classes)
	}
	if name, twice := repeated(i.Inputs); twice {
		return fmt.Errorf("input %q twice", name)
	}
	if name, twice := repeated(i.Classes); twice {
		return fmt.Errorf("class %q twice", name)
	}
	if err := checkBudgets(i.Budgets); err != nil {
		return err
	}
	return i.checkQuantiles(inputs)
}

func (i *Info) checkQuantiles(inputs int) error {
	if len(i.Quantiles) != 0 && len(i.Quantiles) != inputs {
		return fmt.Errorf("quantiles of %d inputs, model has %d", len(i.Quantiles), inputs)
	}
	for n, q := range i.Quantiles {
		if !slices.IsSorted(q) {
			return fmt.Errorf("quantiles of input %s are not in order", i.Inputs[n])
		}
	}
	return nil
}

// repeated finds a name that occurs twice.
func repeated(names []string) (string, bool) {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if seen[n] {
			return n, true
		}
		seen[n] = true
	}
	return "", false
}
