package kdd99

import "mlids"

// Flag is how a connection ended, the column flag: the states of Bro (Paxson, Bro: A System for Detecting Network
// Intruders in Real-Time, Computer Networks 31, 1999) of which the data have eleven.
type Flag uint8

// The flags in the schema's order.
const (
	OTH    Flag = iota // no SYN seen
	REJ                // SYN answered by RST
	RSTO               // established, reset by the originator
	RSTOS0             // SYN, then RST by the originator, no answer seen
	RSTR               // reset by the responder; also where only the responder's SYN-ACK was seen (Zeek's RSTRH)
	S0                 // SYN without answer
	S1                 // established, not closed
	S2                 // closed by the originator only
	S3                 // closed by the responder only
	SF                 // established and closed by both; every UDP and ICMP connection
	SH                 // SYN and FIN without answer; also the responder's SYN-ACK and FIN alone (Zeek's SHR)
)

var flagNames = [...]string{"OTH", "REJ", "RSTO", "RSTOS0", "RSTR", "S0", "S1", "S2", "S3", "SF", "SH"}

// String is the flag as the data spell it.
func (f Flag) String() string {
	if int(f) < len(flagNames) {
		return flagNames[f]
	}
	return "OTH"
}

// end is what one side of a TCP connection has shown of its state.
type end uint8

const (
	inactive end = iota // silent
	synSent
	synAckSent
	partial // talks, but no SYN was seen
	established
	closed
	reset
)

// quiet reports whether a side has not taken part in a handshake.
func (e end) quiet() bool { return e == inactive || e == partial }

// tcpState follows both ends, the originator at 0, by the transitions of Bro's TCP analyzer.
type tcpState struct {
	is, was [2]end
}

// add takes the flags of a packet from side i.
func (s *tcpState) add(i int, flags mlids.TCPFlags, payload bool) {
	switch s.is[i] {
	case inactive:
		s.first(i, flags, payload)
	case synSent, synAckSent:
		s.opening(i, flags)
	case partial, established:
		s.open(i, flags)
	case closed:
		if flags.Has(mlids.RST) && s.is[1-i] != closed {
			s.set(i, reset)
		}
	}
}

// first is the first packet of a side.
func (s *tcpState) first(i int, flags mlids.TCPFlags, payload bool) {
	peer := s.is[1-i]
	switch {
	case flags.Has(mlids.RST):
		s.set(i, reset)
	case flags.Has(mlids.FIN):
		s.set(i, closed)
	case flags.Has(mlids.SYN) && i == 0 && flags.Has(mlids.ACK):
		s.set(i, synAckSent)
	case flags.Has(mlids.SYN) && i == 0:
		s.set(i, synSent)
	case flags.Has(mlids.SYN):
		if peer == synSent {
			s.set(0, established)
		}
		s.set(i, established)
	case i == 1 && !payload && peer == synSent: // some acknowledge a SYN before they answer it
	case flags.Has(mlids.ACK) && peer == established:
		s.set(i, established)
	default:
		s.set(i, partial)
	}
}

func (s *tcpState) opening(i int, flags mlids.TCPFlags) {
	switch {
	case flags.Has(mlids.RST):
		s.set(i, reset)
	case flags.Has(mlids.FIN):
		s.set(i, closed)
	}
}

func (s *tcpState) open(i int, flags mlids.TCPFlags) {
	switch {
	case flags.Has(mlids.RST):
		s.set(i, reset)
	case flags.Has(mlids.FIN):
		s.set(i, closed)
		if s.is[1-i] == reset && s.was[1-i] == closed { // its reset came after its FIN: a normal end
			s.set(1-i, closed)
		}
	case s.is[i] == partial && s.is[1-i] == inactive && flags&(mlids.SYN|mlids.ACK) == mlids.SYN:
		s.set(i, synSent)
	}
}

func (s *tcpState) set(i int, e end) { s.is[i], s.was[i] = e, s.is[i] }

// over reports whether nothing of interest can follow: both sides have closed, or one has reset.
func (s *tcpState) over() bool {
	o, r := s.is[0], s.is[1]
	return o == reset || r == reset || o == closed && r == closed
}

// attempt reports whether the originator's SYN is all there is.
func (s *tcpState) attempt() bool {
	return (s.is[0] == synSent || s.is[0] == synAckSent) && s.is[1] == inactive
}

// flag is the state as the data name it; silent says that neither side sent payload.
func (s *tcpState) flag(silent bool) Flag {
	o, r := s.is[0], s.is[1]
	switch {
	case r == reset && (o == synSent || o == synAckSent || o == reset && silent):
		return REJ
	case r == reset:
		return RSTR
	case o == reset && r.quiet():
		return RSTOS0
	case o == reset:
		return RSTO
	case o == closed && r == closed:
		return SF
	case o == closed && r.quiet(), r == closed && o.quiet():
		return SH
	case o == closed:
		return S2
	case r == closed:
		return S3
	case o == synSent && r == inactive:
		return S0
	case o == established && r == established:
		return S1
	}
	return OTH
}
