package api

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/api/door"
	"mlids/feature"
	"mlids/model"
	"mlids/model/registry"
	"mlids/models"
)

// stump is a model of one question: the row is of the last class when the input exceeds the threshold.
func stump(tb testing.TB, name, schemaID, input string, threshold float32, classes ...string) *model.Model {
	tb.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := catalogue.Find(schemaID)
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	asked := int32(-1)
	for i, in := range schema.Inputs(false) {
		names = append(names, in.Name)
		if in.Name == input {
			asked = int32(i)
		}
	}
	if asked < 0 {
		tb.Fatalf("schema %s has no input %s", schemaID, input)
	}
	k := len(classes)
	values := make([]float64, 2*k)
	for i := range k {
		values[i], values[k+i] = 0.01/float64(k-1), 0.01/float64(k-1)
	}
	values[0], values[2*k-1] = 0.99, 0.99
	m, err := model.New(model.Info{Name: name, Algorithm: "tree", Schema: schemaID, Inputs: names, Classes: classes}, &model.Forest{
		Inputs: len(names), Outputs: k, Base: make([]float64, k), Link: model.Identity,
		Trees: []model.Tree{{Output: -1, Values: values, Nodes: []model.Node{
			{Feature: asked, Threshold: threshold, MissingLeft: true, Left: 1, Right: 2, Cover: 2},
			{Feature: -1, Left: 0, Cover: 1},
			{Feature: -1, Left: int32(k), Cover: 1},
		}}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// stumps are tiny models that agree with the examples of openapi.yaml.
func stumps(tb testing.TB) *registry.Registry {
	tb.Helper()
	r := &registry.Registry{}
	err := r.Add(registry.Embedded,
		stump(tb, "cicflow", "cicflow/common", "tot_fwd_pkts", 1000, "benign", "attack"),
		stump(tb, "kdd99", "kdd99/1", "count", 100, "normal", "probe", "r2l", "u2r", "dos"))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// embedded are the models that the program has built in.
func embedded(tb testing.TB) *registry.Registry {
	tb.Helper()
	loaded, err := models.Load()
	if err != nil {
		tb.Fatal(err)
	}
	r := &registry.Registry{}
	if err := r.Add(registry.Embedded, loaded...); err != nil {
		tb.Fatal(err)
	}
	return r
}

// fixture is a server for one test.
type fixture struct {
	*Server
	metrics *prometheus.Registry
}

func newServer(tb testing.TB, cfg Config, models Models) *fixture {
	tb.Helper()
	return withDeps(tb, cfg, Deps{Models: models})
}

// guarded is a server with locks.
func guarded(tb testing.TB, cfg Config, guard *door.Guard) *fixture {
	tb.Helper()
	return withDeps(tb, cfg, Deps{Models: stumps(tb), Guard: guard})
}

func withDeps(tb testing.TB, cfg Config, deps Deps) *fixture {
	tb.Helper()
	cfg.Listen = "127.0.0.1:0"
	f := &fixture{metrics: prometheus.NewRegistry()}
	deps.Log, deps.Register, deps.Gather = slog.New(slog.DiscardHandler), f.metrics, f.metrics
	s, err := New(cfg, deps)
	if err != nil {
		tb.Fatal(err)
	}
	f.Server = s
	return f
}

// start runs a server on a free port of the loopback and returns its URL. The test's end stops it and wants no error.
func start(tb testing.TB, s *Server) string {
	tb.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	select {
	case <-s.Listening():
	case err := <-done:
		tb.Fatalf("Run: %v", err)
	case <-time.After(10 * time.Second):
		tb.Fatal("the server does not listen")
	}
	return "http://" + s.Addr().String()
}

// ask sends a request to the handler and returns the answer.
func ask(s *Server, r *http.Request) (status int, header http.Header, body string) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Result().Header, w.Body.String()
}

// askHandler sends a request to a handler and returns status and header of the answer.
func askHandler(h http.Handler, r *http.Request) (int, http.Header) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Result().Header
}

// withKey is a request without a body that shows a key.
func withKey(method, path, key string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return r
}

func post(path, contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

// readCSV returns the header and the first rows of a compressed CSV file.
func readCSV(tb testing.TB, path string, n int) (header []string, rows [][]string) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	in := csv.NewReader(z)
	if header, err = in.Read(); err != nil {
		tb.Fatal(err)
	}
	for range n {
		row, err := in.Read()
		if err != nil {
			tb.Fatal(err)
		}
		rows = append(rows, row)
	}
	return header, rows
}
