package kdd99

import (
	"mlids"
	"mlids/flow"
)

// conn is what is remembered of an open connection. It has no pointers: text is the number of its inspector.
type conn struct {
	number   uint64 // in the history
	streams  [2]stream
	isn      uint32 // of the originator's SYN
	text     int32
	fragment uint32 // where the packet's last fragment ended, bytes
	wrong    uint32
	urgent   uint32
	tcp      tcpState
	service  Service
	failure  uint8
	shown    [2]bool // the first payload of this side has been looked at
	frozen   bool    // failures are final
	failures failures
	place    place
}

// silent reports whether neither side sent payload.
func (c *conn) silent() bool { return c.streams[0].bytes == 0 && c.streams[1].bytes == 0 }

// failing is how windows count the connection while it goes on: a SYN not yet answered as an error, all else as none.
func (c *conn) failing(onlyRejected bool) uint8 {
	switch {
	case c.tcp.attempt():
		return synError
	case c.tcp.over():
		return failureOf(c.tcp.flag(c.silent()), onlyRejected)
	}
	return noError
}

// failureOf says which error a flag is.
func failureOf(f Flag, onlyRejected bool) uint8 {
	switch f {
	case S0, S1, S2, S3:
		return synError
	case REJ:
		return rejError
	case SH:
		if !onlyRejected {
			return synError
		}
	case RSTO, RSTR, RSTOS0:
		if !onlyRejected {
			return rejError
		}
	}
	return noError
}

// Begin takes the first packet of a connection. It is for package flow to call.
func (x *conns) Begin(f, _ *flow.Flow[conn], p *mlids.Packet) {
	c := &f.State
	c.service = x.services.of(p)
	c.isn = p.Seq
	c.number = x.begin(p, c.service)
	if x.gure == nil {
		c.place = x.slides.begin(x.history)
	}
	x.packet(c, p, 0)
}

// Add takes a further packet. It is for package flow to call.
func (x *conns) Add(f *flow.Flow[conn], p *mlids.Packet, fwd bool) flow.Action {
	c := &f.State
	if x.reopens(c, p) {
		return flow.Reopen
	}
	if !c.frozen && x.gure == nil && x.history.begun-c.number > uint64(x.history.bound)/2 {
		c.failures, c.frozen = x.history.failures(c.number, &c.place), true // before the history forgets it
	}
	side := 1
	if fwd {
		side = 0
	}
	x.packet(c, p, side)
	return flow.Keep
}

// reopens reports whether p begins another connection: a SYN after the last one is over, the next message of fragmented
// ICMP.
func (x *conns) reopens(c *conn, p *mlids.Packet) bool {
	if p.Proto != mlids.ProtoTCP {
		return p.Proto != mlids.ProtoUDP && (!p.Fragment || p.FirstFrag)
	}
	return p.Flags&(mlids.SYN|mlids.ACK) == mlids.SYN && (c.tcp.over() || c.tcp.is[0] == closed) && p.Seq != c.isn
}

// packet adds a packet of side i.
func (x *conns) packet(c *conn, p *mlids.Packet, i int) {
	wrong := c.wrongFragment(p)
	if wrong {
		c.wrong++
	}
	if p.BadChecksum || wrong && !p.FirstFrag { // whom it was sent to drops it, too
		return
	}
	if p.Proto != mlids.ProtoTCP {
		c.datagram(p, i)
		return
	}
	if p.Fragment && !p.FirstFrag {
		return // its bytes are in the sequence numbers of what follows
	}
	if p.Flags.Has(mlids.URG) {
		c.urgent++
	}
	c.tcp.add(i, p.Flags, p.PayloadLen > 0)
	fresh, hole := c.streams[i].add(p)
	if len(fresh) > 0 {
		x.read(c, i, fresh, hole)
	}
	if failing := c.failing(x.rules.OnlyRejected); failing != c.failure {
		c.failure = failing
		x.history.mark(c.number, failing)
	}
}

// datagram counts what follows the UDP header; of ICMP everything behind the IP header. Later fragments of ICMP are not
// counted: the data have 1,480 bytes for the attack pod.
func (c *conn) datagram(p *mlids.Packet, i int) {
	switch {
	case p.Proto == mlids.ProtoUDP:
		c.streams[i].bytes += uint64(p.PayloadLen) * uint64(max(p.Unseen, 1))
	case !p.Fragment || p.FirstFrag:
		c.streams[i].bytes += uint64(p.Header) + uint64(p.PayloadLen)
	}
}

// maxDatagram is the longest payload of an IPv4 packet without options.
const maxDatagram = 65515

// wrongFragment reports whether p is damaged: a wrong checksum or length, or a fragment that overlaps the one before it
// or reaches beyond the longest packet (the attacks teardrop and pod).
func (c *conn) wrongFragment(p *mlids.Packet) bool {
	if !p.Fragment {
		return p.BadChecksum
	}
	from := uint32(p.FragOffset) * 8
	to := from + uint32(p.Header) + p.PayloadLen
	if p.FirstFrag {
		c.fragment = to
		return p.BadLength || p.BadChecksum
	}
	wrong := from < c.fragment || to > maxDatagram
	c.fragment = to
	return wrong || p.BadLength || p.BadChecksum
}

// read looks at text, where the service has any.
func (x *conns) read(c *conn, i int, payload []byte, hole bool) {
	if !c.shown[i] {
		c.shown[i] = true
		if c.service == Other || c.service == Private {
			if s, ok := shown(payload, i == 1); ok {
				c.service = s
			}
		}
	}
	d := dialogOf(c.service)
	if d == noDialog {
		return
	}
	if c.text == 0 {
		c.text = x.inspectors.take(d)
	}
	if c.text != 0 {
		x.inspectors.at(c.text).add(i, payload, hole)
	}
}
