package sagemaker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"mlids/dataset"
	"mlids/feature"
	"mlids/internal/sagemakertest"
)

// fixture is a client of a service that runs for one test.
type fixture struct {
	*Client
	log *bytes.Buffer
}

func newFixture(t *testing.T, e *sagemakertest.Endpoint, change func(*Config)) *fixture {
	t.Helper()
	e.Name = "ml-ids"
	sagemakertest.Start(t, e)
	cfg := Config{
		Endpoint: "/endpoints/ml-ids/invocations", Host: e.URL(), Region: sagemakertest.Region,
		AccessKey: sagemakertest.AccessKey, SecretKey: sagemakertest.SecretKey, SessionToken: e.SessionToken,
		MaxBackoff: time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	f := &fixture{log: &bytes.Buffer{}}
	var err error
	f.Client, err = New(t.Context(), cfg, Deps{Log: slog.New(slog.NewTextHandler(f.log, nil)), Register: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// table has rows of more packets than a thousand in every third place.
func table(t *testing.T, n int) *dataset.Rows {
	t.Helper()
	var text strings.Builder
	text.WriteString(`{"columns":["Dst Port", "tot_fwd_pkts"],"data":[`)
	for i := range n {
		if i > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, `[%d, %d]`, i, []int{5000, 3, 4}[i%3])
	}
	text.WriteString(`]}`)
	return decode(t, text.String())
}

func decode(t *testing.T, text string) *dataset.Rows {
	t.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := catalogue.Find("cicflow/common")
	if err != nil {
		t.Fatal(err)
	}
	d, err := dataset.NewSplitDecoder(schema, nil, dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestClassify(t *testing.T) {
	e := &sagemakertest.Endpoint{SessionToken: "a session"}
	c := newFixture(t, e, nil)
	rows := decode(t, `{"columns":["Dst Port", "tot_fwd_pkts"],"index":[7,8],"data":[[80, 5000],[ 443,"3"]]}`)
	verdicts, err := c.Classify(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	if got := say(verdicts); got != "!attack benign" {
		t.Errorf("verdicts %s", got)
	}
	if v := verdicts[0]; v.Model != "ml-ids" || v.Version != "AllTraffic" || v.Threshold != 0.5 {
		t.Errorf("verdict %+v", v)
	}
	calls := e.Calls()
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	if call := calls[0]; call.ContentType != "application/json; format=pandas-split" || call.Accept != "application/json" ||
		fmt.Sprint(call.Columns) != "[Dst Port tot_fwd_pkts]" || fmt.Sprint(call.Data) != "[[80 5000] [443 3]]" {
		t.Errorf("call %+v", call)
	}
	if empty, err := c.Classify(t.Context(), decode(t, `{"columns":["a"],"data":[]}`)); err != nil || len(empty) != 0 || len(e.Calls()) != 1 {
		t.Errorf("no rows: %v, %v, %d calls", empty, err, len(e.Calls()))
	}
}

// Large tables are split, and put together again in order.
func TestLargeTables(t *testing.T) {
	e := &sagemakertest.Endpoint{}
	c := newFixture(t, e, func(cfg *Config) { cfg.Payload = 2000 })
	rows := table(t, 3000)
	verdicts, err := c.Classify(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	sum, calls := 0, e.Calls()
	for _, call := range calls {
		sum += len(call.Data)
		if call.Size > 2000 {
			t.Errorf("a call of %d bytes", call.Size)
		}
	}
	if sum != rows.N || len(calls) < 15 || len(calls) > 30 {
		t.Errorf("%d rows in %d calls", sum, len(calls))
	}
	for i, v := range verdicts {
		if v.Attack != (i%3 == 0) {
			t.Fatalf("row %d: %+v", i, v)
		}
	}
	if n := testutil.ToFloat64(c.metrics.rows); n != 3000 {
		t.Errorf("counted %v rows", n)
	}

	long := decode(t, `{"columns":["a"],"data":[[1],["`+strings.Repeat("x", 3000)+`"]]}`)
	_, err = c.Classify(t.Context(), long)
	wantFailure(t, err, classRefused, http.StatusRequestEntityTooLarge, "row 2 has 3004 bytes")
}

// The service's own limit of 6 MB is kept when a client sends ten times as much.
func TestTablesBeyondTheServicesLimit(t *testing.T) {
	e := &sagemakertest.Endpoint{}
	c := newFixture(t, e, func(cfg *Config) { cfg.Payload = 1 << 30 })
	filler := strings.Repeat(" ", 90_000)
	verdicts, err := c.Classify(t.Context(), decode(t, `{"columns":["tot_fwd_pkts"],"data":[`+strings.Repeat(`[`+filler+`2000],`, 199)+`[1]]}`))
	if err != nil || !verdicts[198].Attack || verdicts[199].Attack {
		t.Fatalf("%v", err)
	}
	if n := len(e.Calls()); n != 3 {
		t.Errorf("%d calls for 18 MB", n)
	}
}

func wantFailure(t *testing.T, err error, class string, status int, text string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Class != class || e.HTTPStatus() != status || !strings.Contains(e.Error(), text) {
		t.Errorf("%v (%+v), want %s, %d and %q", err, e, class, status, text)
	}
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	var answered atomic.Int32
	e := &sagemakertest.Endpoint{Answer: func(w http.ResponseWriter, n int, c sagemakertest.Call) {
		switch n {
		case 0:
			sagemakertest.Fail(w, http.StatusTooManyRequests, "ThrottlingException", "Rate exceeded")
		case 1:
			sagemakertest.Fail(w, http.StatusTooManyRequests, "ModelNotReadyException", "not ready")
		case 2:
			sagemakertest.FailContainer(w, http.StatusServiceUnavailable, "busy")
		default:
			answered.Add(1)
			sagemakertest.Floods(w, n, c)
		}
	}}
	c := newFixture(t, e, nil)
	verdicts, err := c.Classify(t.Context(), table(t, 2))
	if err != nil || say(verdicts) != "!attack benign" || answered.Load() != 1 {
		t.Errorf("%v, %s", err, say(verdicts))
	}
	if n := testutil.ToFloat64(c.metrics.retries); n != 3 {
		t.Errorf("counted %v retries, want 3", n)
	}
}

func TestFailures(t *testing.T) {
	always := func(status int, code string) func(http.ResponseWriter, int, sagemakertest.Call) {
		return func(w http.ResponseWriter, _ int, _ sagemakertest.Call) {
			sagemakertest.Fail(w, status, code, "of arn:aws:iam::123456789012:role/secret-role")
		}
	}
	send := func(media, body string) func(http.ResponseWriter, int, sagemakertest.Call) {
		return func(w http.ResponseWriter, _ int, _ sagemakertest.Call) { sagemakertest.Send(w, media, body) }
	}
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, int, sagemakertest.Call)
		class  string
		status int
		text   string
		calls  int
	}{
		"throttled":   {always(429, "ThrottlingException"), classThrottled, 503, "try again", 4},
		"unavailable": {always(503, "ServiceUnavailable"), classThrottled, 503, "ServiceUnavailable", 4},
		"not ready":   {always(429, "ModelNotReadyException"), classThrottled, 503, "ModelNotReadyException", 4},
		"failing":     {always(500, "InternalFailure"), classService, 502, "InternalFailure", 4},
		"denied":      {always(403, "AccessDeniedException"), classDenied, 502, "credentials (\"AccessDeniedException\")", 1},
		"unknown":     {always(400, "ValidationError"), classDenied, 502, "does not exist", 1},
		"wrong rows":  {send("application/json", `[1]`), classAnswer, 502, "1 answers for 2 rows", 1},
		"garbage":     {send("application/json", `{"x":`), classAnswer, 502, "not understood", 1},
		"model refuses": {func(w http.ResponseWriter, _ int, _ sagemakertest.Call) {
			sagemakertest.FailContainer(w, 400, "missing column dst_port")
		}, classRefused, 400, "missing column dst_port", 1},
		"model fails": {func(w http.ResponseWriter, _ int, _ sagemakertest.Call) { sagemakertest.FailContainer(w, 500, "boom") }, classModel, 502, "container failed (500)", 1},
		"hangs up":    {func(http.ResponseWriter, int, sagemakertest.Call) { panic(http.ErrAbortHandler) }, classUnreachable, 502, "not reached", 0},
		"redirects": {func(w http.ResponseWriter, _ int, _ sagemakertest.Call) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusFound)
		}, "", 502, "SageMaker endpoint ml-ids", 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := &sagemakertest.Endpoint{Answer: test.answer}
			c := newFixture(t, e, nil)
			_, err := c.Classify(t.Context(), table(t, 2))
			var failure *Error
			if !errors.As(err, &failure) {
				t.Fatalf("%v is no Error", err)
			}
			wantFailure(t, err, test.class+map[bool]string{true: failure.Class}[test.class == ""], test.status, test.text)
			if strings.Contains(err.Error(), "secret-role") || strings.Contains(c.log.String(), sagemakertest.SecretKey) {
				t.Errorf("%v, logged\n%s", err, c.log)
			}
			if n := len(e.Calls()); test.calls > 0 && n != test.calls {
				t.Errorf("%d tries, want %d", n, test.calls)
			}
			if n := testutil.ToFloat64(c.metrics.calls.WithLabelValues(failure.Class)); n != 1 {
				t.Errorf("counted %v calls that ended %s", n, failure.Class)
			}
		})
	}
}

func TestWrongKeys(t *testing.T) {
	e := &sagemakertest.Endpoint{}
	c := newFixture(t, e, func(cfg *Config) { cfg.SecretKey = "another" })
	_, err := c.Classify(t.Context(), table(t, 1))
	wantFailure(t, err, classDenied, http.StatusBadGateway, "InvalidSignatureException")
	if len(e.Calls()) != 0 {
		t.Error("a wrong signature was taken")
	}
}

func TestUnreachable(t *testing.T) {
	c := newFixture(t, &sagemakertest.Endpoint{}, func(cfg *Config) { cfg.Host, cfg.Attempts = "http://127.0.0.1:1", 2 })
	_, err := c.Classify(t.Context(), table(t, 1))
	wantFailure(t, err, classUnreachable, http.StatusBadGateway, "not reached")
	if strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("%v names an address", err)
	}
}

// stalls is an endpoint that answers nothing more.
func stalls(begin func(http.ResponseWriter)) *sagemakertest.Endpoint {
	return &sagemakertest.Endpoint{Answer: func(w http.ResponseWriter, _ int, c sagemakertest.Call) {
		begin(w)
		<-c.Gone
	}}
}

func TestTimeouts(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"no answer": func(http.ResponseWriter) {},
		"half an answer": func(w http.ResponseWriter) {
			sagemakertest.Send(w, "application/json", "[1,")
			_ = http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := stalls(begin)
			c := newFixture(t, e, func(cfg *Config) { cfg.Attempt, cfg.Attempts = 50*time.Millisecond, 2 })
			_, err := c.Classify(t.Context(), table(t, 2))
			wantFailure(t, err, classTimeout, http.StatusGatewayTimeout, "no answer in time")
			if n := len(e.Calls()); n != 2 {
				t.Errorf("%d tries, want 2", n)
			}
		})
	}
}

