package cicflow

import (
	"errors"
	"fmt"
	"time"

	"mlids"
	"mlids/feature"
	"mlids/flow"
)

// ErrSchema is returned for a schema that this package does not compute.
var ErrSchema = errors.New("not a cicflow schema")

// Config says what to extract.
type Config struct {
	Schema   *feature.Schema // cicflow/v4, cicflow/2018 or cicflow/common
	Timeout  time.Duration   // a flow is cut this long after its start; 0 for the reference's 120 s
	MaxFlows int             // open flows at most; 0 for flow.DefaultMaxFlows

	// A sensor cannot wait for the time-out of every flow. These end flows sooner; the reference does not have them. A
	// connection that goes on afterwards continues in another flow, as behind the time-out.
	Idle   time.Duration // a flow silent for longer has ended; 0 for never
	Linger time.Duration // the same for a closed or reset TCP connection, in cicflow/v4; 0 for Idle
}

// DefaultTimeout is when CICFlowMeter cuts a flow.
const DefaultTimeout = 120 * time.Second

// seenMemory bounds what is remembered to tell repeated TCP packets, in packets (4 bytes each).
const seenMemory = 16 << 20

// table is what the tables of both dialects have in common.
type table interface {
	Add(*mlids.Packet)
	Advance(int64)
	Flush()
	Stats() flow.Stats
}

// Extractor turns packets into rows. It belongs to one goroutine.
type Extractor struct {
	table
	row   Row
	emit  func(*Row)
	wide  []float64 // the dialect's columns, where the schema has only some of them
	picks []int
}

// New makes an extractor that hands each finished flow to emit, in the order of package flow. The row is valid during
// the call.
func New(cfg Config, emit func(*Row)) (*Extractor, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MaxFlows <= 0 {
		cfg.MaxFlows = flow.DefaultMaxFlows
	}
	x := &Extractor{emit: emit}
	switch cfg.Schema.ID() {
	case "cicflow/v4":
		x.table = x.newV4(cfg)
	case "cicflow/2018":
		x.table = x.new2018(cfg)
	case "cicflow/common":
		if err := x.pick(cfg.Schema); err != nil {
			return nil, err
		}
		x.table = x.newV4(cfg)
	default:
		return nil, fmt.Errorf("%w: %s", ErrSchema, cfg.Schema.ID())
	}
	return x, nil
}

// pick finds the columns of s among those of cicflow/v4.
func (x *Extractor) pick(s *feature.Schema) error {
	known, err := feature.Schemas()
	if err != nil {
		return err
	}
	v4, err := known.Find("cicflow/v4")
	if err != nil {
		return err
	}
	for _, c := range s.Columns {
		i, ok := v4.Index(c.Name)
		if !ok {
			return fmt.Errorf("%w: %s: column %s is not in cicflow/v4", ErrSchema, s.ID(), c.Name)
		}
		x.picks = append(x.picks, i)
	}
	return nil
}

func (x *Extractor) newV4(cfg Config) table {
	h := &v4{timeout: cfg.Timeout.Microseconds(), emit: x.emitV4}
	h.seen.budget = seenMemory
	h.carry = newCarry(cfg.MaxFlows/2, h.seen.release)
	limits := flow.Config{Active: cfg.Timeout, Idle: cfg.Idle, MaxFlows: cfg.MaxFlows, Key: keyV4}
	if cfg.Linger > 0 {
		return flow.New(limits, &lingering{h, cfg.Idle, cfg.Linger})
	}
	return flow.New(limits, h)
}

func (x *Extractor) new2018(cfg Config) table {
	h := &y2018{emit: x.emit2018}
	h.carry = newCarry(cfg.MaxFlows/2, func(*seenSet) {})
	return flow.New(flow.Config{Active: cfg.Timeout, Idle: cfg.Idle, MaxFlows: cfg.MaxFlows, Key: key2018}, h)
}

func (x *Extractor) emitV4(f *flow.Flow[stateV4]) {
	s := &f.State
	begin(x, f, &f.State.core)
	x.row.Reason, x.row.idBack = s.ending(f.Reason), s.idBack
	x.row.fillV4(s, f.Key.Proto)
	if x.picks != nil {
		x.row.Values, x.wide = x.wide[:0], x.row.Values
		for _, i := range x.picks {
			x.row.Values = append(x.row.Values, x.wide[i])
		}
	}
	x.emit(&x.row)
}

// Interim hands out rows of flows as they are now: those that began at or before begun, had a packet later than after (ns
// since the epoch) and are still open; no more than most. Their final rows come later, unchanged by this.
func (x *Extractor) Interim(begun, after int64, most int) {
	switch t := x.table.(type) {
	case *flow.Table[stateV4]:
		t.Open(begun, after, most, x.emitV4)
	case *flow.Table[state2018]:
		t.Open(begun, after, most, x.emit2018)
	}
}

func (x *Extractor) emit2018(f *flow.Flow[state2018]) {
	begin(x, f, &f.State.core)
	x.row.fill2018(&f.State, f.Key.Proto)
	x.emit(&x.row)
}

// begin puts what does not depend on the dialect into the row.
func begin[S any](x *Extractor, f *flow.Flow[S], c *core) {
	r := &x.row
	r.Key, r.Wire, r.Reason, r.Label = f.Key, c.wire(f.Key), f.Reason, ""
	r.First, r.Last, r.Ingress, r.Answer = f.First, f.Last, f.Ingress, f.Answer
}
