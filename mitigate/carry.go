package mitigate

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bounds of what is done in the network.
const (
	applyTimeout = 5 * time.Second
	applyAtOnce  = 16 // of a batch

	// patience is how long a block waits for what should come before it: its record on the disk, others' ends. A disk may take
	// seconds, and a switch.
	patience = 50 * time.Millisecond
)

// task is what Run has to do. done gets the result once; it may be nil.
type task struct {
	at     time.Time // when it was decided
	event  string
	active *Active
	err    error // for the record
	done   chan error

	before <-chan struct{} // closed when what was begun before for the same block is done; nil for nothing
	after  chan struct{}   // closed when this is done
}

func (t *task) takesBack() bool {
	return t.event == eventLift || t.event == eventExpire || t.event == eventUnknown
}

// begin records what is to be done and has it done, beside the caller.
func (w *worker) begin(ctx context.Context, tasks []task) {
	if len(tasks) == 0 {
		return
	}
	records := make([]*Record, len(tasks))
	for i, t := range tasks {
		records[i] = record(time.Now(), t.event, w.deps.Enforcer.Name(), t.active)
		if t.err != nil {
			records[i].Error = t.err.Error()
		}
		w.metrics.events.WithLabelValues(t.event).Inc()
	}
	w.line(tasks)
	ctx = context.WithoutCancel(ctx) // what is begun is brought to its end, applyTimeout bounds it
	kept := w.scribe.put(ctx, records)
	w.running.Go(func() {
		wait(kept, patience)
		errs := w.carryOut(ctx, tasks)
		w.failures(ctx, tasks, errs)
	})
}

// line puts tasks behind those that were begun for the same blocks.
func (w *worker) line(tasks []task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range tasks {
		t := &tasks[i]
		t.after = make(chan struct{})
		if before := w.last[t.active.ID]; before != nil {
			t.before = before
		}
		w.last[t.active.ID] = t.after
	}
}

// carryOut does tasks. What goes makes room for what comes, so that the network has no more than the cap, unless it takes its time.
func (w *worker) carryOut(ctx context.Context, tasks []task) []error {
	errs := make([]error, len(tasks))
	first := func(t *task) bool { return t.takesBack() && t.before == nil }
	var all sync.WaitGroup
	gone := make(chan struct{})
	all.Go(func() {
		defer close(gone)
		w.each(ctx, tasks, errs, first)
	})
	wait(gone, patience)
	w.each(ctx, tasks, errs, func(t *task) bool { return !first(t) })
	all.Wait()
	return errs
}

// wait waits until done is closed, for a time at most.
func wait(done <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// each does the tasks that are chosen, some at a time.
func (w *worker) each(ctx context.Context, tasks []task, errs []error, chosen func(*task) bool) {
	var group errgroup.Group
	group.SetLimit(applyAtOnce)
	for i := range tasks {
		if t := &tasks[i]; chosen(t) {
			group.Go(func() error {
				errs[i] = w.one(ctx, t)
				return nil
			})
		}
	}
	_ = group.Wait() // the errors are in errs
}

// one does a task when its turn has come, and tells whoever waits for it.
func (w *worker) one(ctx context.Context, t *task) error {
	if t.before != nil {
		<-t.before
	}
	err := w.inNetwork(ctx, t)
	w.mu.Lock()
	if w.ended[t.active.ID] = time.Now(); w.last[t.active.ID] == t.after {
		delete(w.last, t.active.ID)
	}
	w.mu.Unlock()
	close(t.after)
	if t.done != nil {
		t.done <- err
	}
	w.say(ctx, t, err)
	return err
}

// inNetwork does a task in the network.
func (w *worker) inNetwork(ctx context.Context, t *task) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	switch {
	case t.event == eventBlock, t.event == eventRestore:
		err := w.deps.Enforcer.Apply(ctx, t.active.Block)
		if err == nil {
			w.metrics.apply.Observe(time.Since(t.at).Seconds())
		}
		w.mu.Lock()
		t.active.Confirmed = err == nil
		w.mu.Unlock()
		return err
	case t.takesBack() && !t.active.DryRun:
		return w.deps.Enforcer.Lift(ctx, t.active.Block)
	}
	return nil
}

// say logs a task.
func (w *worker) say(ctx context.Context, t *task, err error) {
	a := t.active
	args := []any{
		"event", t.event, "id", a.ID, "kind", string(a.Kind), "match", a.Match.String(), "until", a.Until, "by", a.By,
		"took", time.Since(t.at).Round(time.Microsecond), "reason", a.Reason,
	}
	switch {
	case err != nil:
		w.log.WarnContext(ctx, "the network did not do it", append(args, "err", err)...)
	case t.event == eventRefuse:
		w.log.WarnContext(ctx, "mitigation", append(args, "err", t.err)...)
	default:
		w.log.InfoContext(ctx, "mitigation", args...)
	}
}

// failures records what the network did not do.
func (w *worker) failures(ctx context.Context, tasks []task, errs []error) {
	var failed []*Record
	for i, t := range tasks {
		if errs[i] != nil && t.event != eventRestore { // those come again every few seconds
			r := record(time.Now(), eventFail, w.deps.Enforcer.Name(), t.active)
			r.Error = errs[i].Error()
			failed = append(failed, r)
			w.metrics.events.WithLabelValues(eventFail).Inc()
		}
	}
	if len(failed) > 0 {
		w.scribe.put(ctx, failed)
	}
}