func TestWholeTimeout(t *testing.T) {
	c := newFixture(t, stalls(func(http.ResponseWriter) {}), func(cfg *Config) { cfg.Timeout = 50 * time.Millisecond })
	_, err := c.Classify(t.Context(), table(t, 2))
	wantFailure(t, err, classTimeout, http.StatusGatewayTimeout, "no answer in time")
}

func TestEndlessAnswers(t *testing.T) {
	for name, announce := range map[string]string{"chunked": "", "announced": "1000000000"} {
		t.Run(name, func(t *testing.T) {
			e := &sagemakertest.Endpoint{Answer: func(w http.ResponseWriter, _ int, _ sagemakertest.Call) {
				w.Header().Set("Content-Type", "application/json")
				if announce != "" {
					w.Header().Set("Content-Length", announce)
				}
				block := strings.Repeat("[1,0],", 1<<14)
				for range 1000 {
					if _, err := io.WriteString(w, block); err != nil {
						return
					}
				}
			}}
			c := newFixture(t, e, nil)
			_, err := c.Classify(t.Context(), table(t, 2))
			wantFailure(t, err, classAnswer, http.StatusBadGateway, "more than 8388608 bytes")
		})
	}
}

// An endpoint that fails is left alone for a while, then tried by one call.
func TestBreaker(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	e := &sagemakertest.Endpoint{Answer: func(w http.ResponseWriter, n int, c sagemakertest.Call) {
		if down.Load() {
			sagemakertest.Fail(w, http.StatusInternalServerError, "InternalFailure", "down")
			return
		}
		sagemakertest.Floods(w, n, c)
	}}
	const pause = 100 * time.Millisecond
	c := newFixture(t, e, func(cfg *Config) { cfg.Failures, cfg.Attempts, cfg.Pause, cfg.Payload = 3, 1, pause, 100 })
	rows := table(t, 20) // several calls
	for range 3 {
		_, err := c.Classify(t.Context(), rows)
		wantFailure(t, err, classService, http.StatusBadGateway, "")
	}
	opened := time.Now()
	asked := len(e.Calls())
	_, err := c.Classify(t.Context(), rows)
	if time.Since(opened) < pause {
		wantFailure(t, err, classOpen, http.StatusServiceUnavailable, "try again later")
		if len(e.Calls()) != asked || testutil.ToFloat64(c.metrics.breaker) != 2 {
			t.Errorf("asked %d times more, breaker %v", len(e.Calls())-asked, testutil.ToFloat64(c.metrics.breaker))
		}
	}
	down.Store(false)
	for time.Since(opened) < 10*time.Second {
		if _, err = c.Classify(t.Context(), rows); err == nil {
			break
		}
	}
	if err != nil || testutil.ToFloat64(c.metrics.breaker) != 0 || time.Since(opened) < pause {
		t.Errorf("after the pause: %v, breaker %v", err, testutil.ToFloat64(c.metrics.breaker))
	}
	if !strings.Contains(c.log.String(), "circuit breaker") {
		t.Errorf("logged\n%s", c.log)
	}
}

