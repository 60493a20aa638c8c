package report

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"mlids/dataset"
	"mlids/learn"
	"mlids/model"
)

func TestImportanceOfEveryKindOfModel(t *testing.T) {
	table := read(t, rows("x,y,label", 400, func(i int) string {
		return fmt.Sprintf("%d,%d,%s", i%2*10+i%5, i*7919%13, []string{"benign", "DoS"}[i%2])
	}), "x", "y")
	set, err := table.Set(nil, dataset.BenignOrAttack())
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []string{"tree", "svm", "mlp"} {
		l, err := learn.New(algorithm, learn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.Fit(t.Context(), set, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Model(model.Info{Name: "m"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Importance(m, set)
		if err != nil || len(got) != 2 || got[0] < 0.8 || math.Abs(got[0]+got[1]-1) > 1e-9 {
			t.Errorf("%s: importance %v, error %v; want x to have most of it", algorithm, got, err)
		}
		other, err := set.Select([]string{"y"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Importance(m, other); !errors.Is(err, dataset.ErrColumn) {
			t.Errorf("%s: error %v without a column", algorithm, err)
		}
	}
}
