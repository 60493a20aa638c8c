package deliver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/notify"
	"mlids/notify/stream"
)

// queue is a feed of n attacks: a message comes again when it is put back, after the time asked for.
type queue struct {
	mu      sync.Mutex
	items   []*entry
	acked   []int
	working int
	wake    chan struct{}
}

type entry struct {
	n     int
	tries uint64
	at    time.Time // when it may come
	born  time.Time
	out   bool
}

func newQueue(n int) *queue {
	q := &queue{wake: make(chan struct{}, 1)}
	for i := range n {
		q.items = append(q.items, &entry{n: i, born: time.Now()})
	}
	return q
}

func (q *queue) Next(ctx context.Context, n int) ([]stream.Item, error) {
	for ctx.Err() == nil {
		if items := q.due(n); len(items) > 0 {
			return items, nil
		}
		timer := time.NewTimer(time.Second)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil, nil
}

func (q *queue) due(n int) (items []stream.Item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.items {
		if len(items) < n && !e.out && !e.at.After(time.Now()) {
			e.out = true
			e.tries++
			items = append(items, q.item(e))
		}
	}
	return items
}

func (q *queue) item(e *entry) stream.Item {
	return stream.Item{
		Message: &notify.Message{Kind: notify.Prediction, Alert: mlids.Alert{ID: strconv.Itoa(e.n), Verdict: mlids.Verdict{Attack: true, Class: "dos"}}},
		Tries:   e.tries, Stored: e.born,
		Ack: func() error {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.acked = append(q.acked, e.n)
			return nil
		},
		Retry: func(after time.Duration) error {
			q.mu.Lock()
			defer q.mu.Unlock()
			e.out, e.at = false, time.Now().Add(after)
			return nil
		},
		Working: func() error {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.working++
			return nil
		},
	}
}

func (q *queue) Lag(context.Context) (uint64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return uint64(len(q.items) - len(q.acked)), nil
}

// sinkFunc is a way out.
type sinkFunc func(ctx context.Context, batch []*notify.Message) error

func (f sinkFunc) Send(ctx context.Context, batch []*notify.Message) error { return f(ctx, batch) }
func (sinkFunc) Batch() int                                                { return 10 }
func (sinkFunc) Close() error                                              { return nil }

// graves are dead letters; they fail as often as full says.
type graves struct {
	mu   sync.Mutex
	ids  []string
	full int
}

func (g *graves) Bury(_ context.Context, _ string, it *stream.Item, _ error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.full > 0 {
		g.full--
		return errors.New("no room")
	}
	g.ids = append(g.ids, it.Message.Alert.ID)
	return nil
}

// start runs ways out for a while of synctest's time.
func start(t *testing.T, g *graves, d time.Duration, ways ...Way) {
	t.Helper()
	deliveries, err := New(Config{}, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry(), Graves: g}, ways...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := deliveries.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestAwayAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, began := 0, time.Now()
		q := newQueue(25)
		start(t, &graves{}, time.Hour, Way{Name: "a", Feed: q, Sink: sinkFunc(func(context.Context, []*notify.Message) error {
			calls++
			if time.Since(began) < 10*time.Minute {
				return errors.New("away")
			}
			return nil
		})})
		if len(q.acked) != 25 {
			t.Errorf("%d delivered, want 25", len(q.acked))
		}
		if calls < 12 || calls > 40 { // 10 minutes of pauses that grow to a minute
			t.Errorf("%d attempts", calls)
		}
	})
}

