package metric

import (
	"cmp"
	"math"
	"slices"
)

// Evaluation is all that is said about a model on a set of rows.
type Evaluation struct {
	Rows    int       `json:"rows"`   // rows as given
	Weight  float64   `json:"weight"` // rows that they stand for
	Classes []string  `json:"classes"`
	Share   []float64 `json:"share"` // of each class in the weight
	Natural bool      `json:"natural_priors"`

	Binary  Binary      `json:"binary"`
	AUC     Interval    `json:"roc_auc_interval"` // 95%
	Budgets []Budget    `json:"budgets"`          // recall at FPR 1e-2 and 1e-3
	Curve   []Point     `json:"curve,omitempty"`
	Bins    []Bin       `json:"calibration,omitempty"`
	Matrix  [][]float64 `json:"confusion"` // rows actual, columns the most probable class
	Correct float64     `json:"class_accuracy"`
	Class   []Class     `json:"class"`
	Type    []Type      `json:"type,omitempty"` // attack types, and the benign ones
	Cost    *Costs      `json:"cost,omitempty"`
	LogLoss float64     `json:"log_loss"` // of the classes, in nats
}

// Binary is benign against attack, at the threshold.
type Binary struct {
	Threshold        float64 `json:"threshold"`
	TP               float64 `json:"tp"`
	FP               float64 `json:"fp"`
	TN               float64 `json:"tn"`
	FN               float64 `json:"fn"`
	Accuracy         float64 `json:"accuracy"`
	Precision        float64 `json:"precision"`
	Recall           float64 `json:"recall"`
	F1               float64 `json:"f1"`
	FPR              float64 `json:"fpr"`
	ROCAUC           float64 `json:"roc_auc"`
	PRAUC            float64 `json:"pr_auc"`
	LogLoss          float64 `json:"log_loss"`
	CalibrationError float64 `json:"calibration_error"` // expected, over 15 bins of equal width
}

// Budget is the best that some threshold reaches at a false-positive rate of at most MaxFPR.
type Budget struct {
	MaxFPR    float64 `json:"max_fpr"`
	FPR       float64 `json:"fpr"`
	Recall    float64 `json:"recall"`
	Threshold float64 `json:"threshold"`
}

