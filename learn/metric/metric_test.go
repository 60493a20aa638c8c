package metric

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"mlids/internal/testdata"
)

// golden are 24 rows whose figures scikit-learn 1.9.1 computed; several rows share a score.
var golden = struct {
	score  []float64
	attack []int32
	weight []float32
}{
	score:  []float64{0.4, 1.0, 0.4, 0.2, 0.3, 0.4, 0.5, 0.2, 0.5, 0.5, 0.3, 0.2, 0.8, 0.6, 0.0, 0.3, 0.1, 0.3, 0.0, 0.7, 0.3, 0.6, 0.4, 0.3},
	attack: []int32{1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0},
	weight: []float32{2, 4, 1, 2, 1, 1, 2, 3, 3, 2, 1, 4, 4, 1, 1, 2, 1, 4, 3, 3, 2, 3, 4, 1},
}

func goldenRows() *Scored {
	s := &Scored{Classes: []string{"benign", "attack"}, Class: golden.attack, Type: golden.attack, Types: []string{"web", "flood"}, Weight: golden.weight}
	for _, p := range golden.score {
		s.Prob = append(s.Prob, float32(1-p), float32(p))
	}
	return s
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestFiguresAreThoseOfScikitLearn(t *testing.T) {
	e, err := Evaluate(goldenRows(), Options{Threshold: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	b := e.Binary
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"ROC AUC", b.ROCAUC, 0.9034391534391535},
		{"PR AUC", b.PRAUC, 0.9037445887445887},
		{"log loss", b.LogLoss, 0.4545076951654802},
		{"class log loss", e.LogLoss, 0.4545076951654802},
		{"accuracy", b.Accuracy, 0.7818181818181819},
		{"precision", b.Precision, 0.8636363636363636},
		{"recall", b.Recall, 0.6785714285714286},
		{"F1", b.F1, 0.76},
		{"FPR", b.FPR, 3.0 / 27},
		{"TP", b.TP, 19}, {"FP", b.FP, 3}, {"TN", b.TN, 24}, {"FN", b.FN, 9},
		{"recall at FPR 1e-2", e.Budgets[0].Recall, 0.39285714285714285},
	} {
		if !near(c.got, c.want) {
			t.Errorf("%s is %.9f, want %.9f", c.name, c.got, c.want)
		}
	}
}

func TestABudgetHoldsWithTies(t *testing.T) {
	r := goldenRows().Ranked()
	for _, c := range []struct{ budget, fpr, recall float64 }{
		{0, 0, 11.0 / 28},
		{0.0370, 0, 11.0 / 28}, // the row at 0.6 would make it 0.03704
		{0.0371, 1.0 / 27, 0.5},
		{0.15, 4.0 / 27, 26.0 / 28},
		{1, 1, 1},
	} {
		at := r.Budget(c.budget)
		if !near(r.FPR(at), c.fpr) || !near(r.Recall(at), c.recall) {
			t.Errorf("budget %v: FPR %.4f, recall %.4f; want %.4f, %.4f", c.budget, r.FPR(at), r.Recall(at), c.fpr, c.recall)
		}
		if again := r.At(at.Score); again != at {
			t.Errorf("budget %v: threshold %v flags %+v, not %+v", c.budget, at.Score, again, at)
		}
	}
}

func TestABudgetThatNoScoreKeepsFlagsNothing(t *testing.T) {
	r := Rank([]float64{0.9, 0.9, 0.1}, []bool{true, false, false}, nil)
	if at := r.Budget(0.1); at.Attack != 0 || at.Benign != 0 || at.Score <= 0.9 {
		t.Errorf("flags %+v, want nothing above 0.9", at)
	}
}

func TestBudgetsOfRandomScoresAreNeverBroken(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		score, attack := make([]float64, 50), make([]bool, 50)
		for i := range score {
			score[i], attack[i] = math.Round(r.Float64()*20)/20, r.IntN(2) == 0
		}
		k := Rank(score, attack, nil)
		budget := r.Float64()
		at := k.Budget(budget)
		flagged, benign := 0.0, 0.0
		for i, s := range score {
			if !attack[i] {
				benign++
				if s >= at.Score {
					flagged++
				}
			}
		}
		if flagged > budget*benign {
			t.Fatalf("%v of %v benign rows flagged at a budget of %v", flagged, benign, budget)
		}
	}
}

