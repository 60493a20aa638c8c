package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mlids"
)

// Anomaly is the class of rows that the classifier calls benign and its companion unlike any seen.
const Anomaly = "anomaly"

// ErrCompanion is returned for an anomaly companion that does not belong to a classifier.
var ErrCompanion = errors.New("not the anomaly companion of this model")

const companionSuffix = "." + Anomaly

// CompanionName is the name of a model's anomaly companion: NAME.anomaly.
func CompanionName(name string) string { return name + companionSuffix }

// IsCompanion tells by a model's name whether it is the anomaly companion of another.
func IsCompanion(name string) bool { return strings.HasSuffix(name, companionSuffix) }

// Judge turns rows into verdicts, by a classifier alone or by one with its anomaly companion. It is immutable, and safe for
// concurrent use.
type Judge struct {
	model     *Model
	companion *Model // nil: none is asked
	threshold float64
}

// NewJudge returns the judge that goes by the classifier alone.
func NewJudge(m *Model) *Judge { return &Judge{model: m} }

// WithCompanion returns a judge that also asks the classifier's companion, at the companion's threshold for this
// false-positive rate among benign rows: ErrBudget when it has none. A model of another name than NAME.anomaly,
// of another schema or of other inputs is ErrCompanion.
func (j *Judge) WithCompanion(companion *Model, fpr float64) (*Judge, error) {
	own, other := &j.model.info, &companion.info
	switch {
	case other.Name != CompanionName(own.Name):
		return nil, fmt.Errorf("%w: found %s, wanted %s", ErrCompanion, other.Name, CompanionName(own.Name))
	case other.Schema != own.Schema || !slices.Equal(other.Inputs, own.Inputs):
		return nil, fmt.Errorf("%w: %s takes %d inputs of %s, %s takes %d of %s or others of them; train both together",
			ErrCompanion, other.Name, len(other.Inputs), other.Schema, own.Name, len(own.Inputs), own.Schema)
	case len(other.Classes) != 2:
		return nil, fmt.Errorf("%w: %s has the classes %q, wanted two", ErrCompanion, other.Name, other.Classes)
	}
	b, err := other.BudgetFor(fpr)
	if err != nil {
		return nil, err
	}
	return &Judge{model: j.model, companion: companion, threshold: b.Threshold}, nil
}

// Model is the classifier.
func (j *Judge) Model() *Model { return j.model }

// Companion is the companion that is asked; nil for none.
func (j *Judge) Companion() *Model { return j.companion }

// Classes are those that verdicts can have: the classifier's, and Anomaly when the companion is asked.
func (j *Judge) Classes() []string {
	classes := slices.Clone(j.model.info.Classes)
	if j.companion != nil && !slices.Contains(classes, Anomaly) {
		classes = append(classes, Anomaly)
	}
	return classes
}

// Width is how many numbers Scores gives for each row.
func (j *Judge) Width() int {
	if j.companion == nil {
		return j.model.Classes()
	}
	return j.model.Classes() + 2
}

// Scores fills dst, n×Width, with what Verdict needs to know of rows, n×inputs, row by row: the classifier's probabilities
// of all rows, then the companion's of all rows. Wrong lengths are ErrInputs. It does not allocate once warm.
func (j *Judge) Scores(dst, rows []float32) error {
	if j.companion == nil {
		return j.model.Probabilities(dst, rows)
	}
	n := len(dst) / j.Width()
	if n*j.Width() != len(dst) {
		return fmt.Errorf("%w: room for %d scores is no whole number of rows, %d per row", ErrInputs, len(dst), j.Width())
	}
	own := n * j.model.Classes()
	if err := j.model.Probabilities(dst[:own], rows); err != nil {
		return err
	}
	return j.companion.Probabilities(dst[own:], rows)
}

// Verdict decides on row i of what Scores gave: as the classifier does, but a row that it calls benign and whose anomaly
// score reaches the threshold is an attack of class Anomaly, with that score and that threshold, under the classifier's name
// and version.
func (j *Judge) Verdict(scores []float32, i int) mlids.Verdict {
	k := j.model.Classes()
	v := j.model.Decide(scores[i*k:][:k])
	if j.companion == nil || v.Attack {
		return v
	}
	anomaly := len(scores)/(k+2)*k + 2*i
	if score := Attack(scores[anomaly:][:2]); !(score < j.threshold) {
		v.Attack, v.Class, v.Probability, v.Threshold = true, Anomaly, score, j.threshold
	}
	return v
}

// Explain tells which inputs of a row led to its verdict: by the companion for Anomaly, else by the classifier for the class
// decided for. Models of other forms are ErrUnexplained.
func (j *Judge) Explain(row []float32, v mlids.Verdict) (Explanation, error) {
	class := slices.Index(j.model.info.Classes, v.Class)
	if class < 0 && j.companion != nil && v.Class == Anomaly {
		return j.companion.ExplainClass(row, 1)
	}
	return j.model.ExplainClass(row, max(0, class))
}

// Top is the start of an explanation as an alert carries it: the inputs that spoke most for the verdict, at most so many. It is
// empty for models that cannot be explained.
func (j *Judge) Top(row []float32, v mlids.Verdict, most int) []mlids.Contribution {
	why, err := j.Explain(row, v)
	if err != nil {
		return nil
	}
	top := make([]mlids.Contribution, 0, most)
	for _, c := range why.Contributions {
		if len(top) == most || c.Contribution == 0 {
			break // they are ordered: the rest is nothing, too
		}
		if finite(float64(c.Value)) {
			top = append(top, mlids.Contribution{Column: c.Input, Value: float64(c.Value), Amount: c.Contribution})
		}
	}
	return top
}
