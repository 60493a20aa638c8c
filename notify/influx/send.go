package influx

import (
	"context"
	"errors"
	"time"

	"mlids/dataset/influx"
)

// send writes batches until the backlog is closed and empty, or the time for that is over.
func (w *Writer) send(ctx context.Context) {
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(w.cfg.Farewell, cancel) })
	defer stop()
	created := false
	for b := range w.backlog {
		for !w.deliver(within, b, &created) {
			w.wait(within)
		}
	}
}

// wait is the pause before a batch is tried again.
func (w *Writer) wait(ctx context.Context) {
	timer := time.NewTimer(w.cfg.Interval)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// deliver writes a batch and reports whether it is done with: written, or refused for good.
func (w *Writer) deliver(ctx context.Context, b batch, created *bool) bool {
	var err error
	if !*created {
		err = w.deps.Database.CreateDatabase(ctx)
		*created = err == nil
	}
	if err == nil {
		err = w.deps.Database.Post(ctx, b.lines)
	}
	switch {
	case err == nil:
		w.metrics.written.Add(float64(b.points))
		return true
	case ctx.Err() != nil:
		w.metrics.dropped(reasonEnd, b.rows)
		w.deps.Log.WarnContext(ctx, "verdicts not written: the server ends", "rows", b.rows)
		return true
	case errors.Is(err, influx.ErrLost):
		w.metrics.failures.Inc()
		w.deps.Log.WarnContext(ctx, "verdicts wait for the database", "intervals", len(w.backlog)+1, "error", err)
		return false
	}
	w.metrics.failures.Inc()
	w.metrics.dropped(reasonRefused, b.rows)
	w.deps.Log.ErrorContext(ctx, "verdicts refused by the database", "rows", b.rows, "error", err)
	return true
}
