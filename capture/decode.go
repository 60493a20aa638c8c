package capture

import (
	"encoding/binary"

	"mlids"
)

// DecoderConfig says what a decoder does beyond finding the headers.
type DecoderConfig struct {
	Decapsulate bool // look into one level of IP-in-IP, 6in4, GRE, GTP-U, VXLAN and Teredo; else the outer packet counts
	Checksums   bool // verify checksums; in files, one's own outgoing traffic fails where the card computes them
	HeadersOnly bool // packets get no payload, so that a file that is read ahead stays in few buffers
}

// Decoder finds the headers of frames. It belongs to one goroutine; it remembers the ports of fragmented packets.
type Decoder struct {
	cfg       DecoderConfig
	counters  Counters
	fragments fragments
	sums      bool // verify the transport checksum of the frame being decoded
}

// NewDecoder makes a decoder.
func NewDecoder(cfg DecoderConfig) *Decoder { return &Decoder{cfg: cfg} }

// Counters is what the decoder has seen so far. To be called by the goroutine that decodes.
func (d *Decoder) Counters() Counters { return d.counters }

// Decode fills p from f and counts it. It returns Decoded, or why there is no IP packet to use in f: p then holds what
// was found before that.
func (d *Decoder) Decode(f *Frame, p *mlids.Packet) Reason {
	*p = mlids.Packet{} // as a literal with its fields it would be built elsewhere and copied
	p.Time, p.WireLen, p.CaptureLen = f.Time, f.WireLen, uint32(len(f.Data))
	p.Ingress, p.Unseen = f.Ingress, f.Unseen
	s := span{f.Data, int(max(f.WireLen, uint32(len(f.Data))))}
	d.sums = d.cfg.Checksums && !f.Unready
	var reason Reason
	if f.Link == LinkEthernet {
		reason = d.ethernet(s, p)
	} else {
		reason = d.link(f.Link, s, p)
	}
	if d.cfg.Decapsulate && reason == Decoded && !p.Fragment {
		d.decapsulate(p)
	}
	if d.cfg.HeadersOnly {
		p.Payload = nil
	}
	d.counters.count(p, reason)
	return reason
}

// span is a piece of a frame: the captured bytes, and how many there were on the wire (or by the header around it).
type span struct {
	b    []byte
	wire int
}

// skip is s without its first n bytes, n at most s.wire.
func (s span) skip(n int) span { return span{s.b[min(n, len(s.b)):], s.wire - n} }

// limit is the first n bytes of s, where a header says that there are n.
func (s span) limit(n int) span { return span{s.b[:min(n, len(s.b))], n} }

// lacks is the reason for a header of n bytes not being in s.
func (s span) lacks(n int) Reason {
	if s.wire < n {
		return BadLength
	}
	return TruncatedHeader
}

// be16 and be32 read numbers in network order.
func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// setAddr4 is *a = mlids.AddrFrom4(b), written in place and in two words: an address put together byte by byte elsewhere would
// be copied only once all earlier writes have reached the cache, which is far when another core had the packet last.
func setAddr4(a *mlids.Addr, b []byte) {
	binary.LittleEndian.PutUint64(a[:8], 0)
	binary.LittleEndian.PutUint64(a[8:], uint64(binary.LittleEndian.Uint32(b))<<32|0xffff0000)
}

// ipv4 reads an IPv4 packet (RFC 791).
func (d *Decoder) ipv4(s span, p *mlids.Packet) Reason {
	b := s.b
	if len(b) < 20 {
		return s.lacks(20)
	}
	header, total := int(b[0]&15)*4, int(be16(b[2:]))
	if b[0]>>4 != 4 {
		return BadVersion
	}
	if total == 0 {
		total = s.wire // left to the network card by segmentation offload
	}
	if header < 20 || header > total {
		return BadLength
	}
	if header > len(b) {
		return s.lacks(header)
	}
	p.BadLength = p.BadLength || total > s.wire
	setAddr4(&p.Src, b[12:])
	setAddr4(&p.Dst, b[16:])
	p.TTL, p.Proto = b[8], b[9]
	p.IPLen, p.IPHeader = uint32(total), uint16(header)
	if d.cfg.Checksums && sum(0, b[:header]) != 0xffff {
		p.BadChecksum = true
	}
	rest := s.limit(total).skip(header)
	place := be16(b[6:])
	if place&0x3fff == 0 { // neither an offset nor more to come
		return d.transport(rest, p)
	}
	key := fragmentKey{p.Src, p.Dst, uint32(be16(b[4:])), p.Proto}
	p.Fragment, p.FirstFrag, p.FragOffset = true, place&0x1fff == 0, place&0x1fff
	if !p.FirstFrag {
		return d.fragments.later(key, rest, p)
	}
	return d.fragments.first(key, p, d.transport(rest, p))
}

