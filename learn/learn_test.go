package learn_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"mlids/dataset"
	"mlids/learn"
	"mlids/learn/internal/kddset"
	"mlids/learn/metric"
	"mlids/model"
)

// halves are every second row of every step-th KDD row, and the others.
func halves(tb testing.TB, step int) (train, test *dataset.Set) {
	tb.Helper()
	s := kddset.Load(tb, step)
	train = kddset.Part(s, func(i int) bool { return i%2 == 0 })
	test = kddset.Part(s, func(i int) bool { return i%2 == 1 })
	return train, test
}

func fit(tb testing.TB, algorithm string, train, valid *dataset.Set) *model.Model {
	tb.Helper()
	l, err := learn.New(algorithm, learn.Options{Seed: 1})
	if err != nil {
		tb.Fatal(err)
	}
	f, err := l.Fit(tb.Context(), train, valid)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := f.Model(model.Info{Name: algorithm, Schema: "kdd99/1"})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func evaluate(tb testing.TB, m *model.Model, s *dataset.Set) *metric.Evaluation {
	tb.Helper()
	scored, err := learn.Score(m, s)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := metric.Evaluate(scored, metric.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestEveryAlgorithmLearnsBothTasks(t *testing.T) {
	train, test := halves(t, 200)
	for _, algorithm := range learn.Algorithms() {
		t.Run(algorithm+"/binary", func(t *testing.T) {
			e := evaluate(t, fit(t, algorithm, kddset.Binary(train), nil), kddset.Binary(test))
			t.Logf("AUC %.5f, calibration error %.5f, log loss %.5f", e.Binary.ROCAUC, e.Binary.CalibrationError, e.LogLoss)
			if e.Binary.ROCAUC < 0.99 || e.Binary.CalibrationError > 0.03 {
				t.Errorf("AUC %.5f, calibration error %.5f; want at least 0.99, at most 0.03", e.Binary.ROCAUC, e.Binary.CalibrationError)
			}
		})
		t.Run(algorithm+"/classes", func(t *testing.T) {
			e := evaluate(t, fit(t, algorithm, train, nil), test)
			t.Logf("class accuracy %.5f, log loss %.5f", e.Correct, e.LogLoss)
			if e.Correct < 0.98 {
				t.Errorf("class accuracy %.5f, want at least 0.98", e.Correct)
			}
		})
	}
}

func TestModelsAreTheSameOnAnyNumberOfCores(t *testing.T) {
	train, _ := halves(t, 200)
	for _, algorithm := range learn.Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			var files [][]byte
			for _, cores := range []int{1, 3} {
				before := runtime.GOMAXPROCS(cores)
				files = append(files, fit(t, algorithm, train, nil).Encode())
				runtime.GOMAXPROCS(before)
			}
			if !bytes.Equal(files[0], files[1]) {
				t.Error("the model depends on the number of cores")
			}
		})
	}
}

// small is a set of n rows of two inputs.
func small(n int) *dataset.Set {
	s := &dataset.Set{Inputs: []string{"a", "b"}, Classes: []string{"benign", "attack"}, Types: []string{"benign", "attack"}, X: make([][]float32, 2)}
	for i := range n {
		s.X[0], s.X[1] = append(s.X[0], float32(i)), append(s.X[1], float32(i%7))
		s.Class, s.Type, s.Weight = append(s.Class, int32(i%2)), append(s.Type, int32(i%2)), append(s.Weight, 1)
	}
	return s
}

func TestDataThatNothingCanBeLearnedFrom(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		change func(*dataset.Set)
		want   error
	}{
		"no rows":        {t.Context(), func(s *dataset.Set) { *s = *s.Subset(nil) }, learn.ErrNoRows},
		"one row":        {t.Context(), func(s *dataset.Set) { *s = *s.Subset([]int32{0}) }, learn.ErrOneClass},
		"constant label": {t.Context(), func(s *dataset.Set) { clear(s.Class) }, learn.ErrOneClass},
		"no inputs":      {t.Context(), func(s *dataset.Set) { s.X, s.Inputs = nil, nil }, learn.ErrShape},
		"NaN weight":     {t.Context(), func(s *dataset.Set) { s.Weight[1] = float32(math.NaN()) }, learn.ErrShape},
		"weightless":     {t.Context(), func(s *dataset.Set) { clear(s.Weight) }, learn.ErrNoRows},
		"cancelled":      {cancelled, func(*dataset.Set) {}, context.Canceled},
	} {
		for _, algorithm := range learn.Algorithms() {
			t.Run(name+"/"+algorithm, func(t *testing.T) {
				s := small(64)
				c.change(s)
				l, err := learn.New(algorithm, learn.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := l.Fit(c.ctx, s, nil); !errors.Is(err, c.want) {
					t.Errorf("error %v, want %v", err, c.want)
				}
			})
		}
	}
}

