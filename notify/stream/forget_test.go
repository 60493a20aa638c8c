package stream

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"mlids"
	"mlids/notify"
)

// Age takes what every way out has, and never what one still waits for.
func TestAgeSparesWhatIsWaitedFor(t *testing.T) {
	s, err := Open(t.Context(), Config{Dir: t.TempDir(), MaxAge: time.Millisecond}, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.Feed(t.Context(), "one", notify.Filter{}, false)
	if err != nil {
		t.Fatal(err)
	}
	var messages []*notify.Message
	for i := range 10 {
		messages = append(messages, &notify.Message{Kind: notify.Prediction, Body: []byte("{}"), Alert: mlids.Alert{
			ID: string(rune('a' + i)), Verdict: mlids.Verdict{Attack: true, Model: "m"},
		}})
	}
	if err := s.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	items, err := in.Next(t.Context(), 6)
	if err != nil || len(items) != 6 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	for _, it := range items[:4] {
		if err := it.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for count(t, s.metrics.forgotten) < 4 {
		if err := s.tidy(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was forgotten")
		}
	}
	if n := count(t, s.metrics.forgotten); n != 4 {
		t.Errorf("%v were forgotten, want 4", n)
	}
	if lag, err := in.Lag(t.Context()); err != nil || lag != 6 {
		t.Errorf("the way out waits for %d, want 6 (%v)", lag, err)
	}
}

// Who joins for a moment does not decide how long the owner's messages are kept.
func TestGuestsKeepTheOwnersAge(t *testing.T) {
	dir := t.TempDir()
	open := func(cfg Config) *Stream {
		s, err := Open(t.Context(), cfg, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	owner, guest := open(Config{Dir: dir}), open(Config{Dir: dir, Join: true, MaxAge: time.Nanosecond})
	message := &notify.Message{Kind: notify.Prediction, Body: []byte("{}"), Alert: mlids.Alert{ID: "a", Verdict: mlids.Verdict{Attack: true}}}
	if err := owner.Publish(t.Context(), []*notify.Message{message}); err != nil {
		t.Fatal(err)
	}
	if err := guest.tidy(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if n := count(t, guest.metrics.forgotten); n != 0 {
		t.Errorf("a guest forgot %v messages", n)
	}
}

func count(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}