// transport reads the header behind the IP headers. What has no ports is decoded, too: its payload is all of it.
func (d *Decoder) transport(s span, p *mlids.Packet) Reason {
	reason, header := Decoded, 0
	switch p.Proto {
	case mlids.ProtoTCP:
		reason, header = tcp(s, p)
	case mlids.ProtoUDP:
		reason, header = udp(s, p)
	case mlids.ProtoICMP:
		reason, header = icmp(s, p, icmpHasID)
	case mlids.ProtoICMPv6:
		reason, header = icmp(s, p, icmp6HasID)
	case mlids.ProtoSCTP:
		reason, header = sctp(s, p)
	}
	if reason != Decoded {
		return reason
	}
	if d.sums && !p.Fragment && len(s.b) == s.wire {
		p.BadChecksum = p.BadChecksum || !transportSum(s.b, p)
	}
	rest := s.skip(header)
	p.Header, p.PayloadLen, p.Payload = uint16(header), uint32(rest.wire), rest.b
	return Decoded
}

// tcp reads a TCP header (RFC 9293).
func tcp(s span, p *mlids.Packet) (Reason, int) {
	b := s.b
	if len(b) < 20 {
		return s.lacks(20), 0
	}
	header := int(b[12]>>4) * 4
	if header < 20 || header > s.wire {
		return BadLength, 0
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	p.Seq, p.Ack = be32(b[4:]), be32(b[8:])
	p.Flags, p.Window, p.Urgent = mlids.TCPFlags(b[13]), be16(b[14:]), be16(b[18:])
	return Decoded, header
}

// udp reads a UDP header (RFC 768). A length of 0 stands for what the IP header says (RFC 2675, offload).
func udp(s span, p *mlids.Packet) (Reason, int) {
	b := s.b
	if len(b) < 8 {
		return s.lacks(8), 0
	}
	p.SrcPort, p.DstPort = be16(b), be16(b[2:])
	if size := int(be16(b[4:])); size != 0 && (size < 8 || size > s.wire && !p.Fragment) {
		p.BadLength = true
	}
	return Decoded, 8
}

// sctp reads an SCTP common header (RFC 9260).
func sctp(s span, p *mlids.Packet) (Reason, int) {
	if len(s.b) < 12 {
		return s.lacks(12), 0
	}
	p.SrcPort, p.DstPort = be16(s.b), be16(s.b[2:])
	return Decoded, 12
}

// The message types that carry an identifier (RFC 792, RFC 950; RFC 4443).
const (
	icmpHasID  = 1<<0 | 1<<8 | 1<<13 | 1<<14 | 1<<15 | 1<<16 | 1<<17 | 1<<18
	icmp6First = 128 // echo request; the reply is 129
	icmp6HasID = 0
)

// icmp reads an ICMP header. Of a message shorter than the usual 8 bytes, type and code are enough.
func icmp(s span, p *mlids.Packet, hasID uint32) (Reason, int) {
	b := s.b
	if len(b) < 4 {
		return s.lacks(4), 0
	}
	p.ICMPType, p.ICMPCode = b[0], b[1]
	echo6 := p.Proto == mlids.ProtoICMPv6 && p.ICMPType&^1 == icmp6First
	if len(b) >= 8 && (echo6 || p.ICMPType < 32 && hasID>>p.ICMPType&1 != 0) {
		p.ICMPID = be16(b[4:])
	}
	return Decoded, min(8, s.wire)
}
