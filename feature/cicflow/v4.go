package cicflow

import (
	"math"
	"time"

	"mlids"
	"mlids/flow"
)

// stateV4 is what cicflow/v4 keeps of a flow.
type stateV4 struct {
	core
	fwdBulk, bwdBulk bulk
	fwdFlags         flagCounts
	bwdFlags         flagCounts
	gone             int64 // µs of the connection before this flow
	set              seenSet
	subflows         uint32
	fwdRepeats       repeats
	bwdRepeats       repeats
	closing          closing
	idBack           bool // the flow's id names the other side first
}

// closing is how far a TCP connection has come to its end.
type closing uint8

const (
	openStill closing = iota
	oneFIN
	bothFINs
	over  // the last FIN was acknowledged: a SYN begins a new flow
	reset // the same, after a reset
)

// flagCounts counts the packets of one direction by TCP flag: in eight bytes of one word, and in wider numbers before
// those overflow.
type flagCounts struct {
	lanes uint64
	since uint32 // packets in lanes
	wide  [8]uint32
}

func (c *flagCounts) add(f mlids.TCPFlags) {
	const oneEach, highBits, lowBits = 0x0101010101010101, 0x8040201008040201, 0x7f7f7f7f7f7f7f7f
	each := uint64(f) * oneEach & highBits // flag i is bit i of byte i
	c.lanes += (each | (each&lowBits + lowBits)) >> 7 & oneEach
	if c.since++; c.since == 255 {
		c.spill()
	}
}

func (c *flagCounts) spill() {
	for i := range c.wide {
		c.wide[i] = c.count(i)
	}
	c.lanes, c.since = 0, 0
}

func (c *flagCounts) count(flag int) uint32 { return c.wide[flag] + uint32(c.lanes>>(8*flag)&0xff) }

// The places of flags in flagCounts.
const (
	fin = iota
	syn
	rst
	psh
	ack
	urg
	ece
	cwr
)

// v4 is the life cycle of the corrected CICFlowMeter: a flow is cut 120 s after its start and closed by a SYN once both
// sides have closed or one has reset; what follows a cut belongs to the same connection and keeps its direction.
type v4 struct {
	timeout int64 // µs
	seen    seen
	carry   *carry
	emit    func(*flow.Flow[stateV4])
}

// keyV4 names flows by addresses, protocol (0 but for TCP, UDP and ICMP) and, for TCP and UDP, ports.
func keyV4(p *mlids.Packet, k *mlids.FlowKey) {
	k.Src, k.Dst, k.Proto = p.Src, p.Dst, protocol(p)
	if ported(k.Proto) {
		k.SrcPort, k.DstPort = p.SrcPort, p.DstPort
	}
}

// Begin implements flow.Handler.
func (h *v4) Begin(f, prev *flow.Flow[stateV4], p *mlids.Packet) {
	h.inherit(f, prev, p)
	s := &f.State
	k := look(p, &f.Key)
	s.begin(p, k)
	s.payload.add(1, int64(k.payload))
	s.side(k.fwd).window = p.Window
	h.note(f, p, k)
	if p.Unseen > 1 {
		s.addMany(k, p.Unseen-1)
	}
}

// inherit takes over what the flow before handed on: the connection, if a time-out cut it, else the side that ids name first,
// which is that of the first flow between these ports.
func (h *v4) inherit(f, prev *flow.Flow[stateV4], p *mlids.Packet) {
	key := f.Key
	was, known := h.previous(&key, prev)
	id := key
	if was.idBack {
		id = key.Reverse()
	}
	switch {
	case known && h.goesOn(f.Key.Proto, &was, p):
		f.Key = key
		f.State.set = was.set
		f.State.fwdRepeats, f.State.bwdRepeats = anyRepeats, anyRepeats
		f.State.gone = was.duration + p.Time/1000 - was.last
	case p.Flags.Has(mlids.SYN | mlids.ACK):
		f.Key = f.Key.Reverse() // the capture missed the SYN
		fallthrough
	default:
		h.seen.release(&was.set)
	}
	f.State.idBack = known && id != f.Key
}

// goesOn reports whether a packet belongs to the connection that was handed on. Only TCP and UDP have connections.
func (h *v4) goesOn(proto uint8, was *carried, p *mlids.Packet) bool {
	switch proto {
	case mlids.ProtoTCP:
		return !was.over || !p.Flags.Has(mlids.SYN)
	case mlids.ProtoUDP:
		return p.Time/1000-was.last <= h.timeout
	}
	return false
}