// Tables that the model refuses and clients that go away say nothing about the endpoint.
func TestBreakerCountsOnlyTheEndpointsFailures(t *testing.T) {
	e := &sagemakertest.Endpoint{Answer: func(w http.ResponseWriter, _ int, _ sagemakertest.Call) {
		sagemakertest.FailContainer(w, http.StatusBadRequest, "no such column")
	}}
	c := newFixture(t, e, func(cfg *Config) { cfg.Failures = 2 })
	for range 5 {
		_, err := c.Classify(t.Context(), table(t, 1))
		wantFailure(t, err, classRefused, http.StatusBadRequest, "no such column")
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 5 {
		_, err := c.Classify(gone, table(t, 1))
		wantFailure(t, err, classCancelled, http.StatusServiceUnavailable, "given up")
	}
}

func TestConfigurations(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	deps := func() Deps { return Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()} }
	for name, cfg := range map[string]Config{
		"no endpoint":            {Region: "eu-west-1"},
		"no region":              {Endpoint: "x"},
		"wrong host":             {Endpoint: "x", Region: "eu-west-1", Host: "ftp://x"},
		"access key alone":       {Endpoint: "x", Region: "eu-west-1", AccessKey: "a"},
		"secret key alone":       {Endpoint: "x", Region: "eu-west-1", SecretKey: "a"},
		"token alone":            {Endpoint: "x", Region: "eu-west-1", SessionToken: "a"},
		"threshold out of [0,1]": {Endpoint: "x", Region: "eu-west-1", Threshold: 2},
	} {
		if _, err := New(t.Context(), cfg, deps()); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
	if _, err := New(t.Context(), Config{Endpoint: "x", Region: "eu-west-1"}, Deps{}); !errors.Is(err, ErrConfig) {
		t.Errorf("without dependencies: %v", err)
	}
	c, err := New(t.Context(), Config{Endpoint: "x", Host: "runtime.sagemaker.eu-west-1.amazonaws.com"}, deps())
	if err != nil || c.cfg.Region != "eu-west-1" || c.Endpoint() != "x" || c.Name() != "sagemaker" {
		t.Errorf("%+v, %v", c, err)
	}
}