func TestOddDataIsLearnedFrom(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, change := range map[string]func(*dataset.Set){
		"two rows":         func(s *dataset.Set) { *s = *s.Subset([]int32{0, 1}) },
		"missing column":   func(s *dataset.Set) { s.X[0] = slices.Repeat([]float32{nan}, s.Len()) },
		"nothing but NaN":  func(s *dataset.Set) { s.X[0] = slices.Repeat([]float32{nan}, s.Len()); s.X[1] = s.X[0] },
		"infinities":       func(s *dataset.Set) { s.X[0][3], s.X[0][4], s.X[1][5] = inf, -inf, math.MaxFloat32 },
		"class of one":     func(s *dataset.Set) { s.Classes = append(s.Classes, "rare"); s.Class[7] = 2 },
		"class of none":    func(s *dataset.Set) { s.Classes = append(s.Classes, "absent") },
		"no weights":       func(s *dataset.Set) { s.Weight, s.Type, s.Types = nil, nil, nil },
		"a weight of 0":    func(s *dataset.Set) { s.Weight[0] = 0 },
		"a weight of 10^6": func(s *dataset.Set) { s.Weight[2] = 1e6 },
		"a class without weight": func(s *dataset.Set) {
			s.Classes, s.Class[7], s.Weight[7] = append(s.Classes, "weightless"), 2, 0
		},
		"nothing but the largest": func(s *dataset.Set) { s.X[0] = slices.Repeat([]float32{math.MaxFloat32}, s.Len()) },
		"all rows the same":       func(s *dataset.Set) { clear(s.X[0]); clear(s.X[1]) },
		"one of each, equal":      func(s *dataset.Set) { *s = *s.Subset([]int32{0, 1}); clear(s.X[0]); clear(s.X[1]) },
	} {
		for _, algorithm := range learn.Algorithms() {
			t.Run(name+"/"+algorithm, func(t *testing.T) {
				s := small(64)
				change(s)
				evaluate(t, fit(t, algorithm, s, nil), s)
			})
		}
	}
}

func TestUnknownAlgorithm(t *testing.T) {
	if _, err := learn.New("oracle", learn.Options{}); !errors.Is(err, learn.ErrAlgorithm) {
		t.Errorf("error %v, want %v", err, learn.ErrAlgorithm)
	}
}

func TestScoreRefusesWhatTheModelDoesNotKnow(t *testing.T) {
	s := small(64)
	s.Classes = []string{"benign", "flood", "scan"}
	m := fit(t, "tree", s, nil)
	other := small(64)
	other.Classes = []string{"benign", "worm"}
	if _, err := learn.Score(m, other); !errors.Is(err, learn.ErrClass) {
		t.Errorf("unseen class: error %v, want %v", err, learn.ErrClass)
	}
	other = small(64)
	other.Inputs = []string{"a", "c"}
	if _, err := learn.Score(m, other); !errors.Is(err, learn.ErrShape) {
		t.Errorf("missing input: error %v, want %v", err, learn.ErrShape)
	}
}

func TestABinaryModelTakesAnyAttackForOne(t *testing.T) {
	m := fit(t, "tree", small(64), nil)
	s := small(64)
	s.Classes = []string{"benign", "flood", "scan"}
	for i := range s.Class {
		s.Class[i] *= int32(1 + i%4/2)
	}
	scored, err := learn.Score(m, s)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Max(scored.Class) != 1 {
		t.Errorf("classes %v, want 0 and 1", scored.Class)
	}
}
