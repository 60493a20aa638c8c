package mitigate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/notify"
)

// Errors of what people ask for.
var (
	ErrBlock   = errors.New("not a block")
	ErrRefused = errors.New("block refused")
	ErrUnknown = errors.New("no such block")
)

// Names of the files in Config.Dir.
const (
	stateName = "blocks.json"
	auditName = "audit.jsonl"
)

// Config says how to defend.
type Config struct {
	Policy Policy
	Dir    string        // for the state and the audit log
	Resync time.Duration // how often the network is compared with the book: 2 s
}

// Publisher takes messages durably.
type Publisher interface {
	Publish(ctx context.Context, messages []*notify.Message) error
}

// Deps is what a Defender is given. Publish may be nil.
type Deps struct {
	Log      *slog.Logger
	Register prometheus.Registerer
	Enforcer Enforcer
	Publish  Publisher
}

// Defender blocks what verdicts and people say. Make it by New and let Run work; it is safe for concurrent use.
type Defender struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	metrics *metrics
	wake    chan struct{}

	mu       sync.Mutex // over what follows; nobody waits for the network or a disk under it
	engine   *engine
	book     *ledger
	tasks    []task
	refusals map[refusalKey]time.Time
}

// refusalKey tells refusals apart that are recorded once a minute each.
type refusalKey struct {
	why   refusal
	match Match // zero for the cap: there may be thousands
}

// New makes a defender and reads its state from Config.Dir. It touches no network; Run does.
func New(cfg Config, deps Deps) (*Defender, error) {
	cfg.Policy = cfg.Policy.withDefaults()
	if err := cfg.Policy.check(); err != nil {
		return nil, err
	}
	if cfg.Resync <= 0 {
		cfg.Resync = 2 * time.Second
	}
	d := &Defender{cfg: cfg, deps: deps, log: deps.Log, wake: make(chan struct{}, 1), refusals: map[refusalKey]time.Time{}}
	d.book = newLedger(&d.cfg.Policy)
	var locate func(src netip.Addr) (Port, bool)
	if l, ok := deps.Enforcer.(Locator); ok {
		locate = l.Locate
	}
	d.engine = newEngine(cfg.Policy, locate)
	if err := d.book.load(d.statePath()); err != nil {
		return nil, err
	}
	var err error
	if d.metrics, err = newMetrics(deps.Register, d.count); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return d, nil
}

func (d *Defender) statePath() string { return filepath.Join(d.cfg.Dir, stateName) }

// Observe takes a verdict. It does not wait: what follows from it is done by Run.
func (d *Defender) Observe(a *mlids.Alert) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Verdict.Attack && d.book.covers(a) {
		return
	}
	p, ok := d.engine.observe(now, a)
	if !ok {
		return
	}
	active := &Active{Block: p.block, By: byPolicy, Class: p.class, Model: p.model, Forged: p.forged, DryRun: d.cfg.Policy.DryRun}
	if why, words := d.book.judge(active.Match); why != refuseNone {
		d.refuse(now, why, words, active)
		return
	}
	d.enact(now, active, nil)
}

// enact puts a block into the book and has it carried out. The caller holds mu.
func (d *Defender) enact(now time.Time, a *Active, done chan error) {
	d.book.open(now, a)
	event := eventBlock
	if a.DryRun {
		event = eventDryRun
	}
	d.enqueue(task{event: event, active: a, done: done})
}

// refuse records that a block was not made, once a minute for the same one. The caller holds mu.
func (d *Defender) refuse(now time.Time, why refusal, words string, a *Active) {
	d.metrics.refused.WithLabelValues(string(why)).Inc()
	key := refusalKey{why: why}
	if why != refuseCap {
		key.match = a.Match
	}
	if last, ok := d.refusals[key]; ok && now.Sub(last) < time.Minute {
		return
	}
	if len(d.refusals) >= maxOffenders {
		clear(d.refusals)
	}
	d.refusals[key] = now
	a.ID = idOf(a.Match)
	d.enqueue(task{event: eventRefuse, active: a, err: fmt.Errorf("%w: %s: %s", ErrRefused, why, words)})
}

// enqueue hands Run a task. The caller holds mu.
func (d *Defender) enqueue(t task) {
	t.at = time.Now()
	d.tasks = append(d.tasks, t)
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Blocks lists what is blocked, the oldest first.
func (d *Defender) Blocks() []Active {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := d.book.list()
	all := make([]Active, len(list))
	for i, a := range list {
		all[i] = *a
	}
	return all
}

// Add blocks what a person asks for, until b.Until or as long as the policy says, and waits until the network has it. What
// the allow-list or the cap forbids is ErrRefused. An error of the network leaves the block in the book: it is tried again.
func (d *Defender) Add(ctx context.Context, b Block, by string) (Active, error) {
	if err := checkBlock(&b); err != nil {
		return Active{}, err
	}
	b.Reason = cmp.Or(b.Reason, "by hand")
	now := time.Now()
	if !b.Until.IsZero() && !b.Until.After(now) {
		return Active{}, fmt.Errorf("%w: its time is over: %v", ErrBlock, b.Until)
	}
	a := &Active{Block: b, By: by, DryRun: d.cfg.Policy.DryRun}
	done := make(chan error, 1)
	d.mu.Lock()
	if why, words := d.book.judge(a.Match); why != refuseNone {
		d.refuse(now, why, words, a)
		d.mu.Unlock()
		return Active{}, fmt.Errorf("%w: %s: %s", ErrRefused, why, words)
	}
	d.enact(now, a, done)
	made := *a
	d.mu.Unlock()
	select {
	case err := <-done:
		made.Confirmed = err == nil && !made.DryRun
		return made, err
	case <-ctx.Done():
		return made, context.Cause(ctx)
	}
}

func checkBlock(b *Block) error {
	switch {
	case b.Kind != Drop && b.Kind != Limit && b.Kind != Redirect:
		return fmt.Errorf("%w: kind %q: want drop, limit or redirect", ErrBlock, b.Kind)
	case (b.Kind == Limit) != (b.Rate > 0):
		return fmt.Errorf("%w: a rate goes with limit, and a limit needs one", ErrBlock)
	case (b.Kind == Redirect) != (b.ToPort > 0):
		return fmt.Errorf("%w: a port to send to goes with redirect, and a redirect needs one", ErrBlock)
	}
	return b.Match.valid()
}

// Lift takes a block back before its time and waits until the network has done so. One that is not there is ErrUnknown.
func (d *Defender) Lift(ctx context.Context, id, by string) error {
	done := make(chan error, 1)
	d.mu.Lock()
	a := d.book.byID[id]
	if a == nil {
		d.mu.Unlock()
		return fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	d.book.close(time.Now(), a)
	lifted := *a
	lifted.By = by
	d.enqueue(task{event: eventLift, active: &lifted, done: done})
	d.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// count is how many blocks of a kind there are, for the metrics.
func (d *Defender) count(k Kind) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, a := range d.book.active {
		if a.Kind == k {
			n++
		}
	}
	return n
}
