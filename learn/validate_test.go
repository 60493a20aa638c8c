package learn_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mlids/dataset"
	"mlids/learn"
	"mlids/learn/anomaly"
	"mlids/learn/internal/kddset"
	"mlids/learn/metric"
	"mlids/learn/svm"
	"mlids/learn/tree"
	"mlids/model"
)

func quickBoost(trees int) learn.Boost {
	c := tree.DefaultBoost()
	c.Trees = trees
	return learn.Boost{Config: c}
}

// noisy is n rows whose second input tells the class in four cases of five, and repeats itself in the third; a fourth is
// noise.
func noisy(n int) *dataset.Set {
	r := rand.New(rand.NewPCG(1, 9))
	s := &dataset.Set{Inputs: []string{"noise", "signal", "copy", "weak"}, Classes: []string{"benign", "attack"}, Types: []string{"benign", "flood"}, X: make([][]float32, 4)}
	for range n {
		class := int32(r.IntN(2))
		signal := float32(class) + float32(r.NormFloat64())*0.6
		weak := float32(class) + float32(r.NormFloat64())*3
		for j, v := range []float32{r.Float32(), signal, 2*signal + 1, weak} {
			s.X[j] = append(s.X[j], v)
		}
		s.Class, s.Type, s.Weight = append(s.Class, class), append(s.Type, class), append(s.Weight, 1)
	}
	return s
}

