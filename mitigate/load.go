package mitigate

import (
	"net/netip"
	"time"

	"mlids"
)

// loadSpan is how long loads of flows and pairs are remembered: switches count once a second.
const loadSpan = 6 * time.Second

// answered is the share of packets that must come back for a flow to be a conversation: a hundredth.
const answered = 100

// flowKey names a flow and the model whose findings tell of it.
type flowKey struct {
	src, dst         netip.Addr
	srcPort, dstPort uint16
	proto            uint8
	model            string
}

// Switches count once a second, so of a flow that goes on, a second's packets may be known late: those counted since a reading
// were sent in as much as lump longer. It is renewed after renewal, which bounds what that hides.
const (
	lump    = time.Second
	renewal = 5 * time.Second
)

// reading is how many packets a flow had at a time, its beginning or later.
type reading struct {
	at     time.Time
	late   time.Duration // how long before packets may have been sent that are counted after it
	fwd    uint64
	paired [2]uint64 // how many of them are counted for the pair
}

// loads follow how much flows carry, and whether anything comes back.
type loads struct {
	flows *window[flowKey, reading]
	pairs *window[pair, uint64]
}

func newLoads() *loads {
	return &loads{flows: newWindow[flowKey, reading](loadSpan), pairs: newWindow[pair, uint64](loadSpan)}
}

// add takes a finding that tells packets. It returns how many packets a second, at least, the flow carried forward in the last
// second or some seconds, 0 when the destination answers its source, in this flow or in others: that is no flood, but a tunnel or a call.
func (l *loads) add(now time.Time, a *mlids.Alert) float64 {
	if a.FwdPackets == 0 && a.BwdPackets == 0 {
		return 0
	}
	key := flowKey{a.Src, a.Dst, a.SrcPort, a.DstPort, a.Proto, a.Verdict.Model}
	current, before := l.flows.at(now, key)
	if current == nil {
		return 0
	}
	if current.at.IsZero() {
		*current = reading{at: a.Start}
		if before != nil {
			*current = *before
		}
	}
	if a.FwdPackets < current.fwd || a.End.Before(current.at) { // the next flow of these ports
		*current = reading{at: a.Start, late: lump}
	}
	l.pair(now, pair{a.Src, a.Dst}, a.FwdPackets, &current.paired[0])
	l.pair(now, pair{a.Dst, a.Src}, a.BwdPackets, &current.paired[1])
	span := a.End.Sub(current.at)
	rate := float64(a.FwdPackets-current.fwd) / max(span+current.late, time.Second).Seconds()
	if span >= renewal {
		current.at, current.late, current.fwd = a.End, lump, a.FwdPackets
	}
	if l.of(now, pair{a.Dst, a.Src})*answered >= l.of(now, pair{a.Src, a.Dst}) {
		return 0
	}
	return rate
}

// pair counts what a flow carried more than counted says.
func (l *loads) pair(now time.Time, of pair, packets uint64, counted *uint64) {
	if packets <= *counted {
		return
	}
	if current, _ := l.pairs.at(now, of); current != nil {
		*current += packets - *counted
	}
	*counted = packets
}

// of is how many packets a pair had lately, one way.
func (l *loads) of(now time.Time, p pair) (n uint64) {
	current, before := l.pairs.peek(now, p)
	for _, some := range []*uint64{current, before} {
		if some != nil {
			n += *some
		}
	}
	return n
}
