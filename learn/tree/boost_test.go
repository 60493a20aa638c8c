package tree

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/kddset"
	"mlids/learn/metric"
	"mlids/model"
)

// halves are the even and the odd rows of every step-th KDD row.
func halves(tb testing.TB, step int) (train, test *dataset.Set) {
	tb.Helper()
	s := kddset.Load(tb, step)
	train = kddset.Part(s, func(i int) bool { return i%2 == 0 })
	test = kddset.Part(s, func(i int) bool { return i%2 == 1 })
	return train, test
}

func evaluate(tb testing.TB, f *model.Forest, s *dataset.Set) *metric.Evaluation {
	tb.Helper()
	e, err := metric.Evaluate(score(f, s), metric.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestBoostedTreesTellAttacksFromNormalTraffic(t *testing.T) {
	train, test := halves(t, 20)
	c := DefaultBoost()
	c.Trees = 30
	f, _, err := c.Fit(t.Context(), kddset.Binary(train), nil)
	if err != nil {
		t.Fatal(err)
	}
	if auc := evaluate(t, f, kddset.Binary(test)).Binary.ROCAUC; auc < 0.9999 {
		t.Errorf("ROC AUC %.6f, want at least 0.9999", auc)
	}
}

// u2r has 52 rows among 494,021. Newton steps of leaves with tiny hessians would make the margins of all classes explode.
func TestManyClassesDoNotCollapseOnTheRarest(t *testing.T) {
	s := kddset.LoadWith(t, 20, "u2r")
	rare := int32(slices.Index(kddset.Classes, "u2r"))
	seen := 0
	odd := make([]bool, s.Len())
	for i, c := range s.Class {
		odd[i] = i%2 == 1
		if c == rare {
			odd[i] = seen%2 == 1
			seen++
		}
	}
	c := DefaultBoost()
	c.Trees = 40
	f, _, err := c.Fit(t.Context(), kddset.Part(s, func(i int) bool { return !odd[i] }), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := evaluate(t, f, kddset.Part(s, func(i int) bool { return odd[i] }))
	for _, class := range e.Class {
		least := 0.95
		if class.Weight < 100 {
			least = 0.5
		}
		if class.Recall < least {
			t.Errorf("recall of %s (%.0f rows) is %.3f, want at least %.2f", class.Name, class.Weight, class.Recall, least)
		}
	}
	if e.Correct < 0.995 {
		t.Errorf("class accuracy %.4f, want at least 0.995", e.Correct)
	}
}

func TestTheSameForestOnAnyNumberOfCores(t *testing.T) {
	train, valid := halves(t, 40)
	c := DefaultBoost()
	c.Trees, c.Rows, c.Columns, c.Seed = 6, 0.8, 0.7, 7
	var want []byte
	for _, cores := range []int{1, 2, 8} {
		got := onCores(t, cores, func() (*model.Forest, error) {
			f, _, err := c.Fit(t.Context(), train, valid)
			return f, err
		})
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d cores made another forest than 1 core", cores)
		}
	}
}

// onCores runs fit with GOMAXPROCS set, and gives the forest as bytes.
func onCores(t *testing.T, cores int, fit func() (*model.Forest, error)) []byte {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	f, err := fit()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnotherSeedSamplesOtherRows(t *testing.T) {
	train, _ := halves(t, 40)
	c := DefaultBoost()
	c.Trees, c.Rows = 3, 0.5
	var forests [2][]byte
	for seed := range forests {
		c.Seed = uint64(seed)
		forests[seed] = onCores(t, 2, func() (*model.Forest, error) {
			f, _, err := c.Fit(t.Context(), train, nil)
			return f, err
		})
	}
	if slices.Equal(forests[0], forests[1]) {
		t.Error("two seeds made the same forest")
	}
}

// stairs is a set whose second input is noise; class 1 begins above 0.5, with some rows told wrong.
func stairs(n int, wrong float64) *dataset.Set {
	r := rand.New(rand.NewPCG(1, 2))
	s := &dataset.Set{Inputs: []string{"x", "noise"}, Classes: []string{"benign", "attack"}, X: [][]float32{make([]float32, n), make([]float32, n)}}
	for i := range n {
		s.X[0][i], s.X[1][i] = r.Float32(), r.Float32()
		var class int32
		if (s.X[0][i] > 0.5) != (r.Float64() < wrong) {
			class = 1
		}
		s.Class = append(s.Class, class)
		s.Weight = append(s.Weight, 1)
	}
	return s
}

func TestEarlyStoppingKeepsTheBestRound(t *testing.T) {
	s := stairs(2000, 0.2)
	train, valid := kddPart(s, 0), kddPart(s, 1)
	c := DefaultBoost()
	c.Trees, c.Patience, c.LearningRate = 500, 5, 0.3
	var rounds []Round
	c.Progress = func(r Round) { rounds = append(rounds, r) }
	f, curve, err := c.Fit(t.Context(), train, valid)
	if err != nil {
		t.Fatal(err)
	}
	best := slices.Index(curve, slices.Min(curve)) + 1
	if len(f.Trees) != best || len(curve) != best+c.Patience {
		t.Errorf("%d trees kept after %d rounds, want the best round %d and %d more", len(f.Trees), len(curve), best, c.Patience)
	}
	if len(rounds) != len(curve) || rounds[2].Loss != curve[2] || rounds[2].Done != 3 || rounds[2].Of != 500 {
		t.Errorf("progress told %d rounds, third %+v; want %d, loss %v", len(rounds), rounds[2], len(curve), curve[2])
	}
}

// kddPart is every second row, from the given one.
func kddPart(s *dataset.Set, from int) *dataset.Set {
	p := &dataset.Set{Inputs: s.Inputs, Classes: s.Classes, X: make([][]float32, len(s.X))}
	for i := from; i < s.Len(); i += 2 {
		p.Class, p.Weight = append(p.Class, s.Class[i]), append(p.Weight, s.Weight[i])
		for j, x := range s.X {
			p.X[j] = append(p.X[j], x[i])
		}
	}
	return p
}

func TestAWeightIsAsGoodAsARepeatedRow(t *testing.T) {
	s := stairs(300, 0.1)
	repeated, weighted := kddPart(s, 0), kddPart(s, 0)
	for i := range weighted.Class {
		weighted.Weight[i] = float32(1 + i%3)
		for range i % 3 {
			repeated.Class, repeated.Weight = append(repeated.Class, repeated.Class[i]), append(repeated.Weight, 1)
			for j := range repeated.X {
				repeated.X[j] = append(repeated.X[j], repeated.X[j][i])
			}
		}
	}
	forests := make([]*model.Forest, 2)
	for i, set := range []*dataset.Set{repeated, weighted} {
		f, _, err := DefaultBoost().Fit(t.Context(), set, nil)
		if err != nil {
			t.Fatal(err)
		}
		forests[i] = f
	}
	a, b := score(forests[0], s), score(forests[1], s)
	for i := range a.Prob {
		if math.Abs(float64(a.Prob[i]-b.Prob[i])) > 1e-3 {
			t.Fatalf("row %d: P = %v from repeated rows, %v from weights", i/2, a.Prob[i], b.Prob[i])
		}
	}
}

func TestMissingValuesGoToTheBetterSide(t *testing.T) {
	s := stairs(1000, 0)
	nan := float32(math.NaN())
	for i := range s.Class {
		if i%4 == 0 && s.Class[i] == 1 {
			s.X[0][i] = nan // missing means attack here, whatever the value would have been
		}
	}
	f, _, err := DefaultBoost().Fit(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	probe := &dataset.Set{Inputs: s.Inputs, Classes: s.Classes, X: [][]float32{{nan, 0.1, 0.9}, {0.5, 0.5, 0.5}}, Class: []int32{1, 0, 1}}
	p := score(f, probe).Prob
	if p[1] < 0.9 || p[3] > 0.1 || p[5] < 0.9 {
		t.Errorf("P(attack) of missing, 0.1 and 0.9 is %.3f, %.3f, %.3f; want high, low, high", p[1], p[3], p[5])
	}
}

func TestExtremeValuesAreLearnedFrom(t *testing.T) {
	inf := float32(math.Inf(1))
	values := []float32{-inf, inf, math.MaxFloat32, -math.MaxFloat32, 0, 1, math.SmallestNonzeroFloat32, float32(math.NaN())}
	s := &dataset.Set{Inputs: []string{"x", "missing", "constant"}, Classes: []string{"benign", "attack"}, X: make([][]float32, 3)}
	for i := range 800 {
		v := values[i%len(values)]
		s.X[0] = append(s.X[0], v)
		s.X[1] = append(s.X[1], float32(math.NaN()))
		s.X[2] = append(s.X[2], 1)
		s.Class = append(s.Class, int32(i%2))
	}
	f, _, err := DefaultBoost().Fit(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tree := range f.Trees {
		for _, n := range tree.Nodes {
			if n.Feature >= 0 && (n.Feature != 0 || n.Threshold != n.Threshold || math.IsInf(float64(n.Threshold), 0)) {
				t.Fatalf("node splits input %d at %v", n.Feature, n.Threshold)
			}
		}
	}
	if auc := evaluate(t, f, s).Binary.ROCAUC; auc < 0.7 {
		t.Errorf("AUC %.3f: the values tell the classes apart but for the infinities", auc)
	}
}

func TestNothingToTellRowsApart(t *testing.T) {
	s := &dataset.Set{Inputs: []string{"x"}, Classes: []string{"benign", "attack"}, X: [][]float32{{1, 1, 1, 1}}, Class: []int32{0, 0, 0, 1}}
	f, _, err := DefaultBoost().Fit(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := score(f, s).Prob[1]; math.Abs(float64(p)-0.25) > 1e-6 {
		t.Errorf("P(attack) = %v, want the prior 0.25", p)
	}
}

func TestBoostRefuses(t *testing.T) {
	good := stairs(20, 0)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		change func(*Boost, *dataset.Set)
		want   error
	}{
		"no trees":        {nil, func(b *Boost, _ *dataset.Set) { b.Trees = 0 }, ErrConfig},
		"a learning rate": {nil, func(b *Boost, _ *dataset.Set) { b.LearningRate = math.NaN() }, ErrConfig},
		"no rows":         {nil, func(_ *Boost, s *dataset.Set) { s.Class, s.Weight, s.X = nil, nil, [][]float32{{}, {}} }, data.ErrNoRows},
		"one class":       {nil, func(_ *Boost, s *dataset.Set) { s.Class = make([]int32, s.Len()) }, data.ErrOneClass},
		"one row": {nil, func(_ *Boost, s *dataset.Set) {
			*s = dataset.Set{Inputs: s.Inputs, Classes: s.Classes, X: [][]float32{{1}, {1}}, Class: []int32{0}}
		}, data.ErrOneClass},
		"negative weight":  {nil, func(_ *Boost, s *dataset.Set) { s.Weight[3] = -1 }, data.ErrShape},
		"unknown class":    {nil, func(_ *Boost, s *dataset.Set) { s.Class[3] = 2 }, data.ErrShape},
		"a short column":   {nil, func(_ *Boost, s *dataset.Set) { s.X[1] = s.X[1][:3] }, data.ErrShape},
		"a cancelled call": {cancelled, func(*Boost, *dataset.Set) {}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := DefaultBoost(), *good
			s.Class, s.Weight, s.X = slices.Clone(s.Class), slices.Clone(s.Weight), slices.Clone(s.X)
			c.change(&b, &s)
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			if _, _, err := b.Fit(ctx, &s, nil); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}
