package train_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"mlids/learn"
	"mlids/learn/anomaly"
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
	set := kddset.Load(t, 200).Merge()
	cost := metric.KDD99Cost()
	cfg := train.Config{Learner: quick(10), Valid: 0.1, Folds: 3, FPR: 0.01, HoldOut: []string{"satan", "back"}, Cost: &cost, Seed: 1}
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
	auto.Candidates = []learn.Candidate{{Name: "ours", Algorithm: "boost", New: func(learn.Options) learn.Learner { return quick(3) }}}
	r, err = train.Run(t.Context(), set, model.Info{Name: "auto"}, train.Config{Auto: &auto, HoldOut: []string{"smurf"}})
	if err != nil || len(r.Unseen) != 1 {
		t.Errorf("a candidate of one's own, with a type held out: %+v, %v", r, err)
	}
}

func TestTooFewRows(t *testing.T) {
	set := kddset.Load(t, 200)
	one := set.Subset([]int32{0})
	if _, err := train.Run(t.Context(), one, model.Info{}, train.Config{Learner: quick(1), Folds: 2}); !errors.Is(err, train.ErrData) {
		t.Errorf("error %v, want %v", err, train.ErrData)
	}
}

// A companion is of the model's inputs, holds its budgets on benign rows, and is asked about the same types.
func TestCompanion(t *testing.T) {
	set := kddset.Load(t, 200).Merge()
	c := anomaly.Default()
	c.Trees = 30
	cfg := train.Config{Learner: quick(10), Companion: learn.Anomaly{Config: c}, Folds: 3, Inputs: 8, HoldOut: []string{"satan", "back"}, Seed: 1}
	r, err := train.Run(t.Context(), set, model.Info{Name: "kdd", Schema: "kdd99/1"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	own, info := r.Companion.Model.Info(), r.Model.Info()
	if own.Name != "kdd.anomaly" || own.Schema != info.Schema || !slices.Equal(own.Inputs, info.Inputs) || own.Fingerprint != info.Fingerprint {
		t.Errorf("the companion says of itself %+v", own)
	}
	if len(own.Budgets) < 5 || own.Threshold != own.Budgets[3].Threshold {
		t.Errorf("budgets %+v, threshold %v", own.Budgets, own.Threshold)
	}
	if _, err := model.NewJudge(r.Model).WithCompanion(r.Companion.Model, 0.01); err != nil {
		t.Error(err)
	}
	for i, u := range r.Companion.Unseen {
		e, alone := r.Companion.Either[i], r.Unseen[i]
		if u.Type != cfg.HoldOut[i] || e.Recall < max(u.Budget.Recall, alone.Budget.Recall)-1e-9 || e.FPR < u.Budget.FPR-1e-9 {
			t.Errorf("%s: companion %+v, classifier %+v, together %+v", u.Type, u.Budget, alone.Budget, e)
		}
		if own.Metrics["unseen_type_recall "+u.Type] != u.Budget.Recall {
			t.Errorf("%s: metrics %v", u.Type, own.Metrics)
		}
	}
	if len(r.Companion.Unseen) != 2 {
		t.Errorf("%d types held out, want 2", len(r.Companion.Unseen))
	}
	judged, err := learn.Score(r.Companion.Model, set)
	if err != nil {
		t.Fatal(err)
	}
	if ranked := judged.Ranked(); ranked.FPR(ranked.At(own.Threshold)) > 0.03 {
		t.Errorf("%.4f of the benign rows are anomalies, the budget is 0.01", ranked.FPR(ranked.At(own.Threshold)))
	}
}

func TestCompanionOfTooFewRows(t *testing.T) {
	set := kddset.Load(t, 200)
	var rows []int32
	left := map[bool]int{true: 6, false: 40} // benign rows, attacks
	for i, c := range set.Class {
		if left[c == 0] > 0 {
			left[c == 0]--
			rows = append(rows, int32(i))
		}
	}
	cfg := train.Config{Learner: quick(1), Folds: 2, Companion: learn.Anomaly{Config: anomaly.Default()}}
	if _, err := train.Run(t.Context(), kddset.Binary(set.Subset(rows)), model.Info{Name: "few"}, cfg); !errors.Is(err, train.ErrData) {
		t.Errorf("error %v, want %v", err, train.ErrData)
	}
}
