package report

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"mlids/learn"
	"mlids/learn/metric"
	"mlids/model"
)

// scored are rows of three classes, of which one attack type is missed and one row is all there is of another.
func scored() *metric.Scored {
	s := &metric.Scored{Classes: []string{"normal", "dos", "r2l"}, Types: []string{"normal", "smurf", "guess<i>", "spy"}}
	add := func(n int, class, kind int32, dos, r2l float32) {
		for i := range n {
			wobble := float32(i%10) / 200
			s.Prob = append(s.Prob, 1-dos-r2l-wobble, dos+wobble, r2l)
			s.Class, s.Type = append(s.Class, class), append(s.Type, kind)
		}
	}
	add(300, 0, 0, 0.02, 0.02)
	add(10, 0, 0, 0.4, 0.4)
	add(200, 1, 1, 0.9, 0.01)
	add(40, 2, 2, 0.1, 0.2)
	add(20, 2, 2, 0.1, 0.8)
	add(1, 2, 3, 0.1, 0.1)
	return s
}

func fullModel(tb testing.TB) *ModelReport {
	tb.Helper()
	s := scored()
	e, err := metric.Evaluate(s, metric.Options{Points: 100, Cost: &metric.Cost{Classes: s.Classes, Cost: [][]float64{{0, 1, 1}, {2, 0, 2}, {4, 2, 0}}}})
	if err != nil {
		tb.Fatal(err)
	}
	return &ModelReport{
		Info: model.Info{
			Name: "m", Version: "0123456789ab", Algorithm: "boost", Schema: "kdd99/1", Inputs: []string{"a", "service=<b>"},
			Classes: s.Classes, Threshold: 0.5, Priors: []float64{0.5, 0.4, 0.1}, Rebuild: "mlids train --out='m.onnx'",
		},
		Data:       DataSheet{Sources: []string{"kdd.csv"}, Rows: 1000, Distinct: 571},
		Protocol:   "out of fold, 5 folds, equal rows together",
		Evaluation: e,
		Comparison: &learn.Comparison{Metric: "logloss", Best: 1, Reason: "boost has the best", Trials: []learn.Trial{
			{Name: "tree", Algorithm: "tree", Value: 0.5, Interval: metric.Interval{Low: 0.4, High: 0.6}, Eval: e, Scored: s},
			{Name: "boost", Algorithm: "boost", Value: 0.1, Interval: metric.Interval{Low: 0.05, High: 0.2}, Eval: e, Scored: s},
			{Name: "mlp", Algorithm: "mlp", Skipped: "no time left"},
		}},
		Selection:  &learn.Selection{Inputs: []string{"a"}, Ranks: []learn.InputRank{{Input: "a", Information: 0.5}}, Steps: []learn.SelectionStep{{Inputs: 2, Loss: 0.1}, {Inputs: 1, Loss: 0.2}}},
		Unseen:     []learn.Unseen{{Type: "smurf", Class: "dos", Weight: 200, Budget: metric.Budget{Recall: 0.2, FPR: 0.01}}, {Type: "spy", Class: "r2l", Budget: metric.Budget{Recall: 0.9}}},
		Importance: []float64{0.75, 0.25},
		Curve:      []float64{1, 0.5, 0.4, 0.41},
		Settings:   map[string]int{"trees": 100},
		Limits:     []string{"No IPv6 in the data."},
	}
}

func TestModelPage(t *testing.T) {
	var page bytes.Buffer
	if err := WriteModel(&page, fullModel(t)); err != nil {
		t.Fatal(err)
	}
	doc := checkPage(t, "model", page.Bytes())
	want := []string{
		"Findings", "Model card", "What can be had at which price", "What is taken for what", "Attack types", "Unseen attacks",
		"Are its probabilities chances?", "What it looks at", "How training went", "Candidates", "Inputs chosen", "Settings", "Terms",
	}
	if got := headings(doc, "h2"); !slices.Equal(got, want) {
		t.Errorf("sections %q, want %q", got, want)
	}
	text := textOf(doc)
	for _, says := range []string{
		"flags 84.3% of the attacks and 3.2% of the benign rows", "misses more than a fifth of 1 attack type: guess<i> (flags 33.3% of 60)",
		"fewer than 10 rows: spy", "misses most of smurf", "Chosen among 2 candidates: boost has the best", "put together by hand",
		"mlids train --out='m.onnx'", "No IPv6 in the data.", "boost (chosen)", "no time left", "service=<b>",
	} {
		if !strings.Contains(text, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
	if got := len(headings(doc, "svg")); got != 11 {
		t.Errorf("%d pictures, want 11", got)
	}
}

func TestModelReportsMarshal(t *testing.T) {
	r := fullModel(t)
	r.Sum()
	n := len(r.Findings)
	if r.Sum(); len(r.Findings) != n {
		t.Errorf("%d findings the second time, want %d", len(r.Findings), n)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func TestModelPagesOfLittle(t *testing.T) {
	one := &metric.Scored{Classes: []string{"benign", "attack"}, Prob: []float32{0.4, 0.6}, Class: []int32{1}}
	e, err := metric.Evaluate(one, metric.Options{Points: 10})
	if err != nil {
		t.Fatal(err)
	}
	none := &metric.Evaluation{Binary: metric.Binary{Recall: 1}}
	for name, r := range map[string]*ModelReport{
		"nothing":        {},
		"one row":        {Info: model.Info{Name: "x", Classes: one.Classes, Inputs: []string{"a"}}, Evaluation: e},
		"no figures":     {Evaluation: none},
		"none chosen":    {Comparison: &learn.Comparison{Best: -1}, Selection: &learn.Selection{}},
		"strange losses": {Curve: []float64{math.NaN(), math.Inf(1), -1}, Importance: []float64{1, 2, 3}},
		"bad settings":   {Settings: math.NaN()},
	} {
		var page bytes.Buffer
		if err := WriteModel(&page, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkPage(t, name, page.Bytes())
	}
}

func TestFalseAlarmsThatWereNeverSeenAreBounded(t *testing.T) {
	r := &ModelReport{Evaluation: &metric.Evaluation{Classes: []string{"b", "a"}, Binary: metric.Binary{TP: 10, TN: 3000, Recall: 1, ROCAUC: 1, Threshold: 0.5}}}
	r.Sum()
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(f.Text + "\n")
	}
	said := b.String()
	for _, want := range []string{"100 right alarms and at most 1,000 false ones a day", "nearly perfect"} {
		if !strings.Contains(said, want) {
			t.Errorf("findings lack %q:\n%s", want, said)
		}
	}
}
