package tree

import (
	"errors"
	"math"
	"testing"

	"mlids/learn/internal/data"
)

func TestInformationIsWhatKnowingAnInputTells(t *testing.T) {
	s := stairs(4000, 0)
	s.X[1][0] = float32(math.NaN())
	got, err := Information(s)
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Ln2; math.Abs(got[0]-want) > 0.03 || got[1] > 0.01 {
		t.Errorf("information %v nats, want about %.2f and 0", got, want)
	}
	clear(s.Class)
	if _, err := Information(s); !errors.Is(err, data.ErrOneClass) {
		t.Errorf("error %v, want %v", err, data.ErrOneClass)
	}
}

func TestImportanceGoesToWhatSplitsTell(t *testing.T) {
	s := stairs(2000, 0.1)
	boosted, _, err := DefaultBoost().Fit(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	single, err := DefaultTree().Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]float64{"boosted": Importance(boosted), "single": Importance(single)} {
		if math.Abs(got[0]+got[1]-1) > 1e-9 || got[0] < 0.6 {
			t.Errorf("%s: importance %v, want most for the first and 1 in all", name, got)
		}
	}
}