func TestCrossValidationDoesNotFlatter(t *testing.T) {
	s := noisy(600)
	for range 2 { // learners that know rows by heart look perfect when duplicates straddle folds
		s2, err := dataset.Concat(s, s)
		if err != nil {
			t.Fatal(err)
		}
		s = s2
	}
	scored, err := learn.CrossValidate(t.Context(), learn.Tree{Config: tree.Config{Criterion: tree.Gini, Smooth: 1}}, s, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	if scored.Len() != s.Len() {
		t.Fatalf("%d rows judged, want %d", scored.Len(), s.Len())
	}
	e, err := metric.Evaluate(scored, metric.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Binary.Accuracy < 0.6 || e.Binary.Accuracy > 0.85 {
		t.Errorf("accuracy %.3f out of fold; the classes overlap, about 0.75 is honest", e.Binary.Accuracy)
	}
}

func TestAThresholdKeepsItsBudgetOnRowsItWasNotSetOn(t *testing.T) {
	s := noisy(4000)
	train, test, err := s.Split(0.5, 3)
	if err != nil {
		t.Fatal(err)
	}
	scored, err := learn.CrossValidate(t.Context(), quickBoost(20), train, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := learn.Threshold(scored, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	if b.FPR > 0.05 {
		t.Errorf("FPR %.4f on the rows it was set on, the budget is 0.05", b.FPR)
	}
	f, err := quickBoost(20).Fit(t.Context(), train, nil)
	if err != nil {
		t.Fatal(err)
	}
	judged, err := f.Judge(test)
	if err != nil {
		t.Fatal(err)
	}
	r := judged.Ranked()
	if fpr := r.FPR(r.At(b.Threshold)); fpr > 0.08 || fpr < 0.02 {
		t.Errorf("FPR %.4f on new rows, want about 0.05", fpr)
	}
	for _, fpr := range []float64{-1, 2, math.NaN()} {
		if _, err := learn.Threshold(scored, fpr); !errors.Is(err, learn.ErrBudget) {
			t.Errorf("budget %v: error %v, want %v", fpr, err, learn.ErrBudget)
		}
	}
}

// What a threshold was said to flag is what the model flags by it, also of the many rows that share a leaf of a tree and its
// score to the last bit.
func TestAThresholdFlagsWhatItWasSetToFlag(t *testing.T) {
	s := noisy(3000)
	f, err := (learn.Tree{Config: tree.DefaultTree()}).Fit(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	scored, err := f.Judge(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, percent := range []int{0, 1, 5, 10, 20, 39, 45, 53, 57, 59} {
		fpr := float64(percent) / 100
		b, err := learn.Threshold(scored, fpr)
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Model(model.Info{Name: "tree", Threshold: b.Threshold})
		if err != nil {
			t.Fatal(err)
		}
		e, err := metric.Evaluate(scored, metric.Options{Threshold: b.Threshold})
		if err != nil {
			t.Fatal(err)
		}
		hits, alarms := 0., 0.
		for i, class := range scored.Class {
			switch flagged := m.Decide(scored.Prob[2*i:][:2]).Attack; {
			case flagged && class != 0:
				hits++
			case flagged:
				alarms++
			}
		}
		if hits != e.Binary.TP || alarms != e.Binary.FP || b.FPR != e.Binary.FPR || b.Recall != e.Binary.Recall {
			t.Errorf("budget %v: the model flags %v attacks and %v benign rows; measured %v and %v, promised %+v",
				fpr, hits, alarms, e.Binary.TP, e.Binary.FP, b)
		}
	}
}

func TestABudgetThatCertainErrorsBreak(t *testing.T) {
	s := &metric.Scored{Classes: []string{"benign", "attack"}, Class: []int32{0, 0, 1}, Prob: []float32{0, 1, 1, 0, 0, 1}}
	if _, err := learn.Threshold(s, 0.1); !errors.Is(err, learn.ErrBudget) {
		t.Errorf("error %v, want %v", err, learn.ErrBudget)
	}
}

func TestHoldingOutAttackTypes(t *testing.T) {
	s := kddset.Load(t, 100)
	found, err := learn.HoldOutTypes(t.Context(), quickBoost(10), s, []string{"neptune", "smurf"}, 0.01, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range found {
		if u.Class != "dos" || u.Weight < 600 {
			t.Errorf("%s: class %s, weight %.0f; want dos and all its rows", u.Type, u.Class, u.Weight)
		}
		if u.Ranked.FPR > 0.01 || u.ROCAUC < 0.5 {
			t.Errorf("%s: FPR %.4f at a budget of 0.01, AUC %.3f", u.Type, u.Ranked.FPR, u.ROCAUC)
		}
	}
	for _, name := range []string{"normal", "unheard-of"} {
		if _, err := learn.HoldOutTypes(t.Context(), quickBoost(2), s, []string{name}, 0.01, 1); !errors.Is(err, learn.ErrType) {
			t.Errorf("%s: error %v, want %v", name, err, learn.ErrType)
		}
	}
}

func TestCalibrationMendsOverconfidence(t *testing.T) {
	for name, classes := range map[string]int{"binary": 2, "classes": 3} {
		t.Run(name, func(t *testing.T) {
			s := noisy(3000)
			if classes == 3 {
				s.Classes = append(s.Classes, "other")
				for i := range s.Class {
					if s.Class[i] == 1 && s.X[3][i] > 1 {
						s.Class[i] = 2
					}
				}
			}
			train, rest, err := s.Split(0.6, 1)
			if err != nil {
				t.Fatal(err)
			}
			valid, test, err := rest.Split(0.5, 1)
			if err != nil {
				t.Fatal(err)
			}
			l := quickBoost(300)
			l.Config.LearningRate = 0.3
			f, err := l.Fit(t.Context(), train, nil)
			if err != nil {
				t.Fatal(err)
			}
			before := loss(t, f, test)
			on, err := f.Judge(valid)
			if err != nil {
				t.Fatal(err)
			}
			was, err := f.Judge(test)
			if err != nil {
				t.Fatal(err)
			}
			c, err := f.Calibrate(on)
			if err != nil || c.Scale >= 1 {
				t.Fatalf("calibration %+v, error %v", c, err)
			}
			after := loss(t, f, test)
			if after > 0.8*before {
				t.Errorf("log loss %.4f before, %.4f after", before, after)
			}
			if applied := c.Apply(was).LogLoss(); math.Abs(applied-after) > 1e-4 {
				t.Errorf("log loss %.6f of calibrated scores, %.6f of the calibrated model", applied, after)
			}
		})
	}
}

func loss(t *testing.T, f *learn.Fitted, s *dataset.Set) float64 {
	t.Helper()
	scored, err := f.Judge(s)
	if err != nil {
		t.Fatal(err)
	}
	return scored.LogLoss()
}

func TestSelectionKeepsWhatTells(t *testing.T) {
	sel, err := learn.Select(t.Context(), noisy(1500), 2, learn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sel.Inputs, []string{"signal", "weak"}) && !slices.Equal(sel.Inputs, []string{"copy", "weak"}) {
		t.Errorf("selected %q, want the signal once and the weak one", sel.Inputs)
	}
	if len(sel.Ranks) != 4 || sel.Ranks[1].Like == "" {
		t.Errorf("ranks %+v: the second repeats the first", sel.Ranks)
	}
	auto, err := learn.Select(t.Context(), noisy(1500), 0, learn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(auto.Inputs, "noise") || len(auto.Inputs) == 0 {
		t.Errorf("selected %q, want no noise", auto.Inputs)
	}
	if _, err := learn.Select(t.Context(), noisy(100), 5, learn.Options{}); !errors.Is(err, learn.ErrSelect) {
		t.Errorf("error %v, want %v", err, learn.ErrSelect)
	}
}

func TestAutoKeepsTheBestAndSaysWhy(t *testing.T) {
	c := learn.DefaultAuto()
	c.Folds, c.Metric = 3, "auc"
	svmCandidate := learn.Candidate{Name: "svm", Algorithm: "svm", New: func(o learn.Options) learn.Learner { return learn.SVM{Config: svm.Default(), Options: o} }}
	stump := learn.Candidate{Name: "stump", Algorithm: "tree", New: func(learn.Options) learn.Learner {
		return learn.Tree{Config: tree.Config{Criterion: tree.Gini, Leaves: 2}}
	}}
	c.Candidates = []learn.Candidate{stump, svmCandidate}
	var told []string
	c.Report = func(l learn.Candidate, _ learn.Trial) { told = append(told, l.Name) }
	f, cmp, err := learn.Auto(t.Context(), noisy(800), c)
	if err != nil {
		t.Fatal(err)
	}
	if f.Algorithm != "svm" || cmp.Best != 1 || !slices.Equal(told, []string{"stump", "svm"}) {
		t.Errorf("kept %s, best %d, told of %q; %s", f.Algorithm, cmp.Best, told, cmp.Reason)
	}
	if best := cmp.Trials[1]; !best.Interval.Holds(best.Value) || cmp.Reason == "" {
		t.Errorf("value %v is not in %+v", best.Value, best.Interval)
	}
}

func TestAutoTakesTheFirstWhenThereIsNoTime(t *testing.T) {
	c := learn.DefaultAuto()
	c.Budget, c.Folds = 0, 2
	f, cmp, err := learn.Auto(t.Context(), noisy(200), c)
	if err != nil {
		t.Fatal(err)
	}
	if f.Algorithm != "boost" || len(cmp.Trials) != len(learn.Candidates()) || cmp.Trials[1].Skipped == "" {
		t.Errorf("kept %s of %d trials, second %+v", f.Algorithm, len(cmp.Trials), cmp.Trials[1])
	}
}

func TestAutoRefuses(t *testing.T) {
	for name, change := range map[string]func(*learn.AutoConfig){
		"unknown":     func(c *learn.AutoConfig) { c.Metric = "luck" },
		"cost":        func(c *learn.AutoConfig) { c.Metric = "cost" },
		"wrong costs": func(c *learn.AutoConfig) { cost := metric.KDD99Cost(); c.Metric, c.Cost = "cost", &cost },
		"one fold":    func(c *learn.AutoConfig) { c.Folds = 1 },
	} {
		c := learn.DefaultAuto()
		c.Folds = 2
		c.Candidates = learn.Candidates()[1:2]
		change(&c)
		if _, _, err := learn.Auto(t.Context(), noisy(100), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAnomaliesAreRowsUnlikeThoseSeen(t *testing.T) {
	s := kddset.Load(t, 100)
	known, held, err := s.HoldOut("smurf")
	if err != nil {
		t.Fatal(err)
	}
	f, err := learn.Anomaly{Config: anomaly.Default()}.Fit(t.Context(), known, nil)
	if err != nil {
		t.Fatal(err)
	}
	normal := kddset.Part(known, func(i int) bool { return known.Class[i] == 0 })
	both, err := dataset.Concat(normal, held)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Model(model.Info{Name: "anomaly"})
	if err != nil {
		t.Fatal(err)
	}
	scored, err := learn.Score(m, both)
	if err != nil {
		t.Fatal(err)
	}
	if auc := scored.Ranked().ROCAUC(); auc < 0.8 {
		t.Errorf("AUC of smurf against normal rows is %.3f, want at least 0.8", auc)
	}
	flagged := scored.Ranked().At(0.5)
	if fpr := scored.Ranked().FPR(flagged); fpr > 0.02 {
		t.Errorf("%.4f of the benign rows are anomalies, want about 0.01", fpr)
	}
}

// On types that training lacked, doubting what is called benign costs less, as long as benign rows keep their verdicts.
func TestCaution(t *testing.T) {
	cost := metric.Cost{Classes: []string{"benign", "attack"}, Cost: [][]float64{{0, 1}, {10, 0}}}
	unseen := func(benign, attack float32) []learn.Unseen {
		return []learn.Unseen{{Type: "new", Scored: &metric.Scored{
			Classes: cost.Classes, Prob: []float32{1 - benign, benign, 1 - attack, attack}, Class: []int32{0, 1},
		}}}
	}
	for _, test := range []struct {
		name           string
		benign, attack float32
		want           float64
	}{
		{"found as it is", 0.0001, 0.9, 1},
		{"missed by a sure model", 1e-9, 0.01, 0.1},
		{"not to be told apart", 0.01, 0.01, 1},
	} {
		got, err := learn.Caution(unseen(test.benign, test.attack), cost)
		if err != nil || got.Benign != test.want {
			t.Errorf("%s: factor %v (%v), want %v", test.name, got.Benign, err, test.want)
		}
	}
	if _, err := learn.Caution(nil, cost); !errors.Is(err, learn.ErrType) {
		t.Errorf("without types: got %v, want ErrType", err)
	}
}
