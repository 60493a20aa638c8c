package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"mlids/notify"
	"mlids/notify/stream"
)

// ErrConfig is returned for ways out that cannot be run.
var ErrConfig = errors.New("unusable way out")

// Way is a way out with what it is to be sent.
type Way struct {
	Name   string // letters, digits, - and _; its position in the stream and its metrics go by it
	Filter notify.Filter
	Sink   notify.Sink
	Feed   Feed

	Attempts uint64        // for one message, then it becomes a dead letter; 0: no limit
	Longest  time.Duration // pause after failures at most; 0: as Config has it
	GiveUp   time.Duration // after which a message that failed becomes a dead letter; 0: never
}

// Feed hands out messages; *stream.Feed is one.
type Feed interface {
	Next(ctx context.Context, n int) ([]stream.Item, error)
	Lag(ctx context.Context) (uint64, error)
}

// Graves take dead letters; *stream.Stream is one.
type Graves interface {
	Bury(ctx context.Context, way string, it *stream.Item, cause error) error
}

// Config says how to deliver. Zero fields take the default given.
type Config struct {
	First    time.Duration // pause after a first failure: 500 ms; it doubles with each that follows
	Longest  time.Duration // 1 minute
	Timeout  time.Duration // for one Send: 30 s
	Working  time.Duration // how often a message in hand is reported as such: 1 s
	LagEvery time.Duration // how often the lag is measured: 5 s
	Farewell time.Duration // for the Send in progress when Run ends: 5 s
}

// Deps is what deliveries are given. All fields must be set.
type Deps struct {
	Log      *slog.Logger
	Register prometheus.Registerer
	Graves   Graves
}

// Deliveries runs ways out. Make it by New.
type Deliveries struct {
	cfg     Config
	deps    Deps
	ways    []Way
	metrics *metrics
}

// New checks ways out and registers their metrics.
func New(cfg Config, deps Deps, ways ...Way) (*Deliveries, error) {
	cfg.First = cmp.Or(cfg.First, 500*time.Millisecond)
	cfg.Longest = cmp.Or(cfg.Longest, time.Minute)
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	cfg.Working = cmp.Or(cfg.Working, time.Second)
	cfg.LagEvery = cmp.Or(cfg.LagEvery, 5*time.Second)
	cfg.Farewell = cmp.Or(cfg.Farewell, 5*time.Second)
	seen := map[string]bool{}
	for _, w := range ways {
		switch {
		case CheckName(w.Name) != nil:
			return nil, CheckName(w.Name)
		case seen[w.Name]:
			return nil, fmt.Errorf("%w: there are two named %s", ErrConfig, w.Name)
		case w.Sink == nil || w.Feed == nil:
			return nil, fmt.Errorf("%w: %s has no sink or no feed", ErrConfig, w.Name)
		}
		seen[w.Name] = true
	}
	m, err := newMetrics(deps.Register)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &Deliveries{cfg: cfg, deps: deps, ways: ways, metrics: m}, nil
}

// CheckName reports whether a way out may be called so.
func CheckName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`).MatchString(name) {
		return fmt.Errorf("%w: name %.40q: want letters, digits, - and _, 32 at most", ErrConfig, name)
	}
	return nil
}

// Run delivers until ctx is done, then closes the sinks. A way out that fails is no error.
func (d *Deliveries) Run(ctx context.Context) error {
	var group errgroup.Group
	for _, w := range d.ways {
		r := d.runner(w)
		group.Go(func() error { r.run(ctx); return nil })
		group.Go(func() error { r.measure(ctx); return nil })
	}
	err := group.Wait()
	for _, w := range d.ways {
		if e := w.Sink.Close(); e != nil {
			err = errors.Join(err, fmt.Errorf("close way out %s: %w", w.Name, e))
		}
	}
	return err
}

func (d *Deliveries) runner(w Way) *runner {
	cfg := d.cfg
	cfg.Longest = cmp.Or(w.Longest, cfg.Longest)
	return &runner{Way: w, cfg: cfg, log: d.deps.Log.With("way", w.Name), graves: d.deps.Graves, metrics: d.metrics.of(w.Name)}
}

// pause is how long to wait after the n-th failure in a row, from 1: twice as long each time, less up to half of it at random so
// that many do not come back at once.
func (c *Config) pause(n uint64) time.Duration {
	d := c.Longest
	if shift := min(max(n, 1)-1, 32); c.First<<shift>>shift == c.First {
		d = min(d, c.First<<shift)
	}
	return d/2 + rand.N(d/2+1)
}

// Drain waits until the ways out have taken everything, or ctx is done, and returns what is left for those that have not.
func (d *Deliveries) Drain(ctx context.Context) map[string]uint64 {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		left := map[string]uint64{}
		for _, w := range d.ways {
			if n, err := w.Feed.Lag(context.WithoutCancel(ctx)); err != nil || n > 0 {
				left[w.Name] = n
			}
		}
		if len(left) == 0 {
			return left
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return left
		}
	}
}
