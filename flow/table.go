package flow

import (
	"hash/maphash"
	"time"

	"mlids"
)

// DefaultMaxFlows bounds a table whose Config does not.
const DefaultMaxFlows = 1 << 20

// Config sets a table's limits.
type Config struct {
	Active   time.Duration // a flow older than this is cut; 0 for never
	Idle     time.Duration // a flow silent for longer has ended; 0 for never
	MaxFlows int           // open flows at most, then the one silent for longest is evicted; 0 for DefaultMaxFlows

	// Key sets k, which is zero, to the name of a packet's flow, as its sender sees it; KeyOf when nil. It sees to it
	// that the other direction has the same ports exchanged (see [mlids.FlowKey.Reverse]).
	Key func(p *mlids.Packet, k *mlids.FlowKey)
}

// Table follows flows. It is not safe for concurrent use; [Relay] lets what comes out of it be used beside it.
type Table[S any] struct {
	cfg     Config
	handler Handler[S]
	timer   Timer[S] // the handler, if it is one
	index   Index
	flows   slab[S]
	key     func(*mlids.Packet, *mlids.FlowKey)
	current mlids.FlowKey // of the packet at hand; as a local variable it would be allocated
	seed    uint64
	seq     uint64

	clock     int64 // latest time seen
	tick      int64 // of clock
	started   bool
	sinceTurn uint64 // packets since the clock was set back
	wheel     []ref
	occupied  [wheelBuckets / 64]uint64 // a bit for each bucket that may have flows
	ended     []ref                     // flows that ended in this tick, not reported yet

	oldest, newest ref // in order of last use, to within a second
	stats          Stats
}

// New makes an empty table.
func New[S any](cfg Config, h Handler[S]) *Table[S] {
	if cfg.MaxFlows <= 0 {
		cfg.MaxFlows = DefaultMaxFlows
	}
	if cfg.Key == nil {
		cfg.Key = func(p *mlids.Packet, k *mlids.FlowKey) { *k = KeyOf(p) }
	}
	timer, _ := h.(Timer[S])
	return &Table[S]{
		cfg: cfg, handler: h, timer: timer, key: cfg.Key, index: NewIndex(), wheel: make([]ref, wheelBuckets),
		seed: maphash.Comparable(maphash.MakeSeed(), 0),
	}
}

// Add gives a packet to its flow, and begins one if there is none.
func (t *Table[S]) Add(p *mlids.Packet) {
	t.Advance(p.Time)
	t.seq++
	t.sinceTurn++
	key := &t.current
	*key = mlids.FlowKey{}
	t.key(p, key)
	tag := uint32(Hash(key, t.seed))

	for i := tag & t.index.mask; ; i = (i + 1) & t.index.mask {
		e := t.index.entries[i]
		if e == 0 {
			t.begin(key, tag, nil, p)
			return
		}
		if uint32(e>>32) != tag {
			continue
		}
		r := ref(uint32(e))
		f := t.flows.at(r)
		if fwd, ok := match(&f.Key, key); ok {
			t.hit(r, f, key, p, fwd)
			return
		}
	}
}

// hit gives a packet to the flow of its key, or ends that one and begins the next.
func (t *Table[S]) hit(r ref, f *Flow[S], key *mlids.FlowKey, p *mlids.Packet, fwd bool) {
	if d := t.deadline(f); p.Time > d {
		t.end(r, f, t.timeout(f), d)
		f.Heir = true
		t.begin(key, f.tag, f, p)
		return
	}
	switch a := t.handler.Add(f, p, fwd); a {
	case Keep:
		f.Last = max(f.Last, p.Time)
		t.use(r, f)
		t.hasten(r, f)
	case CloseFIN:
		f.Last = max(f.Last, p.Time)
		t.end(r, f, actionReason[a], t.clock)
	default:
		t.end(r, f, actionReason[a], t.clock)
		f.Heir = true
		t.begin(key, f.tag, f, p)
	}
}

// begin opens a flow with its first packet.
func (t *Table[S]) begin(key *mlids.FlowKey, tag uint32, prev *Flow[S], p *mlids.Packet) {
	if t.flows.live-len(t.ended) >= t.cfg.MaxFlows {
		t.evict()
	}
	if len(t.ended) >= t.cfg.MaxFlows && prev == nil {
		t.report() // many ends within one tick: memory goes before the order of their report
	}
	r, f := t.flows.take()
	f.Key, f.tag, f.Seq = *key, tag, t.seq
	f.First, f.Last = p.Time, p.Time
	f.Ingress, f.Answer = p.Ingress, p.Answers()
	t.index.Insert(tag, uint32(r))
	t.arm(r, f)
	t.append(r, f)
	t.stats.Flows++
	t.handler.Begin(f, prev, p)
	t.hasten(r, f)
}

// end takes an open flow out of the table; it is reported at the end of the tick.
func (t *Table[S]) end(r ref, f *Flow[S], why mlids.EndReason, at int64) {
	t.index.Remove(f.tag, uint32(r))
	t.disarm(f)
	t.unuse(f)
	t.finish(r, f, why, at)
}

func (t *Table[S]) finish(r ref, f *Flow[S], why mlids.EndReason, at int64) {
	f.Reason, f.End = why, at
	t.stats.Ended[why]++
	t.ended = append(t.ended, r)
}

// timeout says which of the time-outs gives f its deadline.
func (t *Table[S]) timeout(f *Flow[S]) mlids.EndReason {
	if t.cfg.Active > 0 && t.deadline(f) == f.First+int64(t.cfg.Active) {
		return mlids.EndActive
	}
	return mlids.EndIdle
}

// Flush ends every open flow: the source has no more packets. The table may be used again.
func (t *Table[S]) Flush() {
	for t.oldest != 0 {
		t.end(t.oldest, t.flows.at(t.oldest), mlids.EndSource, t.clock)
	}
	t.report()
}
