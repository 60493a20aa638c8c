package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/dataset"
	"mlids/notify"
)

// afar is a backend that remembers what it was asked.
type afar struct {
	asked []string
	give  []mlids.Verdict
	err   error
}

func (*afar) Name() string { return "sagemaker" }

func (a *afar) Classify(_ context.Context, rows *dataset.Rows) ([]mlids.Verdict, error) {
	a.asked = append(a.asked, string(rows.RawColumns()))
	for i := range rows.N {
		a.asked = append(a.asked, string(rows.Raw(i)))
	}
	return a.give, a.err
}

// away is a failure of the backend.
type away int

func (a away) Error() string   { return "the endpoint is away" }
func (a away) HTTPStatus() int { return int(a) }

func newBackendServer(t *testing.T, b Backend, fallback string) *fixture {
	t.Helper()
	f := &fixture{metrics: prometheus.NewRegistry()}
	var err error
	f.Server, err = New(Config{Listen: "127.0.0.1:0", Fallback: fallback}, Deps{
		Log: slog.New(slog.DiscardHandler), Register: f.metrics, Gather: f.metrics, Models: stumps(t), Backend: b,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestBackendAnswers(t *testing.T) {
	b := &afar{give: []mlids.Verdict{
		{Attack: true, Class: `DoS "Hulk"`, Probability: 0.75, Threshold: 0.5}, {Class: "benign", Probability: math.NaN(), Threshold: 0.5},
	}}
	s := newBackendServer(t, b, "")
	const body = `{"data":[[ 1,"x"],[2, null]],"columns":["any column", "Dst Port"]}`
	status, header, answer := ask(s.Server, post("/api/predictions", mediaSplit, body))
	if status != http.StatusOK || answer != "[1,0]\n" || header.Get("X-Mlids-Backend") != "sagemaker" {
		t.Errorf("%d %q %v", status, answer, header)
	}
	if got, want := fmt.Sprintf("%q", b.asked), `["[\"any column\", \"Dst Port\"]" "[ 1,\"x\"]" "[2, null]"]`; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	_, _, answer = ask(s.Server, post("/api/predictions?detail=1", mediaSplit, body))
	const want = `[{"prediction":1,"class":"DoS \"Hulk\"","probability":0.75,"threshold":0.5,"backend":"sagemaker"},` +
		`{"prediction":0,"class":"benign","probability":null,"threshold":0.5,"backend":"sagemaker"}]` + "\n"
	if answer != want {
		t.Errorf("%s\nwant %s", answer, want)
	}
	if text := scrape(t, s); !strings.Contains(text, `mlids_predictions_total{class="attack",model="sagemaker"} 2`) || strings.Contains(text, "Hulk") {
		t.Errorf("metrics\n%s", text)
	}
}

func scrape(t *testing.T, s *fixture) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, text := ask(s.Server, r)
	return text
}

// Models that are named, and connections of KDD, are not the backend's business.
func TestBackendIsForUnnamedModelsOfFlows(t *testing.T) {
	b := &afar{}
	s := newBackendServer(t, b, "")
	for _, r := range []*http.Request{
		post("/api/predictions?model=cicflow&explain=2", mediaSplit, split(t, packets(5000))), post("/predict", mediaJSON, document(t, connection(t, nil))),
	} {
		status, header, answer := ask(s.Server, r)
		if status != http.StatusOK || header.Get("X-Mlids-Backend") != "" || len(b.asked) > 0 {
			t.Errorf("%s: %d %s %v", r.URL, status, answer, header)
		}
	}
	status, header, answer := ask(s.Server, post("/api/predictions?explain=2", mediaSplit, split(t, packets(5000))))
	if status != http.StatusBadRequest || len(b.asked) > 0 {
		t.Errorf("explanation: %d", status)
	}
	wantError(t, header, answer, "", "name a model")
}

func TestBackendFails(t *testing.T) {
	for name, test := range map[string]struct {
		backend *afar
		status  int
	}{
		"down":             {&afar{err: away(502)}, 502},
		"busy":             {&afar{err: away(503)}, 503},
		"slow":             {&afar{err: fmt.Errorf("in short: %w", away(504))}, 504},
		"refuses":          {&afar{err: away(400)}, 400},
		"another number":   {&afar{give: make([]mlids.Verdict, 2)}, 502},
		"for other causes": {&afar{err: errors.New("boom")}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			good := split(t, packets(5000))
			status, header, answer := ask(newBackendServer(t, test.backend, "").Server, post("/api/predictions", mediaSplit, good))
			if status != test.status || header.Get("X-Mlids-Backend") != "" || (header.Get("Retry-After") != "") != (status == 503) {
				t.Errorf("alone: %d %s, want %d", status, answer, test.status)
			}
			s := newBackendServer(t, test.backend, "cicflow")
			status, header, answer = ask(s.Server, post("/api/predictions?detail=1", mediaSplit, good))
			if test.status == 400 {
				if status != 400 {
					t.Errorf("with fallback: %d %s", status, answer)
				}
				return
			}
			if status != http.StatusOK || header.Get("X-Mlids-Backend") != "fallback" || !strings.Contains(answer, `"prediction":1,"class":"attack"`) ||
				!strings.Contains(answer, `"backend":"fallback"`) {
				t.Errorf("with fallback: %d %s %v", status, answer, header)
			}
			if text := scrape(t, s); !strings.Contains(text, "mlids_backend_fallbacks_total 1") {
				t.Errorf("metrics\n%s", text)
			}
		})
	}
}

// shelf keeps what is published.
type shelf []string

func (s *shelf) Publish(_ context.Context, messages []*notify.Message) error {
	for _, m := range messages {
		*s = append(*s, fmt.Sprintf("%s %v %s %s", m.Alert.Verdict.Class, m.Alert.Verdict.Probability, m.Alert.Verdict.Model, m.Body))
	}
	return nil
}

// Verdicts of backend and fallback go the same way outside as all others.
func TestBackendsVerdictsArePublished(t *testing.T) {
	const body = `{"columns":["a"],"data":[[1],[2]]}`
	b := &afar{give: []mlids.Verdict{{Attack: true, Class: "dos", Model: "ml-ids", Probability: math.NaN()}, {Class: "benign", Model: "ml-ids"}}}
	s := newBackendServer(t, b, "cicflow")
	var out shelf
	s.deps.Publish = &out
	if status, _, answer := ask(s.Server, post("/api/predictions", mediaSplit, body)); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	b.err = away(503)
	if status, _, answer := ask(s.Server, post("/api/predictions", mediaSplit, split(t, packets(5000)))); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	if len(out) != 2 || !strings.HasPrefix(out[0], `dos 0 ml-ids {"columns":["a","prediction"]`) || !strings.HasPrefix(out[1], "attack 0.99") {
		t.Errorf("published %q", []string(out))
	}
}

// Who went away gets no second opinion, and a broken body none at all.
func TestFallbackIsForTheBackendsFailures(t *testing.T) {
	b := &afar{err: away(503)}
	s := newBackendServer(t, b, "cicflow")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status, header, _ := ask(s.Server, post("/api/predictions", mediaSplit, split(t, packets(1))).WithContext(ctx)); status != 503 || header.Get("X-Mlids-Backend") != "" {
		t.Errorf("gone: %d %v", status, header)
	}
	if status, _, answer := ask(s.Server, post("/api/predictions", mediaSplit, `{"columns":["a"],"data":[[1,2]]}`)); status != 400 {
		t.Errorf("broken: %d %s", status, answer)
	}
	if status, _, answer := ask(s.Server, post("/api/predictions", mediaSplit, `{"columns":["a"],"data":[[1]]}`)); status != 400 || !strings.Contains(answer, "missing") {
		t.Errorf("columns that the fallback lacks: %d %s", status, answer)
	}
}

func TestBackendConfigurations(t *testing.T) {
	for name, test := range map[string]struct {
		backend  Backend
		fallback string
	}{"a fallback alone": {nil, "cicflow"}, "an unknown fallback": {&afar{}, "nope"}} {
		reg := prometheus.NewRegistry()
		_, err := New(Config{Fallback: test.fallback}, Deps{
			Log: slog.New(slog.DiscardHandler), Register: reg, Gather: reg, Models: stumps(t), Backend: test.backend,
		})
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
}
