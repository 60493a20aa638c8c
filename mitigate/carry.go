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
	again  bool // it failed before: that was recorded, and the next record is of its success

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
	var records []*Record
	for i := range tasks {
		if t := &tasks[i]; !t.again {
			records = append(records, w.note(t, t.event, t.err))
		}
	}
	w.line(tasks)
	ctx = context.WithoutCancel(ctx) // what is begun is brought to its end, applyTimeout bounds it
	kept := w.scribe.put(ctx, records)
	w.running.Go(func() {
		wait(kept, patience)
		errs := w.carryOut(ctx, tasks)
		w.scribe.put(ctx, w.outcomes(tasks, errs))
	})
}

// note makes the record of a task, and counts it.
func (w *worker) note(t *task, event string, err error) *Record {
	r := record(time.Now(), event, w.deps.Enforcer.Name(), t.active)
	if err != nil {
		r.Error = err.Error()
	}
	w.metrics.events.WithLabelValues(event).Inc()
	return r
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
		t.active.Confirmed, t.active.refused = err == nil, err != nil
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
	case err != nil && t.again:
		w.log.DebugContext(ctx, "the network still does not do it", append(args, "err", err)...)
	case err != nil:
		w.log.WarnContext(ctx, "the network did not do it", append(args, "err", err)...)
	case t.event == eventRefuse:
		w.log.WarnContext(ctx, "mitigation", append(args, "err", t.err)...)
	default:
		w.log.InfoContext(ctx, "mitigation", args...)
	}
}

// outcomes are the records of what came out otherwise than the last record of the block says.
func (w *worker) outcomes(tasks []task, errs []error) (records []*Record) {
	for i := range tasks {
		switch t, err := &tasks[i], errs[i]; {
		case t.again && err == nil:
			records = append(records, w.note(t, t.event, nil))
		case !t.again && err != nil:
			records = append(records, w.note(t, eventFail, err))
		}
	}
	return records
}
