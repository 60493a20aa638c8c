package mitigate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Run carries out what is decided, takes back what is over, and keeps the network as the book says, until ctx is done. The
// blocks stay in the network then, until their time is over or the next Run. It runs once.
func (d *Defender) Run(ctx context.Context) (err error) {
	audit, err := openAudit(filepath.Join(d.cfg.Dir, auditName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, audit.close()) }()
	w := newWorker(d, audit)
	w.scribe.start(context.WithoutCancel(ctx))
	defer w.scribe.close()
	w.takeUp()
	for {
		timer := time.NewTimer(time.Until(w.step(ctx)))
		select {
		case <-ctx.Done():
			timer.Stop()
			w.finish(ctx)
			return nil
		case seen := <-w.seen:
			w.looking = false
			w.begin(ctx, w.compare(&seen))
		case <-d.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// worker is what Run works with. The loop of Run waits neither for the network nor for a disk: what takes time runs beside it.
type worker struct {
	*Defender
	scribe  *scribe
	running sync.WaitGroup

	looking bool // at the network
	looked  time.Time
	allowed bool // the enforcer has the allow-list; of whoever looks
	seen    chan sight

	// Guarded by mu.
	last  map[string]chan struct{} // by block: closed when the last thing that was begun for it is done
	ended map[string]time.Time     // when that was, since the last look
}

// sight is what the network said that it has.
type sight struct {
	since  time.Time // when it was asked
	blocks []string
	err    error
}

func newWorker(d *Defender, audit *auditLog) *worker {
	state := func() ([]byte, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.book.state()
	}
	return &worker{
		Defender: d, seen: make(chan sight, 1), last: map[string]chan struct{}{}, ended: map[string]time.Time{},
		scribe: &scribe{log: d.log, metrics: d.metrics, audit: audit, path: d.statePath(), state: state, to: d.deps.Publish},
	}
}

// takeUp takes up the blocks of the last run: those still due are applied again, so that the enforcer knows them.
func (w *worker) takeUp() {
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

// step begins all there is to do now, and says when to look again.
func (w *worker) step(ctx context.Context) (next time.Time) {
	tasks, over := w.take(time.Now())
	w.begin(ctx, tasks)
	if now := time.Now(); !w.looking && now.Sub(w.looked) >= w.cfg.Resync {
		w.looking, w.looked = true, now
		w.running.Go(func() { w.seen <- w.look(ctx, now) })
	}
	next = w.looked.Add(w.cfg.Resync)
	if w.looking {
		next = time.Now().Add(w.cfg.Resync)
	}
	if !over.IsZero() && over.Before(next) {
		next = over
	}
	return next
}

// take empties the queue and adds the blocks whose time is over.
func (w *worker) take(now time.Time) (tasks []task, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	over, next := w.book.due(now)
	for _, a := range over {
		w.book.close(now, a)
		w.tasks = append(w.tasks, task{at: now, event: eventExpire, active: a})
	}
	tasks, w.tasks = w.tasks, nil
	return tasks, next
}

// look gives the enforcer the allow-list, until it took it, and asks for the blocks in the network.
func (w *worker) look(ctx context.Context, now time.Time) sight {
	if w.cfg.Policy.DryRun {
		return sight{since: now}
	}
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	if enforcer, ok := w.deps.Enforcer.(Allower); ok && !w.allowed {
		err := enforcer.Allow(ctx, w.cfg.Policy.Allow)
		if w.allowed = err == nil; err != nil {
			w.log.WarnContext(ctx, "the network did not take the allow-list; it is tried again", "enforcer", w.deps.Enforcer.Name(), "err", err)
		}
	}
	blocks, err := w.deps.Enforcer.Blocks(ctx)
	return sight{now, blocks, err}
}

// compare finds what differs between the book and the network: blocks that a switch has lost, or that the network never
// took, are applied; blocks that no book has are taken back. Of blocks that something was done about since the network was
// asked, it says nothing.
func (w *worker) compare(seen *sight) []task {
	if w.cfg.Policy.DryRun {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	settled := func(id string) bool { return w.last[id] == nil && w.ended[id].Before(seen.since) }
	var tasks []task
	if seen.err != nil {
		w.log.Debug("the network does not say what it blocks", "err", seen.err)
	} else {
		tasks = w.differences(seen.blocks, settled)
	}
	for id, at := range w.ended {
		if at.Before(seen.since) {
			delete(w.ended, id)
		}
	}
	return tasks
}

// mostAtOnce bounds what comes of one look at the network: a switch may make up as many blocks as it likes, and each costs a record.
const mostAtOnce = 100

// differences are compare's tasks, of the blocks that are settled. The caller holds mu.
func (w *worker) differences(there []string, settled func(id string) bool) (tasks []task) {
	now := time.Now()
	for _, a := range w.book.list() {
		if !a.DryRun && settled(a.ID) && (!a.Confirmed || !slices.Contains(there, a.ID)) && !w.queued(a.ID) {
			tasks = append(tasks, task{at: now, event: eventRestore, active: a, again: a.refused})
		}
	}
	for _, id := range there {
		if len(tasks) < mostAtOnce && w.book.byID[id] == nil && settled(id) && !w.queued(id) {
			unknown := &Active{Block: Block{ID: id, Reason: "the network had it, the book had not"}}
			tasks = append(tasks, task{at: now, event: eventUnknown, active: unknown})
		}
	}
	return tasks
}

// queued reports whether something waits to be done about a block. The caller holds mu.
func (w *worker) queued(id string) bool {
	return slices.ContainsFunc(w.tasks, func(t task) bool { return t.active.ID == id })
}

// finish does what was decided before the end.
func (w *worker) finish(ctx context.Context) {
	tasks, _ := w.take(time.Now())
	w.begin(ctx, tasks)
	w.running.Wait()
}
