package flow

import "mlids"

// tcp is a handler's view of one connection (RFC 9293, section 3.3.2), for tests of what a table makes of each Action. The
// zero value is a connection of which nothing has been seen.
type tcp struct {
	fin  [2]uint32 // sequence number behind each side's FIN
	isn  uint32    // of the SYN
	bits tcpBits
}

type tcpBits uint8

const (
	sawSYN tcpBits = 1 << iota
	finFwd         // FIN seen from the opener, and from the other side
	finBwd
	ackedFwd // ... and acknowledged
	ackedBwd
	sawRST
)

// Add takes the next packet. It answers CloseFIN when both FINs are acknowledged or for a reset, Reopen for a SYN that begins
// a new connection, and else Keep. After a close it goes on, so that a handler may keep the flow for late
// packets.
func (t *tcp) Add(p *mlids.Packet, fwd bool) Action {
	if p.Flags&(mlids.SYN|mlids.ACK) == mlids.SYN && t.reopens(p) {
		return Reopen
	}
	t.note(p, fwd)
	switch {
	case p.Flags.Has(mlids.RST):
		t.bits |= sawRST
		return CloseFIN
	case t.closed():
		return CloseFIN
	}
	return Keep
}

// reopens reports whether a lone SYN begins another connection: one of them is over, and this is not its own SYN again.
func (t *tcp) reopens(p *mlids.Packet) bool {
	over := t.bits&(finFwd|finBwd|sawRST) != 0
	return over && (t.bits&sawSYN == 0 || p.Seq != t.isn)
}

func (t *tcp) note(p *mlids.Packet, fwd bool) {
	i, mine, acked, theirs := 0, finFwd, ackedBwd, finBwd
	if !fwd {
		i, mine, acked, theirs = 1, finBwd, ackedFwd, finFwd
	}
	if p.Flags&(mlids.SYN|mlids.ACK) == mlids.SYN {
		t.isn = p.Seq
		t.bits |= sawSYN
	}
	if p.Flags.Has(mlids.ACK) && t.bits&theirs != 0 && int32(p.Ack-t.fin[1-i]) >= 0 {
		t.bits |= acked
	}
	if p.Flags.Has(mlids.FIN) {
		t.fin[i] = p.Seq + p.PayloadLen + 1
		t.bits |= mine
	}
}

// closed reports whether both sides have closed and acknowledged it.
func (t *tcp) closed() bool { return t.bits&(ackedFwd|ackedBwd) == ackedFwd|ackedBwd }
