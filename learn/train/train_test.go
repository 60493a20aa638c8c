package train_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"mlids/learn"
	"mlids/learn/internal/kddset"
	"mlids/learn/metric"
	"mlids/learn/train"
	"mlids/learn/tree"
	"mlids/model"
)

func quick(trees int) learn.Boost {
	c := tree.DefaultBoost()
	c.Trees = trees
	return learn.Boost{Config: c}
}

func TestFromASetToAModel(t *testing.T) {
	set := kddset.Load(t, 60).Merge()
	cost := metric.KDD99Cost()
	cfg := train.Config{Learner: quick(30), Valid: 0.1, Folds: 3, FPR: 0.01, HoldOut: []string{"satan", "back"}, Cost: &cost, Seed: 1}
	var files [][]byte
	for range 2 {
		r, err := train.Run(t.Context(), set, model.Info{Name: "kdd", Schema: "kdd99/1"}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, r.Model.Encode())
		info := r.Model.Info()
		if e := r.Evaluation; e.Binary.FPR > 0.01 || e.Binary.Recall < 0.95 || e.Binary.Threshold != info.Threshold {
			t.Errorf("FPR %.4f, recall %.4f at %v; the budget is 0.01", e.Binary.FPR, e.Binary.Recall, e.Binary.Threshold)
		}
		if len(r.Unseen) != 2 || info.CostBenign <= 0 || info.CostBenign > 1 || len(r.Curve) == 0 {
			t.Errorf("%d types held out, factor %v, %d rounds watched", len(r.Unseen), info.CostBenign, len(r.Curve))
		}
		if !slices.Equal(info.Classes, kddset.Classes) || info.Fingerprint == "" || info.Metrics["out_of_fold_roc_auc"] < 0.99 {
			t.Errorf("the model says of itself %+v", info)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same data and seed made another file")
	}
}

func TestFewerInputs(t *testing.T) {
	set := kddset.Binary(kddset.Load(t, 200)).Merge()
	r, err := train.Run(t.Context(), set, model.Info{Name: "few"}, train.Config{Learner: quick(10), Folds: 2, Inputs: 5})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Model.Inputs(); got != 5 || !slices.Equal(r.Model.Info().Inputs, r.Selection.Inputs) {
		t.Errorf("the model asks for %d inputs, selected were %q", got, r.Selection.Inputs)
	}
}

func TestTheChoiceIsKept(t *testing.T) {
	set := kddset.Binary(kddset.Load(t, 200)).Merge()
	auto := learn.DefaultAuto()
	auto.Budget, auto.Folds = 0, 2
	r, err := train.Run(t.Context(), set, model.Info{Name: "auto"}, train.Config{Auto: &auto})
	if err != nil {
		t.Fatal(err)
	}
	if r.Model.Info().Algorithm != "boost" || r.Comparison.Reason == "" {
		t.Errorf("kept %s: %q", r.Model.Info().Algorithm, r.Comparison.Reason)
	}
}

func TestTooFewRows(t *testing.T) {
	set := kddset.Load(t, 200)
	one := set.Subset([]int32{0})
	if _, err := train.Run(t.Context(), one, model.Info{}, train.Config{Learner: quick(1), Folds: 2}); !errors.Is(err, train.ErrData) {
		t.Errorf("error %v, want %v", err, train.ErrData)
	}
}
