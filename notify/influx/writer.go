package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"mlids/dataset/influx"
)

// Config says how to write. Zero fields take the default given.
type Config struct {
	Measurement string        // mlids_verdicts
	Interval    time.Duration // that one point sums up: 10 s
	Queue       int           // verdict counts that wait to be summed up: 4,096
	Backlog     int           // intervals that wait for the server: 360
	Farewell    time.Duration // for what is left when Run ends: 5 s
}

// Database takes points; *influx.Client of package dataset/influx is one.
type Database interface {
	CreateDatabase(ctx context.Context) error
	Post(ctx context.Context, points []byte) error
}

// Deps is what a writer is given. All fields must be set.
type Deps struct {
	Log      *slog.Logger
	Register prometheus.Registerer
	Database Database
}

// Writer sums verdicts up and writes them. Make it by New; it is an api.Observer.
type Writer struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	queue   chan tally
	backlog chan batch
}

// tally is what was decided for one class of one model.
type tally struct {
	series
	rows       int
	confidence float64 // sum over the rows
}

// series is what points are told apart by.
type series struct{ model, class string }

// batch are the points of one interval.
type batch struct {
	lines  []byte
	points int
	rows   int
}

// New makes a writer and registers its metrics. It writes when Run runs.
func New(cfg Config, deps Deps) (*Writer, error) {
	if deps.Log == nil || deps.Register == nil || deps.Database == nil {
		return nil, errors.New("want a logger, a metrics registerer and a database")
	}
	cfg.Measurement = cmp.Or(cfg.Measurement, "mlids_verdicts")
	cfg.Interval = cmp.Or(max(cfg.Interval, 0), 10*time.Second)
	cfg.Queue = cmp.Or(max(cfg.Queue, 0), 4096)
	cfg.Backlog = cmp.Or(max(cfg.Backlog, 0), 360)
	cfg.Farewell = cmp.Or(max(cfg.Farewell, 0), 5*time.Second)
	m, err := newMetrics(deps.Register)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &Writer{
		cfg: cfg, deps: deps, metrics: m, queue: make(chan tally, cfg.Queue), backlog: make(chan batch, cfg.Backlog),
	}, nil
}

// Predicted notes the verdicts of one request. It does not wait: what the queue has no room for is dropped.
func (w *Writer) Predicted(model string, classes []string, rows []int, confidence []float64) {
	for i, n := range rows {
		if n == 0 {
			continue
		}
		select {
		case w.queue <- tally{series{model, classes[i]}, n, confidence[i]}:
		default:
			w.metrics.dropped(reasonQueue, n)
		}
	}
}

// Run writes until ctx is done, then for Farewell at most what is left. A server that is away is no error.
func (w *Writer) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { w.collect(ctx); return nil })
	group.Go(func() error { w.send(ctx); return nil })
	return group.Wait()
}

// collect sums the queue up and passes a batch on after every interval. It closes the backlog when it ends.
func (w *Writer) collect(ctx context.Context) {
	defer close(w.backlog)
	tick := time.NewTicker(w.cfg.Interval)
	defer tick.Stop()
	sums := map[series]tally{}
	for {
		select {
		case t := <-w.queue:
			add(sums, t)
			continue
		case <-tick.C:
			w.pass(sums)
		case <-ctx.Done():
			for len(w.queue) > 0 {
				add(sums, <-w.queue)
			}
			w.pass(sums)
			return
		}
	}
}

func add(sums map[series]tally, t tally) {
	sum := sums[t.series]
	sum.rows += t.rows
	if c := t.confidence; !math.IsNaN(c) && !math.IsInf(c, 0) { // as models from elsewhere may have it
		sum.confidence += c
	}
	sums[t.series] = sum
}

// pass makes points of the sums and starts new ones.
func (w *Writer) pass(sums map[series]tally) {
	if len(sums) == 0 {
		return
	}
	b := w.points(sums, time.Now())
	clear(sums)
	select {
	case w.backlog <- b:
	default:
		w.metrics.dropped(reasonBacklog, b.rows)
	}
}

// points writes the sums in line protocol.
func (w *Writer) points(sums map[series]tally, now time.Time) batch {
	b := batch{points: len(sums)}
	order := slices.SortedFunc(maps.Keys(sums), func(a, b series) int {
		return cmp.Or(cmp.Compare(a.model, b.model), cmp.Compare(a.class, b.class))
	})
	for _, s := range order {
		sum := sums[s]
		b.rows += sum.rows
		b.lines = append(b.lines, influx.EscapeMeasurement(w.cfg.Measurement)...)
		b.lines = influx.AppendTag(b.lines, "class", s.class)
		b.lines = influx.AppendTag(b.lines, "model", s.model)
		b.lines = strconv.AppendInt(append(b.lines, " rows="...), int64(sum.rows), 10)
		b.lines = strconv.AppendFloat(append(b.lines, "i,confidence_sum="...), sum.confidence, 'g', -1, 64)
		b.lines = strconv.AppendInt(append(b.lines, ' '), now.UnixNano(), 10)
		b.lines = append(b.lines, '\n')
	}
	return b
}
