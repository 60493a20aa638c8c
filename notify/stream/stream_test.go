package stream_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/notify"
	"mlids/notify/stream"
)

func open(tb testing.TB, cfg stream.Config) *stream.Stream {
	tb.Helper()
	if cfg.Dir == "" && cfg.URL == "" {
		cfg.Dir = tb.TempDir()
	}
	s, err := stream.Open(tb.Context(), cfg, stream.Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// attacks makes n messages with ids of a prefix.
func attacks(prefix string, n int) []*notify.Message {
	list := make([]*notify.Message, n)
	for i := range list {
		list[i] = &notify.Message{
			Kind: notify.Prediction, Body: fmt.Appendf(nil, `{"columns":["a","prediction"],"index":[0],"data":[[%d,1]]}`, i),
			Alert: mlids.Alert{ID: fmt.Sprintf("%s-%d", prefix, i), Verdict: mlids.Verdict{Attack: true, Class: "dos", Probability: 0.9, Model: "kdd99"}},
		}
	}
	return list
}

func feed(tb testing.TB, s *stream.Stream, name string, f notify.Filter) *stream.Feed {
	tb.Helper()
	in, err := s.Feed(tb.Context(), name, f, false)
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

// take reads until it has n items or the time is over, and acknowledges them.
func take(tb testing.TB, in *stream.Feed, n int) []stream.Item {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	var items []stream.Item
	for len(items) < n && ctx.Err() == nil {
		more, err := in.Next(ctx, n)
		if err != nil {
			tb.Fatal(err)
		}
		for _, it := range more {
			if err := it.Ack(); err != nil {
				tb.Fatal(err)
			}
		}
		items = append(items, more...)
	}
	if len(items) != n {
		tb.Fatalf("%d messages, want %d", len(items), n)
	}
	return items
}

func TestPublishedIsHandedOut(t *testing.T) {
	s := open(t, stream.Config{})
	in := feed(t, s, "one", notify.Filter{})
	sent := attacks("x", 1500)
	if err := s.Publish(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	for i, it := range take(t, in, len(sent)) {
		if it.Message == nil || it.Message.Alert.ID != sent[i].Alert.ID || string(it.Message.Body) != string(sent[i].Body) {
			t.Fatalf("message %d is %+v", i, it)
		}
	}
}
