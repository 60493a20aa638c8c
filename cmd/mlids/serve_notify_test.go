package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/api"
	"mlids/notify"
)

// wire is a way out that hands messages to a test, and fails as long as it has errors.
type wire struct {
	got  chan *notify.Message
	errs chan error
}

func newWire() *wire { return &wire{make(chan *notify.Message, 1000), make(chan error, 10)} }

func (w *wire) Send(_ context.Context, batch []*notify.Message) error {
	select {
	case err := <-w.errs:
		return err
	default:
	}
	for _, m := range batch {
		w.got <- m
	}
	return nil
}
func (*wire) Batch() int   { return 10 }
func (*wire) Close() error { return nil }

func (w *wire) next(t *testing.T) *notify.Message {
	t.Helper()
	select {
	case m := <-w.got:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("no message arrived")
		return nil
	}
}

// outletServer is an API whose predictions go to a wire.
func outletServer(t *testing.T, flags notifyFlags) (*httptest.Server, *wire) {
	t.Helper()
	server, w, _ := twoOutlets(t, flags)
	return server, w
}

// twoOutlets is an API with the schemes test and other for two wires.
func twoOutlets(t *testing.T, flags notifyFlags) (_ *httptest.Server, w, other *wire) {
	t.Helper()
	w, other = newWire(), newWire()
	a := &app{
		streams: streams{strings.NewReader(""), io.Discard, io.Discard}, log: slog.New(slog.DiscardHandler), dataDir: t.TempDir(),
		sinks: map[string]makeSink{
			"test":  func(*app, *url.URL) (notify.Sink, error) { return w, nil },
			"other": func(*app, *url.URL) (notify.Sink, error) { return other, nil },
		},
	}
	metrics := prometheus.NewRegistry()
	out, err := flags.open(t.Context(), a, metrics)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- out.run(ctx) }()
	models, err := a.registry()
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.New(api.Config{Publish: out.publish}, api.Deps{Log: a.log, Register: metrics, Gather: metrics, Models: models, Publish: out})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server, w, other
}

// neptune is a connection of a SYN flood, as POST /predict takes it.
func neptune(tb testing.TB) string {
	tb.Helper()
	text := string(kddRecord(tb))
	for _, change := range []string{"count", "srv_count", "dst_host_count"} {
		text = strings.Replace(text, `"`+change+`":0`, `"`+change+`":255`, 1)
	}
	for _, change := range []string{"serror_rate", "srv_serror_rate", "dst_host_serror_rate", "dst_host_srv_serror_rate", "same_srv_rate"} {
		text = strings.Replace(text, `"`+change+`":0`, `"`+change+`":1`, 1)
	}
	return strings.Replace(strings.Replace(text, `"SF"`, `"S0"`, 1), `"http"`, `"private"`, 1)
}

func postPredict(t *testing.T, url, body, key string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/predict", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", response.Status, text, err)
	}
	return string(text)
}

// An attack that a client was answered for reaches the way out, although that fails at first, and once although it is sent twice.
func TestAttackReachesTheWayOut(t *testing.T) {
	server, w := outletServer(t, notifyFlags{ways: []string{"a=test:x"}})
	w.errs <- errors.New("the receiver is away")
	attack := neptune(t)
	if answer := postPredict(t, server.URL, attack, "k1"); !strings.Contains(answer, `"dos"`) {
		t.Fatalf("answer %s", answer)
	}
	postPredict(t, server.URL, attack, "k1")
	postPredict(t, server.URL, attack, "k2")
	first, second := w.next(t), w.next(t)
	if first.Alert.ID == second.Alert.ID {
		t.Errorf("%s came twice", first.Alert.ID)
	}
	v := first.Alert.Verdict
	if !v.Attack || v.Class != "dos" || v.Model != "kdd99" || v.Version == "" || !(v.Probability > 0.5) {
		t.Errorf("verdict %+v", v)
	}
	if body := string(first.Body); !strings.HasPrefix(body, `{"columns":["`) || !strings.HasSuffix(body, `,1]]}`) || !strings.Contains(body, `,"prediction"],"index":[0],"data":[[`) {
		t.Errorf("body %s", body)
	}
}

// A benign row reaches ways out that ask for it, under a subject of its own, and no other; asking is enough to have it stored.
func TestBenignReachesWhoAsks(t *testing.T) {
	for _, flags := range []notifyFlags{
		{ways: []string{"benign=test:x class=normal prediction=benign", "attacks=other:x"}},
		{ways: []string{"benign=test:x prediction=all class=normal", "attacks=other:x"}, publish: "all"},
	} {
		server, w, other := twoOutlets(t, flags)
		if answer := postPredict(t, server.URL, string(kddRecord(t)), "k1"); !strings.Contains(answer, `"normal"`) {
			t.Fatalf("answer %s", answer)
		}
		postPredict(t, server.URL, neptune(t), "k2")
		m := w.next(t)
		if subject := m.Subject(); subject != "mlids.predictions.benign.kdd99" || m.Alert.Verdict.Attack || m.Alert.Verdict.Class != "normal" {
			t.Errorf("%s: %+v", subject, m.Alert.Verdict)
		}
		if body := string(m.Body); !strings.HasSuffix(body, `,0]]}`) {
			t.Errorf("body %s", body)
		}
		if a := other.next(t); a.Subject() != "mlids.predictions.attack.kdd99" {
			t.Errorf("the way out for attacks got %s", a.Subject())
		}
		if len(w.got)+len(other.got) > 0 {
			t.Errorf("%d and %d messages more", len(w.got), len(other.got))
		}
	}
}

// The API of a controller publishes as that of serve does.
func TestSDNPublishes(t *testing.T) {
	w := newWire()
	ctx, stop := context.WithCancel(t.Context())
	r, log := pipe(t)
	done := make(chan error, 1)
	go func() {
		done <- runWired(ctx, w, streams{nil, log, log}, "sdn", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--admin-listen", "",
			"--data-dir", t.TempDir(), "--notify", "a=test:x kind=all")
		log.Close()
	}()
	url := "http://" + awaitText(t, r, `door=front addr=(\S+)`)
	postPredict(t, url, neptune(t), "k1")
	if m := w.next(t); m.Alert.Verdict.Class != "dos" {
		t.Errorf("alert %+v", m.Alert)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pipe is an end to read what a command prints, and one to write.
func pipe(t *testing.T) (*io.PipeReader, *io.PipeWriter) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { r.Close() })
	return r, w
}
