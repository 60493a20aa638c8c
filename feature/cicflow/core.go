package cicflow

import (
	"mlids"
	"mlids/flow"
)

// Times within flows are whole microseconds, as in CICFlowMeter.
const (
	second   = int64(1e6)
	activity = 5 * second // a pause longer than this divides active from idle time
	subflow  = second     // one longer than this divides subflows and bulks
)

// packet is what a packet tells about its flow.
type packet struct {
	now     int64  // µs since the epoch
	payload uint32 // bytes behind the transport header; 0 but for TCP and UDP
	header  uint16 // bytes of the transport header; 0 but for TCP and UDP
	fwd     bool
}

// look reduces p, a packet of the flow with this key, to what counts. The direction goes by the sender's address alone.
func look(p *mlids.Packet, key *mlids.FlowKey) packet {
	k := packet{now: p.Time / 1000, fwd: p.Src == key.Src}
	if ported(key.Proto) {
		k.payload, k.header = p.PayloadLen, p.Header
	}
	return k
}

// protocol is what both tools take a packet for: TCP, UDP, ICMP, or 0 for anything else. The second and later fragments
// of a packet are something else, for they have no transport header.
func protocol(p *mlids.Packet) uint8 {
	if p.Fragment && !p.FirstFrag || !ported(p.Proto) && !icmp(p.Proto) {
		return 0
	}
	return p.Proto
}

func ported(proto uint8) bool { return proto == mlids.ProtoTCP || proto == mlids.ProtoUDP }

// side is what both dialects keep of one direction.
type side struct {
	payload     moments // payload lengths
	iat         moments // times between packets
	first, last int64   // µs
	bytes       uint64  // payload
	pkts        uint32
	header      uint32 // sum of transport headers
	data        uint32 // packets with payload
	headerMin   uint16
	window      uint16
}

// add takes the direction's next packet.
func (s *side) add(p packet) {
	s.pkts++
	s.payload.add(s.pkts, int64(p.payload))
	if s.pkts == 1 {
		s.first = p.now
		s.headerMin = p.header
	} else {
		s.iat.add(s.pkts-1, p.now-s.last)
		s.headerMin = min(s.headerMin, p.header)
	}
	s.last = p.now
	s.bytes += uint64(p.payload)
	s.header += uint32(p.header)
	if p.payload > 0 {
		s.data++
	}
}

// addMany takes n packets like p that went by unseen since the direction's last one, evenly over that time.
func (s *side) addMany(p packet, n uint32) {
	if s.pkts == 0 {
		s.add(p)
		n--
	}
	if n == 0 {
		return
	}
	s.iat.addMany(s.pkts-1, n, float64(p.now-s.last)/float64(n))
	s.payload.addMany(s.pkts, n, float64(p.payload))
	s.headerMin = min(s.headerMin, p.header)
	s.pkts += n
	s.last = p.now
	s.bytes += uint64(n) * uint64(p.payload)
	s.header += n * uint32(p.header)
	if p.payload > 0 {
		s.data += n
	}
}

// core is what both dialects keep of a flow.
type core struct {
	payload                moments // of both directions
	iat                    moments
	first, last            int64 // µs
	activeFrom, activeUpTo int64
	fwd, bwd               side
	active, idle           series

	proto        uint8  // as on the wire
	turned       bool   // the first packet went backward
	sport, dport uint16 // of the first packet, as flow.KeyOf has them
}

// begin takes the flow's first packet. The payload is counted by the dialect.
func (c *core) begin(m *mlids.Packet, p packet) {
	k := flow.KeyOf(m)
	c.proto, c.sport, c.dport, c.turned = m.Proto, k.SrcPort, k.DstPort, !p.fwd
	c.first, c.last, c.activeFrom, c.activeUpTo = p.now, p.now, p.now, p.now
	c.side(p.fwd).add(p)
}

// add takes a further packet.
func (c *core) add(p packet) {
	c.side(p.fwd).add(p)
	c.iat.add(c.packets()-1, p.now-c.last)
	c.last = p.now
}

// addMany takes n packets that went by unseen, see [mlids.Packet]. Flags, bulks, subflows and repeats are those of the
// packets shown.
func (c *core) addMany(p packet, n uint32) {
	c.pause(p.now)
	c.iat.addMany(c.packets()-1, n, float64(p.now-c.last)/float64(n))
	c.payload.addMany(c.packets(), n, float64(p.payload))
	c.side(p.fwd).addMany(p, n)
	c.last = p.now
}

// wire is the flow's key as flow.KeyOf has it: of the first packet.
func (c *core) wire(k mlids.FlowKey) mlids.FlowKey {
	if c.turned {
		k.Src, k.Dst = k.Dst, k.Src
	}
	return mlids.FlowKey{Src: k.Src, Dst: k.Dst, SrcPort: c.sport, DstPort: c.dport, Proto: c.proto}
}

// pause divides active from idle time.
func (c *core) pause(now int64) {
	if now-c.activeUpTo > activity {
		if c.activeUpTo > c.activeFrom {
			c.active.add(c.activeUpTo - c.activeFrom)
		}
		c.idle.add(now - c.activeUpTo)
		c.activeFrom = now
	}
	c.activeUpTo = now
}

func (c *core) side(fwd bool) *side {
	if fwd {
		return &c.fwd
	}
	return &c.bwd
}

func (c *core) packets() uint32 { return c.fwd.pkts + c.bwd.pkts }

func (c *core) duration() int64 { return c.last - c.first }

func icmp(proto uint8) bool { return proto == mlids.ProtoICMP || proto == mlids.ProtoICMPv6 }

// icmpType and icmpCode are those of an ICMP flow's first packet.
func (c *core) icmpType() uint8 { return uint8(c.sport >> 8) }
func (c *core) icmpCode() uint8 { return uint8(c.sport) }
