package api

import (
	"strings"
	"testing"

	"mlids/model"
	"mlids/model/registry"
)

// companion is the anomaly companion of a stump over cicflow/common: flows that last longer than the threshold are anomalies.
func companion(t *testing.T, name string, threshold float32) *model.Model {
	t.Helper()
	of := stump(t, name, "cicflow/common", "tot_fwd_pkts", 1000, "benign", "attack")
	info := of.Info()
	duration := int32(-1)
	for i, in := range info.Inputs {
		if in == "flow_duration" {
			duration = int32(i)
		}
	}
	m, err := model.New(model.Info{
		Name: model.CompanionName(name), Algorithm: "anomaly", Schema: info.Schema, Inputs: info.Inputs, Classes: []string{"seen", "anomaly"},
		Budgets: []model.Budget{{FPR: 0.1, Threshold: 0.5}, {FPR: 0.01, Threshold: 0.75}},
	}, &model.Forest{
		Inputs: len(info.Inputs), Outputs: 1, Base: []float64{0}, Link: model.Logistic,
		Trees: []model.Tree{{Values: []float64{-2, 2}, Nodes: []model.Node{
			{Feature: duration, Threshold: threshold, Left: 1, Right: 2, Cover: 2}, {Feature: -1, Left: 0, Cover: 1}, {Feature: -1, Left: 1, Cover: 1},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func lasting(packets, duration float64) map[string]any {
	return map[string]any{"tot_fwd_pkts": packets, "flow_duration": duration}
}

// A row that the model calls benign and the companion unlike any seen is an anomaly, and counted as one; the companion is
// listed but answers for nothing, and a model without one is asked alone.
func TestAnomalies(t *testing.T) {
	models := stumps(t)
	if err := models.Add(registry.File, companion(t, "cicflow", 1e6)); err != nil {
		t.Fatal(err)
	}
	body := split(t, lasting(5, 10), lasting(5000, 1e7), lasting(5, 1e7))
	seen := &sums{}
	s := newServer(t, Config{AnomalyFPR: 0.05}, models)
	s.deps.Observe = seen
	for query, want := range map[string]string{
		"":                        "[0,1,1]\n",
		"?detail=1":               `{"prediction":1,"class":"anomaly","probability":0.8807971,"threshold":0.75}]`,
		"?explain=1":              `"class":"anomaly","probability":0.8807971,"threshold":0.75,"explanation":[{"input":"flow_duration"`,
		"?model=cicflow.anomaly":  "[0,1,1]\n",
		"?model=cicflow&detail=1": `{"prediction":1,"class":"attack","probability":0.99,"threshold":0.5},`,
	} {
		if status, _, got := ask(s.Server, post("/api/predictions"+query, mediaSplit, body)); !strings.Contains(got, want) {
			t.Errorf("%q: %d %s, want %s", query, status, got, want)
		}
	}
	if _, _, got := ask(s.Server, post("/predict", mediaJSON, document(t, connection(t, nil)))); !strings.Contains(got, `"prediction":"normal"`) {
		t.Errorf("/predict: %s", got)
	}
	text := exposed(t, s.Server)
	for _, want := range []string{`mlids_predictions_total{class="anomaly",model="cicflow"} 4`, `mlids_predictions_total{class="attack",model="cicflow"} 4`} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if !strings.Contains(strings.Join(seen.classes, " "), "benign attack anomaly") {
		t.Errorf("the observer was told of %q", seen.classes)
	}
	off := newServer(t, Config{}, models).Server
	if _, _, got := ask(off, post("/api/predictions", mediaSplit, body)); got != "[0,1,0]\n" {
		t.Errorf("without --anomaly-fpr: %s", got)
	}
}

// sums is an observer that keeps the classes it was told.
type sums struct{ classes []string }

func (s *sums) Predicted(_ string, classes []string, _ []int, _ []float64) {
	s.classes = append(s.classes, classes...)
}

// A companion that comes, or is exchanged, while the server runs is asked from the next request on; one that does not fit
// is left out.
func TestCompanionsMayChange(t *testing.T) {
	models := stumps(t)
	s := newServer(t, Config{AnomalyFPR: 0.1}, models).Server
	body := split(t, lasting(5, 1000))
	wrong := companion(t, "cicflow", 10).Info()
	wrong.Inputs = []string{"flow_duration"}
	foreign, err := model.New(wrong, &model.Forest{Inputs: 1, Outputs: 1, Base: []float64{3}, Link: model.Logistic})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		companion *model.Model
		want      string
	}{{nil, "[0]\n"}, {companion(t, "cicflow", 10), "[1]\n"}, {companion(t, "cicflow", 5000), "[0]\n"}, {foreign, "[0]\n"}} {
		if test.companion != nil {
			if err := models.Add(registry.Imported, test.companion); err != nil {
				t.Fatal(err)
			}
		}
		if status, _, got := ask(s, post("/api/predictions", mediaSplit, body)); got != test.want {
			t.Errorf("%d %s, want %s", status, got, test.want)
		}
	}
}
