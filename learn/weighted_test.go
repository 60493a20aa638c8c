package learn_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"mlids/dataset"
	"mlids/learn"
)

// seenWeights is a learner that only remembers the weights it was given.
type seenWeights struct{ got *[]float32 }

func (l seenWeights) Fit(_ context.Context, train, _ *dataset.Set) (*learn.Fitted, error) {
	*l.got = train.Weight
	return &learn.Fitted{}, nil
}

func TestWeighted(t *testing.T) {
	set := &dataset.Set{
		Inputs: []string{"x"}, X: [][]float32{{1, 2, 3, 4}}, Class: []int32{0, 0, 0, 1}, Classes: []string{"benign", "attack", "never"},
		Weight: []float32{1, 2, 3, 2},
	}
	for _, test := range []struct {
		name    string
		learner learn.Weighted
		want    []float32
	}{
		{"as they are", learn.Weighted{}, []float32{1, 2, 3, 2}},
		{"by name", learn.Weighted{ByClass: map[string]float64{"attack": 10}}, []float32{1, 2, 3, 20}},
		{"balanced: four each", learn.Weighted{Balanced: true}, []float32{4. / 6, 8. / 6, 2, 4}},
	} {
		var got []float32
		test.learner.Learner = seenWeights{&got}
		if _, err := test.learner.Fit(t.Context(), set, nil); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: weights %v (%v), want %v", test.name, got, err, test.want)
		}
	}
	idle := *set // rows without weight are not there, however many they are
	idle.Weight = []float32{0, 0, 3, 2}
	var got []float32
	if _, err := (learn.Weighted{Balanced: true, Learner: seenWeights{&got}}).Fit(t.Context(), &idle, nil); err != nil ||
		!slices.Equal(got, []float32{0, 0, 2.5, 2.5}) {
		t.Errorf("balanced, rows without weight: %v (%v), want 2.5 for either class", got, err)
	}
	if !slices.Equal(set.Weight, []float32{1, 2, 3, 2}) {
		t.Error("the caller's weights were changed")
	}
	for _, bad := range []map[string]float64{{"nobody": 2}, {"attack": 0}, {"attack": -1}, {"attack": 1e9}} {
		l := learn.Weighted{Learner: seenWeights{new([]float32)}, ByClass: bad}
		if _, err := l.Fit(t.Context(), set, nil); !errors.Is(err, learn.ErrWeight) {
			t.Errorf("%v: got %v, want ErrWeight", bad, err)
		}
	}
}
