package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mlids/notify"
	"mlids/notify/stream"
)

// runner is one way out at work.
type runner struct {
	Way
	cfg     Config
	log     *slog.Logger
	graves  Graves
	metrics *wayMetrics
	failed  uint64 // times in a row that nothing was delivered
}

// run takes batches and sends them until ctx is done.
func (r *runner) run(ctx context.Context) {
	for ctx.Err() == nil {
		items, err := r.Feed.Next(ctx, max(r.Sink.Batch(), 1))
		if err != nil {
			r.rest(ctx, err)
			continue
		}
		if items = r.wanted(items); len(items) == 0 {
			continue
		}
		if err := r.deliver(ctx, items); err != nil {
			r.rest(ctx, err)
			continue
		}
		if r.failed > 0 {
			r.log.InfoContext(ctx, "way out works again", "after_failures", r.failed)
		}
		r.failed = 0
	}
}

// rest waits after a failure. The first of a row and every eighth are logged.
func (r *runner) rest(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	r.failed++
	pause := r.cfg.pause(r.failed)
	if r.failed%8 == 1 {
		r.log.WarnContext(ctx, "way out fails; its messages wait", "err", err, "failures", r.failed, "pause", pause)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wanted acknowledges what the filter does not take, and what is no message.
func (r *runner) wanted(items []stream.Item) []stream.Item {
	kept := items[:0]
	for _, it := range items {
		switch {
		case it.Err != nil:
			r.log.Warn("foreign message in the queue is skipped", "err", it.Err)
			r.metrics.foreign.Inc()
		case r.Filter.Match(it.Message):
			kept = append(kept, it)
			continue
		default:
			r.metrics.filtered.Inc()
		}
		r.note(it.Ack(), "acknowledge")
	}
	return kept
}

// deliver sends a batch and settles each message. It returns an error when none was delivered or buried, so that going on at once
// would be of no use.
func (r *runner) deliver(ctx context.Context, items []stream.Item) error {
	batch := make([]*notify.Message, len(items))
	for i, it := range items {
		batch[i] = it.Message
	}
	errs := r.send(ctx, items, batch)
	var first error
	settled := 0
	for i := range items {
		err := errs(i)
		if err == nil || r.hopeless(&items[i], err) {
			if r.settle(ctx, &items[i], err) {
				settled++
			}
			continue
		}
		first = cmp.Or(first, err)
		r.later(&items[i])
	}
	if settled > 0 {
		return nil
	}
	return first
}

// send calls the sink, and meanwhile tells the stream that the messages are in hand. The function returned has the outcome for
// each.
func (r *runner) send(ctx context.Context, items []stream.Item, batch []*notify.Message) func(int) error {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(r.cfg.Farewell, cancel) })
	defer stop()
	done := make(chan struct{})
	go r.holding(within, items, done)
	started := time.Now()
	err := r.call(within, batch)
	cancel()
	<-done
	r.metrics.duration.Observe(time.Since(started).Seconds())
	var partial *notify.PartialError
	if errors.As(err, &partial) && len(partial.Errs) == len(batch) {
		return func(i int) error { return partial.Errs[i] }
	}
	return func(int) error { return err }
}

// errPanic is a fault of a sink.
var errPanic = errors.New("the way out panicked")

// call protects the others from a sink's fault.
func (r *runner) call(ctx context.Context, batch []*notify.Message) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", errPanic, cause)
		}
	}()
	return r.Sink.Send(ctx, batch)
}

// holding reports messages as being worked on until ctx is done.
func (r *runner) holding(ctx context.Context, items []stream.Item, done chan<- struct{}) {
	defer close(done)
	tick := time.NewTicker(r.cfg.Working)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, it := range items {
				r.note(it.Working(), "hold")
			}
		case <-ctx.Done():
			return
		}
	}
}

// hopeless reports whether a failed message becomes a dead letter.
func (r *runner) hopeless(it *stream.Item, err error) bool {
	return errors.Is(err, notify.ErrPermanent) || r.Attempts > 0 && it.Tries >= r.Attempts || r.GiveUp > 0 && time.Since(it.Stored) >= r.GiveUp
}

// settle ends a message's way: delivered, or with an error buried. When it cannot be buried it stays in the stream.
func (r *runner) settle(ctx context.Context, it *stream.Item, err error) bool {
	if err != nil {
		r.metrics.failed.Inc()
		if e := r.graves.Bury(ctx, r.Name, it, err); e != nil {
			r.log.ErrorContext(ctx, "dead letter not stored; the message waits", "id", it.Message.Alert.ID, "err", e)
			r.note(it.Retry(r.cfg.Longest), "put back")
			return false
		}
		r.log.WarnContext(ctx, "dead letter", "id", it.Message.Alert.ID, "tries", it.Tries, "err", err)
		r.metrics.dead.Inc()
	} else {
		r.metrics.sent.Inc()
	}
	r.note(it.Ack(), "acknowledge")
	return true
}

// later puts a message back.
func (r *runner) later(it *stream.Item) {
	r.metrics.failed.Inc()
	r.metrics.retried.Inc()
	r.note(it.Retry(r.cfg.pause(it.Tries)), "put back")
}

// note logs that the stream could not be told. The message comes again then.
func (r *runner) note(err error, what string) {
	if err != nil {
		r.log.Warn("queue not told; the message comes again", "what", what, "err", err)
	}
}

// measure keeps the lag's metric.
func (r *runner) measure(ctx context.Context) {
	tick := time.NewTicker(r.cfg.LagEvery)
	defer tick.Stop()
	for {
		if lag, err := r.Feed.Lag(ctx); err == nil {
			r.metrics.lag.Set(float64(lag))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