// One way out that never answers, one that panics, and one that works: each is alone.
func TestDeadHoldsNoOtherUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, broken, good := newQueue(5), newQueue(5), newQueue(5)
		start(t, &graves{}, 2*time.Minute,
			Way{Name: "stuck", Feed: stuck, Sink: sinkFunc(func(ctx context.Context, _ []*notify.Message) error { <-ctx.Done(); return ctx.Err() })},
			Way{Name: "broken", Feed: broken, Sink: sinkFunc(func(context.Context, []*notify.Message) error { panic("fault") })},
			Way{Name: "good", Feed: good, Sink: sinkFunc(func(context.Context, []*notify.Message) error { return nil })},
		)
		if len(good.acked) != 5 || len(stuck.acked) != 0 || len(broken.acked) != 0 {
			t.Errorf("delivered: good %d, stuck %d, broken %d", len(good.acked), len(stuck.acked), len(broken.acked))
		}
		if stuck.working == 0 {
			t.Error("messages in hand were not reported as such")
		}
	})
}

func TestPartialFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := map[string]int{}
		q, g := newQueue(10), &graves{}
		start(t, g, 10*time.Minute, Way{Name: "a", Feed: q, Sink: sinkFunc(func(_ context.Context, batch []*notify.Message) error {
			errs := make([]error, len(batch))
			for i, m := range batch {
				got[m.Alert.ID]++
				switch {
				case m.Alert.ID == "3":
					errs[i] = notify.ErrPermanent
				case m.Alert.ID == "5" && got["5"] < 4:
					errs[i] = errors.New("busy")
				}
			}
			return &notify.PartialError{Errs: errs}
		})})
		if len(q.acked) != 10 || !slices.Equal(g.ids, []string{"3"}) || got["5"] != 4 || got["0"] != 1 || got["3"] != 1 {
			t.Errorf("acknowledged %v, dead %v, sent %v", q.acked, g.ids, got)
		}
	})
}

// After so many attempts, or so much time, a message is a dead letter; it stays in the queue while there is no room for it.
func TestGivesUp(t *testing.T) {
	for name, way := range map[string]Way{"attempts": {Attempts: 4}, "age": {GiveUp: time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			q, g, calls := newQueue(1), &graves{full: 2}, 0
			way.Name, way.Feed = "a", q
			way.Sink = sinkFunc(func(context.Context, []*notify.Message) error { calls++; return errors.New("away") })
			start(t, g, time.Hour, way)
			if len(g.ids) != 1 || len(q.acked) != 1 || calls < 4 {
				t.Errorf("%s: dead %v, acknowledged %v after %d attempts", name, g.ids, q.acked, calls)
			}
		})
	}
}

func TestFilteredAndForeignAreDoneWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, err := notify.ParseFilter("class=probe")
		if err != nil {
			t.Fatal(err)
		}
		q := newQueue(3)
		start(t, &graves{}, time.Minute, Way{Name: "a", Feed: q, Filter: f, Sink: sinkFunc(func(_ context.Context, b []*notify.Message) error {
			t.Errorf("%d messages were sent", len(b))
			return nil
		})})
		if len(q.acked) != 3 {
			t.Errorf("%d are done with, want 3", len(q.acked))
		}
	})
}

func TestPauseGrowsAndIsBounded(t *testing.T) {
	c := Config{First: 500 * time.Millisecond, Longest: time.Minute}
	for n, most := range map[uint64]time.Duration{0: c.First, 1: c.First, 2: 2 * c.First, 5: 16 * c.First, 20: c.Longest, 1 << 60: c.Longest} {
		for range 100 {
			if d := c.pause(n); d < most/2 || d > most {
				t.Errorf("pause after %d failures: %v, want %v to %v", n, d, most/2, most)
			}
		}
	}
}

func TestWaysAreChecked(t *testing.T) {
	deps := func() Deps {
		return Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry(), Graves: &graves{}}
	}
	sink := sinkFunc(nil)
	for _, ways := range [][]Way{
		{{Name: "a b", Sink: sink, Feed: newQueue(0)}}, {{Sink: sink, Feed: newQueue(0)}}, {{Name: "a", Feed: newQueue(0)}}, {{Name: "a", Sink: sink}},
		{{Name: "a", Sink: sink, Feed: newQueue(0)}, {Name: "a", Sink: sink, Feed: newQueue(0)}},
	} {
		if _, err := New(Config{}, deps(), ways...); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: got %v", ways, err)
		}
	}
}
