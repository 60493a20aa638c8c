package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/api"
	"mlids/api/door"
	"mlids/client"
	"mlids/feature"
	"mlids/model/registry"
	"mlids/models"
)

// server is a real one with the built-in models.
func server(tb testing.TB) *client.Client {
	tb.Helper()
	builtIn, err := models.Load()
	if err != nil {
		tb.Fatal(err)
	}
	set := &registry.Registry{}
	if err := set.Add(registry.Embedded, builtIn...); err != nil {
		tb.Fatal(err)
	}
	metrics := prometheus.NewRegistry()
	s, err := api.New(api.Config{}, api.Deps{Log: slog.New(slog.DiscardHandler), Register: metrics, Gather: metrics, Models: set})
	if err != nil {
		tb.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	tb.Cleanup(h.Close)
	return newClient(tb, h.URL, client.Options{HTTP: h.Client()})
}

func newClient(tb testing.TB, url string, o client.Options) *client.Client {
	tb.Helper()
	c, err := client.New(url, o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// zeros is a row of all columns of a schema; categories are empty.
func zeros(tb testing.TB, id string) (columns []string, row []any) {
	tb.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := catalogue.Find(id)
	if err != nil {
		tb.Fatal(err)
	}
	for _, c := range schema.Columns {
		columns, row = append(columns, c.Name), append(row, 0)
	}
	return columns, row
}

func TestPredict(t *testing.T) {
	c := server(t)
	columns, row := zeros(t, "cicflow/common")
	odd := append([]any{math.NaN(), math.Inf(1), float32(math.Inf(-1)), nil, "7", true, float32(1.5)}, row[7:]...)
	verdicts, err := c.Predict(t.Context(), columns, [][]any{row, odd, row})
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) != 3 || verdicts[0] != verdicts[2] {
		t.Fatalf("%+v", verdicts)
	}
	for _, v := range verdicts {
		if v.Class == "" || v.Probability <= 0 || v.Threshold <= 0 || (v.Prediction == 1) != (v.Class == "attack") {
			t.Errorf("%+v", v)
		}
	}
	if none, err := c.Predict(t.Context(), nil, nil); err != nil || len(none) != 0 {
		t.Errorf("no rows: %v, %v", none, err)
	}
}

func TestPredictKDD(t *testing.T) {
	c := server(t)
	columns, row := zeros(t, "kdd99")
	connection := map[string]any{}
	for i, name := range columns {
		connection[name] = row[i]
	}
	got, err := c.PredictKDD(t.Context(), []map[string]any{connection, connection})
	if err != nil || len(got) != 2 || got[0].Status != "success" || got[0].Confidence <= 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if none, err := c.PredictKDD(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("no connections: %v, %v", none, err)
	}
}

func TestModels(t *testing.T) {
	got, err := server(t).Models(t.Context())
	if err != nil || len(got) != 2 || got[0].Name != "cicflow" || got[0].Classes[0] != "benign" || !got[0].Active {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	c := server(t)
	_, err := c.Predict(t.Context(), []string{"a"}, [][]any{{1}})
	var status *client.StatusError
	if !errors.As(err, &status) || status.Status != 400 || status.RequestID == "" || !strings.Contains(err.Error(), "missing") {
		t.Errorf("wrong columns: %v", err)
	}
	if _, err = c.PredictKDD(t.Context(), []map[string]any{{"duration": 1}}); !errors.As(err, &status) || status.Status != 400 {
		t.Errorf("wrong connection: %v", err)
	}
	if _, err = c.Predict(t.Context(), []string{"a", "b"}, [][]any{{1, 2}, {1}}); err == nil || !strings.Contains(err.Error(), "row 2 has 1 values, want 2") {
		t.Errorf("short row: %v", err)
	}
	if _, err = c.Predict(t.Context(), []string{"a"}, [][]any{{make(chan int)}}); err == nil || !strings.Contains(err.Error(), "row 1: value 1") {
		t.Errorf("impossible value: %v", err)
	}
	for _, url := range []string{"", "localhost:5000", "ftp://host", "http://", "http://[::1"} {
		if _, err := client.New(url, client.Options{}); !errors.Is(err, client.ErrURL) {
			t.Errorf("New(%q): %v, want ErrURL", url, err)
		}
	}
}

// script answers requests by a list, without a network.
type script struct {
	answers  []answer
	requests []*http.Request
	times    []time.Time
}

type answer struct {
	status int
	retry  string // Retry-After
	body   string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	a := s.answers[min(len(s.requests), len(s.answers)-1)]
	s.requests, s.times = append(s.requests, r), append(s.times, time.Now())
	if a.status == 0 {
		return nil, errors.New(a.body)
	}
	h := http.Header{}
	h.Set("Retry-After", a.retry)
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func TestRetries(t *testing.T) {
	const good = `[{"prediction":1,"class":"attack","probability":1,"threshold":0.5}]`
	tests := map[string]struct {
		answers []answer
		tries   int
		atLeast time.Duration // of all tries
		atMost  time.Duration
		want    string // part of the error
	}{
		"none needed":        {[]answer{{200, "", good}}, 1, 0, 0, ""},
		"busy once":          {[]answer{{503, "", `{"error":"busy"}`}, {200, "", good}}, 2, 200 * time.Millisecond, 300 * time.Millisecond, ""},
		"too many twice":     {[]answer{{429, "", "{}"}, {429, "", "{}"}, {200, "", good}}, 3, 600 * time.Millisecond, 900 * time.Millisecond, ""},
		"as the server asks": {[]answer{{503, "3", "{}"}, {200, "", good}}, 2, 3 * time.Second, 4500 * time.Millisecond, ""},
		"not that long":      {[]answer{{503, "86400", "{}"}, {200, "", good}}, 2, 10 * time.Second, 15 * time.Second, ""},
		"always":             {[]answer{{503, "", `{"error":"busy"}`}}, 5, 3 * time.Second, 4500 * time.Millisecond, "503 Service Unavailable: busy"},
		"not for others":     {[]answer{{500, "", `{"error":"broken"}`}}, 1, 0, 0, "broken"},
		"not for a proxy":    {[]answer{{502, "", "<html>bad gateway</html>"}}, 1, 0, 0, "bad gateway"},
		"not without line":   {[]answer{{0, "", "no route"}}, 1, 0, 0, "no route"},
		"wrong answer":       {[]answer{{200, "", "{}"}}, 1, 0, 0, "unexpected answer"},
		"too few verdicts":   {[]answer{{200, "", "[]"}}, 1, 0, 0, "0 verdicts for 1 rows"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: test.answers}
				c := newClient(t, "http://server/base", client.Options{HTTP: &http.Client{Transport: s}, Model: "m"})
				_, err := c.Predict(t.Context(), []string{"a"}, [][]any{{1}})
				if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %q", err, test.want)
				}
				took := s.times[len(s.times)-1].Sub(s.times[0])
				if len(s.requests) != test.tries || took < test.atLeast || took > test.atMost {
					t.Errorf("%d tries in %v, want %d in %v to %v", len(s.requests), took, test.tries, test.atLeast, test.atMost)
				}
				if got := s.requests[0].URL.String(); got != "http://server/base/api/predictions?detail=1&model=m" {
					t.Errorf("asked %s", got)
				}
			})
		})
	}
}

func TestRetriesEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{503, "8", `{"error":"busy"}`}}}
		c := newClient(t, "http://server", client.Options{HTTP: &http.Client{Transport: s}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Models(ctx)
		var status *client.StatusError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &status) || len(s.requests) != 1 {
			t.Errorf("%d tries, %v; want one, its error and the deadline's", len(s.requests), err)
		}
	})
}

// Ask a server on this machine about one flow.
func ExampleClient_Predict() {
	c, err := client.New("http://127.0.0.1:5000", client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	columns := []string{"flow_duration", "tot_fwd_pkts"} // and the others that the model reads
	verdicts, err := c.Predict(context.Background(), columns, [][]any{{119759145, 75837}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range verdicts {
		fmt.Println(v.Class, v.Probability)
	}
}

// A key opens a locked server, and errors do not tell it.
func TestKey(t *testing.T) {
	file := door.OpenKeyFile(filepath.Join(t.TempDir(), "keys.json"))
	_, key, err := file.Add(t.Context(), door.Key{Name: "client", Role: door.Viewer})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := door.New(door.Config{KeyFile: file.Path()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	metrics := prometheus.NewRegistry()
	s, err := api.New(api.Config{}, api.Deps{
		Log: slog.New(slog.DiscardHandler), Register: metrics, Gather: metrics, Models: &registry.Registry{}, Guard: guard,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	for key, want := range map[string]int{key: http.StatusOK, "": http.StatusUnauthorized, key + "x": http.StatusUnauthorized} {
		_, err := newClient(t, h.URL, client.Options{Key: key}).Models(t.Context())
		status := http.StatusOK
		if refused, ok := errors.AsType[*client.StatusError](err); ok {
			status = refused.Status
		}
		if status != want {
			t.Errorf("%d, %v; want %d", status, err, want)
		}
		if err != nil && key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
}
