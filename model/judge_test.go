package model

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"mlids/internal/testdata"
)

// stump is a model of one input x that gives P(class 1) = sigmoid(low) up to 10, and sigmoid(high) above.
func stump(t *testing.T, info Info, input int, low, high float64) *Model {
	t.Helper()
	m, err := New(info, &Forest{
		Inputs: len(info.Inputs), Outputs: 1, Base: []float64{0}, Link: Logistic,
		Trees: []Tree{{
			Nodes: []Node{
				{Feature: int32(input), Threshold: 10, Left: 1, Right: 2, Cover: 4},
				{Feature: -1, Left: 0, Cover: 3}, {Feature: -1, Left: 1, Cover: 1},
			},
			Values: []float64{low, high},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func pair(t *testing.T) (classifier, companion *Model) {
	t.Helper()
	inputs := []string{"x", "y"}
	classifier = stump(t, Info{Name: "m", Schema: "flows/1", Inputs: inputs, Classes: []string{"benign", "attack"}}, 0, -3, 3)
	companion = stump(t, Info{
		Name: "m.anomaly", Schema: "flows/1", Inputs: inputs, Classes: []string{"seen", "anomaly"},
		Budgets: []Budget{{FPR: 0.1, Threshold: 0.6}, {FPR: 0.01, Threshold: 0.7}, {FPR: 0.001, Threshold: 0.99}},
	}, 1, -1, 2)
	return classifier, companion
}

// judgedRows are: benign and usual, an attack, benign and unusual, both.
var judgedRows = []float32{1, 1, 20, 1, 1, 20, 20, 20}

func TestJudgeWithCompanion(t *testing.T) {
	classifier, companion := pair(t)
	alone := NewJudge(classifier)
	both, err := alone.WithCompanion(companion, 0.05) // the next stricter entry is 0.01
	if err != nil {
		t.Fatal(err)
	}
	strict, err := alone.WithCompanion(companion, 0.001)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		judge   *Judge
		classes []string
		want    []string
	}{
		{"alone", alone, []string{"benign", "attack"}, []string{"benign", "attack", "benign", "attack"}},
		{"with companion", both, []string{"benign", "attack", "anomaly"}, []string{"benign", "attack", "anomaly", "attack"}},
		{"strict", strict, []string{"benign", "attack", "anomaly"}, []string{"benign", "attack", "benign", "attack"}},
	} {
		scores := make([]float32, 4*test.judge.Width())
		if err := test.judge.Scores(scores, judgedRows); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range 4 {
			v := test.judge.Verdict(scores, i)
			got = append(got, v.Class)
			if v.Attack != (v.Class != "benign") || v.Model != "m" || v.Version != classifier.Info().Version {
				t.Errorf("%s: verdict %+v", test.name, v)
			}
			if score := 1 / (1 + math.Exp(-2)); v.Class == Anomaly && (math.Abs(v.Probability-score) > 1e-6 || v.Threshold != 0.7) {
				t.Errorf("%s: anomaly %v at %v, want its score %v at 0.7", test.name, v.Probability, v.Threshold, score)
			}
		}
		if !slices.Equal(got, test.want) || !slices.Equal(test.judge.Classes(), test.classes) {
			t.Errorf("%s: %q of %q, want %q of %q", test.name, got, test.judge.Classes(), test.want, test.classes)
		}
	}
}

// What is unusual about an anomaly is explained by the companion, all else by the classifier.
func TestJudgeExplains(t *testing.T) {
	classifier, companion := pair(t)
	j, err := NewJudge(classifier).WithCompanion(companion, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, 4*j.Width())
	if err := j.Scores(scores, judgedRows); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"x", "x", "y", "x"} {
		why, err := j.Explain(judgedRows[2*i:][:2], j.Verdict(scores, i))
		if err != nil || why.Contributions[0].Input != want {
			t.Errorf("row %d: %+v (%v), want input %s first", i, why.Contributions, err, want)
		}
	}
}

func TestCompanionOfAnotherModel(t *testing.T) {
	classifier, companion := pair(t)
	info := companion.Info()
	for name, change := range map[string]func(*Info){
		"name":    func(i *Info) { i.Name = "n.anomaly" },
		"schema":  func(i *Info) { i.Schema = "flows/2" },
		"inputs":  func(i *Info) { i.Inputs = []string{"x", "z"} },
		"order":   func(i *Info) { i.Inputs = []string{"y", "x"} },
		"budgets": func(i *Info) { i.Budgets = nil },
	} {
		other := info
		change(&other)
		_, err := NewJudge(classifier).WithCompanion(stump(t, other, 1, -1, 2), 0.01)
		want := ErrCompanion
		if name == "budgets" {
			want = ErrBudget
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	if name := CompanionName("m"); name != "m.anomaly" || !IsCompanion(name) || IsCompanion("m") {
		t.Errorf("companion %q", name)
	}
}

func TestJudgeOfWrongLengths(t *testing.T) {
	classifier, companion := pair(t)
	j, err := NewJudge(classifier).WithCompanion(companion, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{3, 7, 4, 12} {
		if err := j.Scores(make([]float32, n), judgedRows[:4]); !errors.Is(err, ErrInputs) {
			t.Errorf("%d scores for 2 rows: got %v, want ErrInputs", n, err)
		}
	}
}

func TestBudgetFor(t *testing.T) {
	_, companion := pair(t)
	info := companion.Info()
	for fpr, want := range map[float64]float64{0.5: 0.6, 0.1: 0.6, 0.09: 0.7, 0.01: 0.7, 0.002: 0.99, 0.001: 0.99} {
		if b, err := info.BudgetFor(fpr); err != nil || b.Threshold != want {
			t.Errorf("%v: %+v (%v), want threshold %v", fpr, b, err, want)
		}
	}
	for _, fpr := range []float64{0.0009, 0, -1, 1, math.NaN()} {
		if b, err := info.BudgetFor(fpr); !errors.Is(err, ErrBudget) {
			t.Errorf("%v: got %+v, %v, want ErrBudget", fpr, b, err)
		}
	}
}

func TestBudgetsAreKeptInTheFile(t *testing.T) {
	_, companion := pair(t)
	again, err := Read(companion.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := again.Info().Budgets, companion.Info().Budgets; !slices.Equal(got, want) || len(got) != 3 {
		t.Errorf("read %v, wrote %v", got, want)
	}
	for name, budgets := range map[string][]Budget{
		"rates rise":      {{FPR: 0.01, Threshold: 0.5}, {FPR: 0.1, Threshold: 0.6}},
		"thresholds fall": {{FPR: 0.1, Threshold: 0.5}, {FPR: 0.01, Threshold: 0.4}},
		"no rate":         {{FPR: 0, Threshold: 0.5}},
		"no number":       {{FPR: math.NaN(), Threshold: 0.5}},
		"above 1":         {{FPR: 0.1, Threshold: 1.5}},
	} {
		info := companion.Info()
		info.Budgets = budgets
		_, err := New(info, &Forest{Inputs: 2, Outputs: 1, Base: []float64{0}, Link: Logistic})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "budgets") {
			t.Errorf("%s: got %v, want ErrInvalid that names the budgets", name, err)
		}
	}
}

func TestJudgeDoesNotAllocate(t *testing.T) {
	if testdata.Race {
		t.Skip("needs a run without -race, which drops pooled memory")
	}
	classifier, companion := pair(t)
	alone := NewJudge(classifier)
	both, err := alone.WithCompanion(companion, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range []*Judge{alone, both} {
		scores := make([]float32, 4*j.Width())
		if n := testing.AllocsPerRun(100, func() {
			_ = j.Scores(scores, judgedRows)
			_ = j.Verdict(scores, 2)
		}); n > 0 {
			t.Errorf("%v allocations per batch, companion asked: %v", n, j.Companion() != nil)
		}
	}
}
