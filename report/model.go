package report

import (
	"cmp"
	"fmt"
	"slices"

	"mlids/learn"
	"mlids/learn/metric"
	"mlids/model"
)

// ModelReport is what there is to know of a model. Only Info is needed; what is nil has no section on the page.
type ModelReport struct {
	Info       model.Info         `json:"model"`
	Data       DataSheet          `json:"data"`
	Protocol   string             `json:"protocol"` // how the figures were measured: "out of fold, 5 folds, equal rows together"
	Evaluation *metric.Evaluation `json:"evaluation,omitempty"`
	Comparison *learn.Comparison  `json:"comparison,omitempty"` // of candidates
	Selection  *learn.Selection   `json:"selection,omitempty"`  // of inputs
	Unseen     []learn.Unseen     `json:"unseen,omitempty"`     // attack types that training lacked
	Importance []float64          `json:"importance,omitempty"` // by input of Info.Inputs, as shares of 1; see Importance
	Curve      []float64          `json:"curve,omitempty"`      // validation loss of each round or epoch, in nats
	Settings   any                `json:"settings,omitempty"`   // of the learner; must marshal to JSON
	Limits     []string           `json:"limits,omitempty"`     // what the caller knows that the figures do not show
	Findings   []Finding          `json:"findings"`             // filled in by Sum and WriteModel
}

// DataSheet is what the model learned from.
type DataSheet struct {
	Sources  []string `json:"sources,omitempty"`
	Rows     int      `json:"rows,omitempty"`     // as read
	Distinct int      `json:"distinct,omitempty"` // different ones
}

const (
	weakRecall  = 0.8
	fewRows     = 10 // of an attack type: too few for a figure
	fewFalse    = 10 // a rate is measured well by no fewer false alarms
	tooGood     = 0.9999
	goodCE      = 0.02 // expected calibration error
	flowsPerDay = 1e6
	attackShare = 1e-4
)

// Sum writes the findings: what the figures say, in sentences.
func (r *ModelReport) Sum() {
	r.Findings = nil
	if r.Evaluation != nil {
		r.sumDecisions(r.Evaluation)
		r.sumBudgets(r.Evaluation)
		r.sumTypes(r.Evaluation)
		r.sumCalibration(r.Evaluation)
	}
	r.sumUnseen()
	if c := r.Comparison; c != nil && c.Best >= 0 && c.Best < len(c.Trials) {
		tried := slices.DeleteFunc(slices.Clone(c.Trials), func(t learn.Trial) bool { return t.Skipped != "" })
		r.add(Note, "Chosen among "+plural(len(tried), "candidate")+": "+c.Reason+".", "")
	}
	if !r.Info.Natural {
		r.add(Note, "The training data was put together by hand: the shares of its classes are not those of a network.",
			"Recall and false-positive rate carry over to other mixtures; precision, accuracy and the probabilities themselves do not.")
	}
	order := []string{Problem, Warning, Good, Note}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Level), slices.Index(order, b.Level))
	})
}

func (r *ModelReport) add(level, text, do string) {
	r.Findings = append(r.Findings, Finding{level, text, do})
}

// sumDecisions tells what the threshold does, first in the data and then on a network.
func (r *ModelReport) sumDecisions(e *metric.Evaluation) {
	b := e.Binary
	benign, attacks := b.FP+b.TN, b.TP+b.FN
	if benign == 0 || attacks == 0 {
		r.add(Problem, "The figures are from rows of one kind only: "+weight(attacks)+" attacks and "+weight(benign)+" benign rows.",
			"Neither recall nor false-positive rate alone says anything. Measure on data with both.")
		return
	}
	level := Good
	if b.Recall < weakRecall || b.FPR > 0.05 {
		level = Warning
	}
	r.add(level, fmt.Sprintf("At its threshold of %s the model flags %s of the attacks and %s of the benign rows (ROC AUC %s, 95%%: %s to %s).",
		digits(b.Threshold, 4), percent(b.Recall), percent(b.FPR), fixed(b.ROCAUC), fixed(e.AUC.Low), fixed(e.AUC.High)), "")
	r.sumNetwork(b, benign)
	if b.ROCAUC > tooGood {
		r.add(Warning, "The figures are nearly perfect, which in this field mostly means that the data is easy or leaks.",
			"Run mlids inspect on it, hold out attack types, and measure on traffic of another network before believing it.")
	}
}

