package api

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"mlids/api/door"
	"mlids/model"
	"mlids/model/registry"
)

// trap is a set of models that panics when it is asked for one by name.
type trap struct{ *registry.Registry }

func (trap) Lookup(string) (*model.Model, bool) { panic("trapped") }

// lockedBuffer is a log that handlers write while the test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestPanicIsAnError(t *testing.T) {
	f := newServer(t, Config{}, trap{stumps(t)})
	var log lockedBuffer
	f.log = slog.New(slog.NewTextHandler(&log, nil))
	url := start(t, f.Server)
	for range 2 {
		res, err := http.Post(url+"/api/predictions?model=any", mediaJSON, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s, %v; want 500", res.Status, err)
		}
		wantError(t, res.Header, string(body), "", "internal error")
		if strings.Contains(string(body), "trapped") {
			t.Error("the answer tells what went wrong inside")
		}
	}
	if status, _, _ := ask(f.Server, post("/api/predictions", mediaJSON, split(t, packets(1)))); status != http.StatusOK {
		t.Errorf("after the panics: %d", status)
	}
	if text := exposed(t, f.Server); !strings.Contains(text, "mlids_http_panics_total 2\n") ||
		!strings.Contains(text, `mlids_http_requests_total{code="500",route="/api/predictions"} 2`) {
		t.Errorf("metrics do not count two panics:\n%s", text)
	}
	if text := log.String(); !strings.Contains(text, "trapped") || !strings.Contains(text, "middleware_test.go") {
		t.Errorf("the log lacks cause or stack: %s", text)
	}
}

// Half an answer is broken off, not completed.
func TestPanicAfterTheAnswerBegan(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	h := s.operation(s.front, route{path: "/late", role: door.Anyone, fail: plainError, handle: func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "half")
		panic("late")
	}})
	defer func() {
		if cause, ok := recover().(error); !ok || !errors.Is(cause, http.ErrAbortHandler) {
			t.Errorf("recovered %v, want ErrAbortHandler", cause)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), get("/late", ""))
}

func TestRequestIDs(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	made := regexp.MustCompile(`^[A-Z2-7]{8}-[0-9]+$`)
	for id, kept := range map[string]bool{
		"": false, "abc-123_x.Y": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false, "a\tb": false, "ä": false,
	} {
		r := get("/healthz", "")
		r.Header.Set("X-Request-Id", id)
		_, header, _ := ask(s, r)
		got := header.Get("X-Request-Id")
		if kept && got != id || !kept && !made.MatchString(got) {
			t.Errorf("request %q is answered as %q", id, got)
		}
	}
}

func TestAccessLog(t *testing.T) {
	for _, test := range []struct {
		request *http.Request
		level   slog.Level
		want    string // "" for nothing
	}{
		{get("/healthz", ""), slog.LevelInfo, ""},
		{get("/healthz", ""), slog.LevelDebug, "level=DEBUG msg=request id=me remote=192.0.2.1:1234 method=GET path=/healthz status=200"},
		{get("/nothing", ""), slog.LevelInfo, "level=INFO msg=request id=me remote=192.0.2.1:1234 method=GET path=/nothing status=404"},
		{post("/predict", mediaJSON, "{"), slog.LevelWarn, ""},
	} {
		var log bytes.Buffer
		s := newServer(t, Config{}, stumps(t)).Server
		s.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: test.level}))
		test.request.Header.Set("X-Request-Id", "me")
		ask(s, test.request)
		if got := log.String(); !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("log %q, want %q", got, test.want)
		}
	}
}

// exposed is what /metrics shows.
func exposed(t *testing.T, s *Server) string {
	t.Helper()
	status, _, text := ask(s, get("/metrics", ""))
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d", status)
	}
	return text
}

func TestMetrics(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	ask(s, post("/api/predictions", mediaJSON, split(t, packets(1), packets(5000), packets(5000))))
	ask(s, post("/api/predictions", mediaJSON, "broken"))
	ask(s, post("/predict", mediaJSON, document(t, connection(t, nil))))
	ask(s, get("/secret/path", ""))
	text := exposed(t, s)
	for _, want := range []string{
		`mlids_http_requests_total{code="200",route="/api/predictions"} 1`,
		`mlids_http_requests_total{code="400",route="/api/predictions"} 1`,
		`mlids_http_requests_total{code="404",route="other"} 1`,
		`mlids_http_request_duration_seconds_count{route="/api/predictions"} 2`,
		`mlids_http_request_rows_sum{route="/api/predictions"} 3`,
		`mlids_http_request_rows_sum{route="/predict"} 1`,
		`mlids_predictions_total{class="benign",model="cicflow"} 1`,
		`mlids_predictions_total{class="attack",model="cicflow"} 2`,
		`mlids_predictions_total{class="normal",model="kdd99"} 1`,
		`mlids_http_panics_total 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	for _, secret := range []string{"192.0.2.1", "secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("/metrics shows %q, which clients choose", secret)
		}
	}
}