// previous finds what the flow before handed on, which prev did just now or which was cut some time ago, and turns key
// to its direction.
func (h *v4) previous(key *mlids.FlowKey, prev *flow.Flow[stateV4]) (carried, bool) {
	if prev == nil {
		return h.carry.take(key)
	}
	was := h.handOn(prev)
	prev.State.set = seenSet{}
	*key = prev.Key
	return was, true
}

func (h *v4) handOn(f *flow.Flow[stateV4]) carried {
	s := &f.State
	return carried{set: s.set, duration: s.gone + s.duration(), last: s.last, over: s.closing >= over, idBack: s.idBack}
}

// Add implements flow.Handler.
func (h *v4) Add(f *flow.Flow[stateV4], p *mlids.Packet, _ bool) flow.Action {
	s := &f.State
	if s.closing >= over && p.Flags.Has(mlids.SYN) ||
		icmp(f.Key.Proto) && p.ICMPType != s.icmpType() && p.ICMPCode != s.icmpCode() {
		return flow.Reopen
	}
	k := look(p, &f.Key)
	if p.Unseen > 0 {
		s.addMany(k, p.Unseen)
		return flow.Keep
	}
	s.pause(k.now)
	if k.now-s.last > subflow {
		s.subflows++
	}
	s.add(k)
	s.payload.add(s.packets(), int64(k.payload))
	if !k.fwd && s.bwd.window == 0 {
		s.bwd.window = p.Window
	}
	h.note(f, p, k)
	s.close(p.Flags)
	return flow.Keep
}

// note counts bulks, flags and repeated packets.
func (h *v4) note(f *flow.Flow[stateV4], p *mlids.Packet, k packet) {
	s := &f.State
	if k.fwd {
		s.fwdBulk.add(k, s.bwdBulk.last)
		s.fwdFlags.add(p.Flags)
	} else {
		s.bwdBulk.add(k, s.fwdBulk.last)
		s.bwdFlags.add(p.Flags)
	}
	if f.Key.Proto == mlids.ProtoTCP {
		r := &s.fwdRepeats
		if !k.fwd {
			r = &s.bwdRepeats
		}
		if h.seen.add(&s.set, p, r.fresh(p)) {
			r.n++
		}
	}
}

// repeats counts the repeated TCP packets of one direction.
type repeats struct{ n, seq, ack uint32 }

// anyRepeats takes no packet for fresh: how far earlier flows of the connection had come is not known.
var anyRepeats = repeats{seq: math.MaxUint32, ack: math.MaxUint32}

// fresh reports whether p cannot repeat an earlier packet, because one of its numbers is greater than in any of them.
func (r *repeats) fresh(p *mlids.Packet) bool {
	fresh := p.Seq > r.seq || p.Ack > r.ack
	r.seq, r.ack = max(r.seq, p.Seq), max(r.ack, p.Ack)
	return fresh
}

// close follows the end of a TCP connection.
func (s *stateV4) close(flags mlids.TCPFlags) {
	switch {
	case flags.Has(mlids.FIN):
		switch {
		case s.closing == openStill:
			s.closing = oneFIN
		case s.closing == oneFIN && s.fwdFlags.count(fin) > 0 && s.bwdFlags.count(fin) > 0:
			s.closing = bothFINs
		}
	case flags.Has(mlids.RST):
		if s.closing < over {
			s.closing = reset
		}
	case flags.Has(mlids.ACK) && s.closing == bothFINs:
		s.closing = over
	}
}

// ending is why a flow ended, as its row tells it: a connection that was over has only waited for late packets.
func (s *stateV4) ending(why mlids.EndReason) mlids.EndReason {
	switch {
	case why == mlids.EndNone || s.closing < over:
		return why
	case s.closing == reset:
		return mlids.EndRST
	}
	return mlids.EndFIN
}

// End implements flow.Handler.
func (h *v4) End(f *flow.Flow[stateV4]) {
	h.emit(f)
	if timedOut(f.Reason) && !f.Heir {
		h.carry.put(&f.Key, h.handOn(f))
		return
	}
	h.seen.release(&f.State.set)
}

func timedOut(why mlids.EndReason) bool { return why == mlids.EndActive || why == mlids.EndIdle }

// lingering is v4 with a shorter idle time-out for connections that are over.
type lingering struct {
	*v4
	idle, linger time.Duration
}

// Idle implements flow.Timer.
func (h *lingering) Idle(f *flow.Flow[stateV4]) time.Duration {
	if f.State.closing >= over {
		return h.linger
	}
	return h.idle
}