// sumNetwork says what the rates mean for who reads the alerts.
func (r *ModelReport) sumNetwork(b metric.Binary, benign float64) {
	fpr, atMost := b.FPR, ""
	if b.FP == 0 {
		fpr, atMost = 3/benign, "at most " // rule of three: 95% bound of a rate that was never seen
	}
	right, wrong := flowsPerDay*attackShare*b.Recall, flowsPerDay*(1-attackShare)*fpr
	r.add(Note, fmt.Sprintf("On a network with %s flows a day, of which %s are attacks, that would be %s right alarms and %s%s false ones a day.",
		whole(flowsPerDay), whole(flowsPerDay*attackShare), whole(int(right+0.5)), atMost, whole(int(wrong+0.5))),
		"If that is too many to read, choose the threshold by a smaller false-positive budget (train --fpr).")
}

func (r *ModelReport) sumBudgets(e *metric.Evaluation) {
	benign := e.Binary.FP + e.Binary.TN
	for _, b := range e.Budgets {
		if benign*b.MaxFPR < fewFalse {
			r.add(Note, fmt.Sprintf("With %s benign rows a false-positive rate of %s is hardly measurable: it is fewer than %d rows.", weight(benign), exact(b.MaxFPR), fewFalse),
				"Read the left end of the curves with that in mind.")
			return
		}
	}
}

func (r *ModelReport) sumTypes(e *metric.Evaluation) {
	var weak, rare []string
	for _, t := range e.Type {
		switch {
		case t.Class == benignOf(e):
		case t.Weight < fewRows:
			rare = append(rare, t.Name)
		case t.Flagged < weakRecall:
			weak = append(weak, fmt.Sprintf("%s (flags %s of %s)", t.Name, percent(t.Flagged), weight(t.Weight)))
		}
	}
	if len(weak) > 0 {
		r.add(Warning, fmt.Sprintf("It misses more than a fifth of %s: %s.", plural(len(weak), "attack type"), list(weak, 10)),
			"Do not rely on it for these. More examples help if there are few; other columns if there are many.")
	}
	if len(rare) > 0 {
		r.add(Note, fmt.Sprintf("Of %s there are fewer than %d rows: %s.", plural(len(rare), "attack type"), fewRows, list(rare, 12)),
			"What the tables say of them is a guess.")
	}
}

func (r *ModelReport) sumCalibration(e *metric.Evaluation) {
	if ce := e.Binary.CalibrationError; ce > goodCE {
		r.add(Note, fmt.Sprintf("Its probabilities are off by %s on average.", percent(ce)), "Take them for scores, not for chances; see the calibration below.")
	}
}

func (r *ModelReport) sumUnseen() {
	if len(r.Unseen) == 0 {
		return
	}
	mean, missed := 0.0, []string{}
	for _, u := range r.Unseen {
		mean += u.Budget.Recall / float64(len(r.Unseen))
		if u.Budget.Recall < 0.5 {
			missed = append(missed, u.Type)
		}
	}
	text := fmt.Sprintf("Of attack types that training had not seen, it flags %s on average over %s", percent(mean), plural(len(r.Unseen), "type"))
	if len(missed) == 0 {
		r.add(Good, text+".", "")
		return
	}
	r.add(Warning, text+", and misses most of "+list(missed, 12)+".", "That is what new attacks will look like: this model alone is no protection from what is unlike its training.")
}

// benignOf is the name of the benign class.
func benignOf(e *metric.Evaluation) string {
	if len(e.Classes) == 0 {
		return ""
	}
	return e.Classes[0]
}