// Class is how one class fares when the most probable class is said.
type Class struct {
	Name      string  `json:"name"`
	Weight    float64 `json:"weight"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Type is how the rows of one attack type fare.
type Type struct {
	Name    string  `json:"name"`
	Class   string  `json:"class"`
	Weight  float64 `json:"weight"`
	Flagged float64 `json:"flagged"` // share at or above the threshold: recall of an attack, FPR of a benign type
	Correct float64 `json:"correct"` // share whose most probable class is right
	Mean    float64 `json:"mean_score"`
}

// Costs is what decisions cost per row, by a cost matrix.
type Costs struct {
	Likeliest float64     `json:"likeliest"` // saying the most probable class
	Expected  float64     `json:"expected"`  // saying the class of least expected cost
	Matrix    [][]float64 `json:"confusion"` // of the latter
}

// Options say how to evaluate.
type Options struct {
	Threshold float64 // a row is flagged from this attack score on; 0 stands for 0.5
	Cost      *Cost   // nil: no costs
	Natural   bool    // the shares of the classes are those of a real network
	Points    int     // points of the curve at about most; 0: no curve
}

// Evaluate measures predictions. Predictions that do not fit are ErrShape, a cost matrix without one of the classes ErrCost.
func Evaluate(s *Scored, o Options) (*Evaluation, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if o.Threshold == 0 {
		o.Threshold = 0.5
	}
	e := &Evaluation{Rows: s.Len(), Classes: s.Classes, Natural: o.Natural}
	r := s.Ranked()
	e.Weight = r.Attack + r.Benign
	e.AUC = s.AUCInterval()
	decided := s.Decided()
	e.binary(s, r, decided.At(o.Threshold))
	for _, fpr := range []float64{1e-2, 1e-3} {
		at := decided.Budget(fpr)
		e.Budgets = append(e.Budgets, Budget{MaxFPR: fpr, FPR: r.FPR(at), Recall: r.Recall(at), Threshold: at.Score})
	}
	if o.Points > 0 {
		e.Curve = r.Curve(o.Points)
	}
	e.Matrix = s.Confusion(likeliest)
	e.classes()
	e.types(s, o.Threshold)
	e.LogLoss = s.LogLoss()
	return e, e.costs(s, o.Cost)
}

// binary measures the ranking, and what is flagged at the threshold.
func (e *Evaluation) binary(s *Scored, r *Ranking, at Step) {
	b := Binary{Threshold: at.Score, TP: at.Attack, FP: at.Benign, FN: r.Attack - at.Attack, TN: r.Benign - at.Benign}
	b.Accuracy = ratio(b.TP+b.TN, e.Weight)
	b.Precision = ratio(b.TP, b.TP+b.FP)
	b.Recall, b.FPR = r.Recall(at), r.FPR(at)
	b.F1 = ratio(2*b.TP, 2*b.TP+b.FP+b.FN)
	b.ROCAUC, b.PRAUC = r.ROCAUC(), r.PRAUC()
	e.Bins = s.Calibration(15)
	for _, bin := range e.Bins {
		b.CalibrationError += bin.Weight / e.Weight * math.Abs(bin.Score-bin.Rate)
	}
	b.LogLoss = r.logLoss()
	e.Binary = b
}

// least bounds probabilities away from 0 and 1 in log losses, by what float32 can tell from 1.
const least = 1.0 / (1 << 24)

// logLoss is the mean of -log P(what the row is), benign or attack.
func (r *Ranking) logLoss() float64 {
	sum, last := 0.0, Step{}
	for _, s := range r.Steps {
		sum -= (s.Attack - last.Attack) * math.Log(max(s.Score, least))
		sum -= (s.Benign - last.Benign) * math.Log(max(1-s.Score, least))
		last = s
	}
	return ratio(sum, r.Attack+r.Benign)
}

// LogLoss is the weighted mean of -log P(what a row is), in nats.
func (s *Scored) LogLoss() float64 {
	sum, weight := 0.0, 0.0
	for i, c := range s.Class {
		w := s.weight(i)
		sum -= w * math.Log(max(float64(s.row(i)[c]), least))
		weight += w
	}
	return ratio(sum, weight)
}

// likeliest is the most probable class, the first of equals.
func likeliest(prob []float32) int {
	best := 0
	for k, p := range prob {
		if p > prob[best] {
			best = k
		}
	}
	return best
}

// Confusion counts, by weight, what was said (columns) of the rows of each class (rows). A nil decide says the most
// probable class.
func (s *Scored) Confusion(decide func(prob []float32) int) [][]float64 {
	if decide == nil {
		decide = likeliest
	}
	m := make([][]float64, len(s.Classes))
	for k := range m {
		m[k] = make([]float64, len(s.Classes))
	}
	for i, c := range s.Class {
		m[c][decide(s.row(i))] += s.weight(i)
	}
	return m
}

func (e *Evaluation) classes() {
	right := 0.0
	for k, name := range e.Classes {
		c := Class{Name: name}
		said := 0.0
		for j := range e.Classes {
			c.Weight += e.Matrix[k][j]
			said += e.Matrix[j][k]
		}
		hit := e.Matrix[k][k]
		right += hit
		c.Precision, c.Recall, c.F1 = ratio(hit, said), ratio(hit, c.Weight), ratio(2*hit, said+c.Weight)
		e.Class = append(e.Class, c)
		e.Share = append(e.Share, ratio(c.Weight, e.Weight))
	}
	e.Correct = ratio(right, e.Weight)
}

func (e *Evaluation) types(s *Scored, threshold float64) {
	if s.Type == nil {
		return
	}
	score, compared := s.Attack(), s.Compared()
	all := make([]Type, len(s.Types))
	for i, t := range s.Type {
		a, w := &all[t], s.weight(i)
		a.Name, a.Class = s.Types[t], s.Classes[s.Class[i]]
		a.Weight += w
		a.Mean += w * score[i]
		if compared[i] >= threshold {
			a.Flagged += w
		}
		if likeliest(s.row(i)) == int(s.Class[i]) {
			a.Correct += w
		}
	}
	for _, a := range all {
		if a.Weight > 0 {
			a.Flagged, a.Correct, a.Mean = a.Flagged/a.Weight, a.Correct/a.Weight, a.Mean/a.Weight
			e.Type = append(e.Type, a)
		}
	}
	slices.SortStableFunc(e.Type, func(a, b Type) int {
		return cmp.Or(cmp.Compare(slices.Index(e.Classes, a.Class), slices.Index(e.Classes, b.Class)), cmp.Compare(b.Weight, a.Weight))
	})
}

func (e *Evaluation) costs(s *Scored, cost *Cost) error {
	if cost == nil {
		return nil
	}
	c, err := cost.For(s.Classes)
	if err != nil {
		return err
	}
	m := s.Confusion(c.Decide)
	e.Cost = &Costs{Likeliest: c.Mean(e.Matrix), Expected: c.Mean(m), Matrix: m}
	return nil
}

// Bin is the rows whose attack scores fall in one part of 0 to 1.
type Bin struct {
	Weight float64 `json:"weight"`
	Score  float64 `json:"score"` // mean
	Rate   float64 `json:"rate"`  // share of attacks
}

// Calibration compares scores with rates, in n bins of equal width; empty bins are left out.
func (s *Scored) Calibration(n int) []Bin {
	bins := make([]Bin, n)
	for i, score := range s.Attack() {
		b := &bins[max(0, min(int(score*float64(n)), n-1))]
		w := s.weight(i)
		b.Weight += w
		b.Score += w * score
		if s.Class[i] != 0 {
			b.Rate += w
		}
	}
	bins = slices.DeleteFunc(bins, func(b Bin) bool { return b.Weight == 0 })
	for i := range bins {
		bins[i].Score /= bins[i].Weight
		bins[i].Rate /= bins[i].Weight
	}
	return bins
}