func TestCostsInAnyOrderOfClasses(t *testing.T) {
	f, err := os.Open(testdata.Path(t, "kdd99", "cost_matrix.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read, err := ReadCost(f)
	if err != nil {
		t.Fatal(err)
	}
	classes := []string{"normal", "dos", "probe", "r2l", "u2r"}
	a, err := read.For(classes)
	if err != nil {
		t.Fatal(err)
	}
	b, err := KDD99Cost().For(classes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range classes {
		if !slices.Equal(a.Cost[i], b.Cost[i]) {
			t.Errorf("costs of %s: file says %v, built in is %v", classes[i], a.Cost[i], b.Cost[i])
		}
	}
	if a.Cost[3][0] != 4 || a.Cost[2][1] != 2 || a.Cost[1][2] != 1 {
		t.Errorf("costs %v: r2l said to be normal is 4, probe said to be dos 2, dos said to be probe 1", a.Cost)
	}
}

func TestDecidingByCostIsCheaperThanByProbability(t *testing.T) {
	c := Cost{Classes: []string{"benign", "attack"}, Cost: [][]float64{{0, 1}, {10, 0}}}
	if got := c.Decide([]float32{0.8, 0.2}); got != 1 {
		t.Errorf("class %d, want 1: missing an attack is ten times worse", got)
	}
	if got := c.Decide([]float32{0.95, 0.05}); got != 0 {
		t.Errorf("class %d, want 0", got)
	}
	e, err := Evaluate(goldenRows(), Options{Cost: &c})
	if err != nil {
		t.Fatal(err)
	}
	if e.Cost.Expected >= e.Cost.Likeliest {
		t.Errorf("cost %.3f by expectation, %.3f by probability", e.Cost.Expected, e.Cost.Likeliest)
	}
}

func TestCostsThatMakeNoSense(t *testing.T) {
	for name, text := range map[string]string{
		"empty":        "",
		"not square":   "x,a,b\na,0,1\n",
		"no such line": "x,a,b\na,0,1\nc,1,0\n",
		"a word":       "x,a,b\na,0,one\nb,1,0\n",
		"negative":     "x,a,b\na,0,-1\nb,1,0\n",
		"twice":        "x,a,a\na,0,1\na,1,0\n",
		"column twice": "x,a,a\na,0,1\nb,1,0\n",
		"too long":     "x,a,b\na,0,1\nb,1,1" + strings.Repeat("0", maxCostBytes) + "\n",
		"quotes":       "x,a,b\n\"a,0,1\nb,1,0\n",
	} {
		if _, err := ReadCost(strings.NewReader(text)); !errors.Is(err, ErrCost) {
			t.Errorf("%s: error %v, want %v", name, err, ErrCost)
		}
	}
	if _, err := KDD99Cost().For([]string{"benign", "attack"}); !errors.Is(err, ErrCost) {
		t.Errorf("error %v, want %v", err, ErrCost)
	}
}

func FuzzReadCost(f *testing.F) {
	f.Add("x,a,b\na,0,1\nb,1,0\n")
	f.Add("x,a,b\nb,0,1\na,1,0\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ReadCost(strings.NewReader(text))
		if err != nil {
			return
		}
		if again, err := c.For(c.Classes); err != nil || len(again.Cost) != len(c.Classes) {
			t.Errorf("matrix %v does not serve its own classes: %v", c, err)
		}
	})
}

func TestIntervalsHoldTheTruth(t *testing.T) {
	e, err := Evaluate(goldenRows(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !(e.AUC.Low < 0.9034 && e.AUC.High > 0.9034 && e.AUC.Low > 0.6) {
		t.Errorf("interval %+v does not suit an AUC of 0.9034 of 24 rows", e.AUC)
	}
	b := goldenRows().Bootstrap(400, 1, func(s *Scored) float64 { return s.Ranked().ROCAUC() })
	if math.Abs(b.Low-e.AUC.Low) > 0.08 || math.Abs(b.High-e.AUC.High) > 0.08 {
		t.Errorf("DeLong says %+v, the bootstrap %+v", e.AUC, b)
	}
	if again := goldenRows().Bootstrap(400, 1, func(s *Scored) float64 { return s.Ranked().ROCAUC() }); again != b {
		t.Errorf("the same seed gives %+v, then %+v", b, again)
	}
}

func TestCalibrationOfHonestScores(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	s := &Scored{Classes: []string{"benign", "attack"}}
	for range 20000 {
		p := r.Float32()
		var class int32
		if r.Float32() < p {
			class = 1
		}
		s.Prob, s.Class = append(s.Prob, 1-p, p), append(s.Class, class)
	}
	e, err := Evaluate(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Binary.CalibrationError > 0.02 || len(e.Bins) != 15 {
		t.Errorf("calibration error %.4f in %d bins, want about 0 in 15", e.Binary.CalibrationError, len(e.Bins))
	}
}

func TestTheTableTellsRatesSideBySide(t *testing.T) {
	e, err := Evaluate(goldenRows(), Options{Threshold: 0.5, Points: 50})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"not natural", "11.11%", "67.86%", "0.903439", "FPR at most 0.1%", "flood", "24"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	if _, err := json.Marshal(e); err != nil {
		t.Errorf("as JSON: %v", err)
	}
	last := e.Curve[len(e.Curve)-1]
	if last.FPR != 1 || last.Recall != 1 {
		t.Errorf("the curve ends at %+v, want 1, 1", last)
	}
}

func TestOneSidedRows(t *testing.T) {
	s := &Scored{Classes: []string{"benign", "attack"}, Class: []int32{1}, Prob: []float32{0.3, 0.7}}
	e, err := Evaluate(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(e); err != nil {
		t.Errorf("as JSON: %v", err)
	}
	if e.Binary.ROCAUC != 0.5 || e.Binary.Recall != 1 {
		t.Errorf("AUC %v, recall %v; want 0.5 and 1", e.Binary.ROCAUC, e.Binary.Recall)
	}
	var b strings.Builder // nobody should read a false-positive rate off attacks
	if err := e.WriteTable(&b); err != nil || strings.Contains(b.String(), "at most") || !strings.Contains(b.String(), "as decided        –") {
		t.Errorf("%v:\n%s", err, b.String())
	}
}

// Rows of weight 0 change no figure, and make none that JSON cannot hold.
func TestRowsWithoutWeight(t *testing.T) {
	s := &Scored{
		Classes: []string{"benign", "attack"}, Class: []int32{1, 1, 1, 0, 0}, Prob: []float32{.3, .7, .2, .8, .1, .9, .6, .4, .5, .5},
		Weight: []float32{1, 1, 1, 0, 0},
	}
	e, err := Evaluate(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(e); err != nil {
		t.Errorf("as JSON: %v", err)
	}
	if want := (Interval{Low: 0, High: 1}); e.AUC != want {
		t.Errorf("interval of the AUC %v, want %v: no benign row counts", e.AUC, want)
	}
}

func TestPredictionsThatDoNotFit(t *testing.T) {
	for name, change := range map[string]func(*Scored){
		"no rows":        func(s *Scored) { s.Class = nil },
		"short":          func(s *Scored) { s.Prob = s.Prob[2:] },
		"unknown class":  func(s *Scored) { s.Class = slices.Clone(s.Class); s.Class[2] = 5 },
		"no probability": func(s *Scored) { s.Prob[4] = float32(math.NaN()) },
		"unknown type":   func(s *Scored) { s.Type = slices.Clone(s.Type); s.Type[1] = -1 },
		"weights":        func(s *Scored) { s.Weight = s.Weight[1:] },
		"one class":      func(s *Scored) { s.Classes = s.Classes[:1] },
	} {
		s := goldenRows()
		change(s)
		if _, err := Evaluate(s, Options{}); !errors.Is(err, ErrShape) {
			t.Errorf("%s: error %v, want %v", name, err, ErrShape)
		}
	}
}
