package flow

import (
	"cmp"
	"math/bits"
	"slices"
)

// The wheel's geometry: a deadline further away than its span waits in the farthest bucket and is looked at again there.
const (
	tickBits     = 26 // 2^26 ns = 67 ms
	wheelBuckets = 4096
	turnBack     = int64(600e9) // a packet this far behind the clock means that the clock was set back
)

func tickOf(t int64) int64 { return t >> tickBits }

// deadline is the last instant at which a packet may still join f.
func (t *Table[S]) deadline(f *Flow[S]) int64 {
	d := int64(1<<63 - 1)
	if t.cfg.Active > 0 {
		d = f.First + int64(t.cfg.Active)
	}
	idle := t.cfg.Idle
	if t.timer != nil {
		idle = t.timer.Idle(f)
	}
	if idle > 0 {
		d = min(d, f.Last+int64(idle))
	}
	return d
}

// hasten moves f to an earlier bucket when its time-out has become shorter. Later deadlines are noticed in the old one.
func (t *Table[S]) hasten(r ref, f *Flow[S]) {
	if t.timer == nil {
		return
	}
	if armed := (int64(f.bucket) - t.tick) & (wheelBuckets - 1); tickOf(t.deadline(f))-t.tick < armed {
		t.disarm(f)
		t.arm(r, f)
	}
}

// arm puts f into the bucket of its deadline.
func (t *Table[S]) arm(r ref, f *Flow[S]) {
	tick := min(max(tickOf(t.deadline(f)), t.tick), t.tick+wheelBuckets-1)
	f.bucket = uint32(tick & (wheelBuckets - 1))
	head := &t.wheel[f.bucket]
	f.prev, f.next = 0, *head
	if *head != 0 {
		t.flows.at(*head).prev = r
	}
	*head = r
	t.occupied[f.bucket/64] |= 1 << (f.bucket % 64)
}

func (t *Table[S]) disarm(f *Flow[S]) {
	if f.prev != 0 {
		t.flows.at(f.prev).next = f.next
	} else {
		t.wheel[f.bucket] = f.next
	}
	if f.next != 0 {
		t.flows.at(f.next).prev = f.prev
	}
}

// Advance tells the table that time has come to now (ns since the epoch), and so ends the flows whose time-outs have
// passed. Packets do it by themselves; a live source calls it while no packets come.
func (t *Table[S]) Advance(now int64) {
	if now <= t.clock && t.started {
		if now < t.clock-turnBack && t.sinceTurn >= uint64(t.flows.live) {
			t.setBack(now)
		}
		return
	}
	if !t.started {
		t.started, t.tick = true, tickOf(now)
	}
	t.clock = now
	if tick := tickOf(now); tick != t.tick {
		t.turn(tick)
	}
}

// turn moves the wheel to a later tick and reports what ended before it.
func (t *Table[S]) turn(tick int64) {
	from, n := t.tick, min(tick-t.tick, wheelBuckets)
	t.tick = tick
	for i := int64(0); i < n; i++ {
		bucket := (from + i) & (wheelBuckets - 1)
		if rest := t.occupied[bucket/64] >> (bucket % 64); rest&1 == 0 {
			i += min(int64(bits.TrailingZeros64(rest)), 64-bucket%64) - 1 // on to the next flow or word
			continue
		}
		t.visit(uint32(bucket), tick)
	}
	t.report()
}

// visit empties a bucket: its flows end or go to the bucket of their new deadline.
func (t *Table[S]) visit(bucket uint32, tick int64) {
	r := t.wheel[bucket]
	t.wheel[bucket] = 0
	t.occupied[bucket/64] &^= 1 << (bucket % 64)
	for r != 0 {
		f := t.flows.at(r)
		next := f.next
		if d := t.deadline(f); tickOf(d) < tick {
			t.expire(r, f, d)
		} else {
			t.arm(r, f)
		}
		r = next
	}
}

// expire ends a flow that is in no bucket.
func (t *Table[S]) expire(r ref, f *Flow[S], deadline int64) {
	t.index.Remove(f.tag, uint32(r))
	t.unuse(f)
	t.finish(r, f, t.timeout(f), deadline)
}

// report hands the ended flows to the handler in order and frees their places.
func (t *Table[S]) report() {
	if len(t.ended) == 0 {
		return
	}
	slices.SortFunc(t.ended, func(a, b ref) int {
		f, g := t.flows.at(a), t.flows.at(b)
		return cmp.Or(cmp.Compare(f.End, g.End), cmp.Compare(f.Seq, g.Seq))
	})
	for _, r := range t.ended {
		t.handler.End(t.flows.at(r))
		t.flows.give(r)
	}
	t.ended = t.ended[:0]
}

// setBack starts the wheel again at an earlier time. It costs a pass over the open flows and happens at most once per
// that many packets.
func (t *Table[S]) setBack(now int64) {
	t.report()
	t.sinceTurn = 0
	t.clock, t.tick = now, tickOf(now)
	clear(t.wheel)
	clear(t.occupied[:])
	for r := t.oldest; r != 0; r = t.flows.at(r).newer {
		f := t.flows.at(r)
		t.arm(r, f)
	}
}
