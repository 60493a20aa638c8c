package learn_test

import (
	"math"
	"testing"

	"mlids/dataset"
	"mlids/learn"
)

// many is a set of n benign rows, n attacks of a common type and 300 of a rare one.
func many(n int) *dataset.Set {
	s := &dataset.Set{Inputs: []string{"x"}, Classes: []string{"benign", "attack"}, Types: []string{"benign", "common", "rare"}, X: make([][]float32, 1)}
	for i := range 2*n + 300 {
		t := int32(min(i/n, 2))
		s.X[0] = append(s.X[0], float32(i%n)+float32(t)/2)
		s.Class, s.Type, s.Weight = append(s.Class, min(t, 1)), append(s.Type, t), append(s.Weight, 1)
	}
	return s
}

func TestTypesAreHeldOutOnASample(t *testing.T) {
	s := many(60_000)
	found, err := learn.HoldOutTypes(t.Context(), quickBoost(2), s, []string{"common", "rare"}, 0.05, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range found {
		rows, benign := 0, 0.0
		for i, c := range u.Scored.Class {
			if c == 0 {
				benign += float64(u.Scored.Weight[i])
			} else {
				rows++
			}
		}
		if math.Abs(benign-0.15*60_000) > 100 {
			t.Errorf("%s: benign test rows weigh %.0f, want 15%% of 60,000", u.Type, benign)
		}
		if u.Type == "rare" && (rows != 300 || u.Weight != 300) || u.Type == "common" && (rows > 21_000 || u.Weight != 60_000) {
			t.Errorf("%s: %d rows stand for %.0f; want all 300 of the rare type, a sample of the common one", u.Type, rows, u.Weight)
		}
	}
}
