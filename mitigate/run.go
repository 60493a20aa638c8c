package mitigate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"mlids"
	"mlids/notify"
)

// Bounds of what is done in the network.
const (
	applyTimeout   = 5 * time.Second
	publishTimeout = 5 * time.Second
	applyAtOnce    = 16
)

// Run carries out what is decided, takes back what is over, and keeps the network as the book says, until ctx is done. The
// blocks stay in the network then, until their time is over or the next Run. It runs once.
func (d *Defender) Run(ctx context.Context) (err error) {
	audit, err := openAudit(filepath.Join(d.cfg.Dir, auditName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, audit.close()) }()
	w := &worker{Defender: d, audit: audit}
	w.start(ctx)
	for {
		next := w.step(ctx)
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			w.finish(context.WithoutCancel(ctx))
			return nil
		case <-d.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// worker is what Run works with.
type worker struct {
	*Defender
	audit   *auditLog
	synced  time.Time // when the network was last compared with the book
	allowed bool      // the enforcer has the allow-list
}

// start takes up the blocks of the last run: those still due are applied again, so that the enforcer knows them.
func (w *worker) start(context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.book.list() {
		if why, words := w.book.judgeAgain(a.Match); why != refuseNone {
			w.book.close(time.Now(), a)
			w.enqueue(task{event: eventLift, active: a, err: fmt.Errorf("%w: %s: %s", ErrRefused, why, words)})
			continue
		}
		w.enqueue(task{event: eventRestore, active: a})
	}
}

// step does all there is to do now, and says when to look again.
func (w *worker) step(ctx context.Context) (next time.Time) {
	now := time.Now()
	w.allow(ctx)
	tasks, over := w.take(now)
	w.do(ctx, tasks)
	if now = time.Now(); now.Sub(w.synced) >= w.cfg.Resync {
		w.synced = now
		w.do(ctx, w.compare(ctx))
	}
	next = w.synced.Add(w.cfg.Resync)
	if !over.IsZero() && over.Before(next) {
		next = over
	}
	return next
}

// allow gives the enforcer the allow-list, until it took it.
func (w *worker) allow(ctx context.Context) {
	enforcer, ok := w.deps.Enforcer.(Allower)
	if !ok || w.allowed || w.cfg.Policy.DryRun {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	if err := enforcer.Allow(ctx, w.cfg.Policy.Allow); err != nil {
		w.log.WarnContext(ctx, "the network did not take the allow-list; it is tried again", "enforcer", enforcer, "err", err)
		return
	}
	w.allowed = true
}

// take empties the queue and adds the blocks whose time is over.
func (w *worker) take(now time.Time) (tasks []task, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	over, next := w.book.due(now)
	for _, a := range over {
		w.book.close(now, a)
		w.tasks = append(w.tasks, task{event: eventExpire, active: a})
	}
	tasks, w.tasks = w.tasks, nil
	return tasks, next
}

// do records what is to be done, does it, and tells about it.
func (w *worker) do(ctx context.Context, tasks []task) {
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
	w.write(ctx, records)
	errs := make([]error, len(tasks))
	w.each(ctx, tasks, errs, true) // what goes makes room for what comes: the network never has more than the cap
	w.each(ctx, tasks, errs, false)
	for i, t := range tasks {
		if t.done != nil {
			t.done <- errs[i]
		}
		w.say(ctx, &t, errs[i])
	}
	w.failures(ctx, tasks, errs)
	w.publish(ctx, records)
}

// each carries out the tasks that take blocks back, or the others.
func (w *worker) each(ctx context.Context, tasks []task, errs []error, back bool) {
	var group errgroup.Group
	group.SetLimit(applyAtOnce)
	for i, t := range tasks {
		if t.takesBack() == back {
			group.Go(func() error {
				errs[i] = w.carryOut(ctx, &t)
				return nil
			})
		}
	}
	_ = group.Wait() // the errors are in errs
}

func (t *task) takesBack() bool {
	return t.event == eventLift || t.event == eventExpire || t.event == eventUnknown
}

// write puts records and the book on the disk. What the disk refuses is logged, and done all the same: an attack goes on.
func (w *worker) write(ctx context.Context, records []*Record) {
	if err := w.audit.append(records...); err != nil {
		w.metrics.lost.Add(float64(len(records)))
		w.log.ErrorContext(ctx, "records are lost", "count", len(records), "err", err)
	}
	w.mu.Lock()
	state, err := w.book.state()
	w.mu.Unlock()
	if err == nil {
		err = replaceFile(w.statePath(), state)
	}
	if err != nil {
		w.log.ErrorContext(ctx, "the state of blocks is not kept", "err", err)
	}
}

// carryOut does a task in the network.
func (w *worker) carryOut(ctx context.Context, t *task) error {
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	switch {
	case t.event == eventBlock, t.event == eventRestore:
		start := time.Now()
		err := w.deps.Enforcer.Apply(ctx, t.active.Block)
		if err == nil {
			w.metrics.apply.Observe(time.Since(start).Seconds())
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
	args := []any{"event", t.event, "id", a.ID, "kind", string(a.Kind), "match", a.Match.String(), "until", a.Until, "by", a.By, "reason", a.Reason}
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
		if err := w.audit.append(failed...); err != nil {
			w.metrics.lost.Add(float64(len(failed)))
			w.log.ErrorContext(ctx, "records are lost", "count", len(failed), "err", err)
		}
		w.publish(ctx, failed)
	}
}

// publish sends records to whoever listens.
func (w *worker) publish(ctx context.Context, records []*Record) {
	if w.deps.Publish == nil {
		return
	}
	messages := make([]*notify.Message, 0, len(records))
	for _, r := range records {
		body, err := json.Marshal(r)
		if err != nil {
			w.log.ErrorContext(ctx, "a record is no JSON", "id", r.ID, "err", err)
			continue
		}
		m := &notify.Message{Kind: notify.Action, Body: body, Alert: mlids.Alert{
			ID: fmt.Sprintf("%s-%s-%d", r.ID, r.Event, r.Time.UnixNano()), Start: r.Time, End: r.Time, Proto: r.Match.Proto,
			SrcPort: r.Match.SrcPort, DstPort: r.Match.DstPort,
			Verdict: mlids.Verdict{Attack: r.Class != "", Class: r.Class, Model: r.Model},
		}}
		if r.Match.Src != nil {
			m.Alert.Src = r.Match.Src.Addr()
		}
		if r.Match.Dst != nil {
			m.Alert.Dst = r.Match.Dst.Addr()
		}
		messages = append(messages, m)
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := w.deps.Publish.Publish(ctx, messages); err != nil {
		w.metrics.lost.Add(float64(len(messages)))
		w.log.ErrorContext(ctx, "notifications of blocks are lost", "count", len(messages), "err", err)
	}
}

// compare finds what differs between the book and the network: blocks that a switch has lost, or that the network never
// took, are applied; blocks that no book has are taken back.
func (w *worker) compare(ctx context.Context) []task {
	if w.cfg.Policy.DryRun {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	there, err := w.deps.Enforcer.Blocks(ctx)
	if err != nil {
		w.log.DebugContext(ctx, "the network does not say what it blocks", "err", err)
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var tasks []task
	for _, a := range w.book.list() {
		if !a.DryRun && (!a.Confirmed || !slices.Contains(there, a.ID)) && !w.queued(a) {
			tasks = append(tasks, task{event: eventRestore, active: a})
		}
	}
	for _, id := range there {
		if w.book.byID[id] == nil {
			tasks = append(tasks, task{event: eventUnknown, active: &Active{Block: Block{ID: id, Reason: "the network had it, the book had not"}}})
		}
	}
	return tasks
}

// queued reports whether a block waits to be carried out. The caller holds mu.
func (w *worker) queued(a *Active) bool {
	return slices.ContainsFunc(w.tasks, func(t task) bool { return t.active == a })
}

// finish does what was decided before the end.
func (w *worker) finish(ctx context.Context) {
	tasks, _ := w.take(time.Now())
	w.do(ctx, tasks)
}
