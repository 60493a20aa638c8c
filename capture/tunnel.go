package capture

import "mlids"

// IP protocol numbers and UDP ports of tunnels (IANA).
const (
	protoIPIP = 4
	proto6in4 = 41
	protoGRE  = 47

	portGTP    = 2152
	portTeredo = 3544
	portVXLAN  = 4789
	portVXLAN0 = 8472 // what Linux used before IANA chose
)

// decapsulate puts the packet inside a tunnel in the place of p. A payload that only looks like a tunnel by its port
// leaves p as it was.
func (d *Decoder) decapsulate(p *mlids.Packet) {
	inner := mlids.Packet{Time: p.Time, WireLen: p.WireLen, CaptureLen: p.CaptureLen}
	if d.inner(p, &inner) != Decoded {
		return
	}
	if p.VLAN != 0 {
		inner.VLAN = p.VLAN
	}
	d.counters.Tunnelled++
	*p = inner
}

// inner reads the packet inside outer. It returns NotIP when outer is no tunnel.
func (d *Decoder) inner(outer, in *mlids.Packet) Reason {
	s := span{outer.Payload, int(outer.PayloadLen)}
	switch outer.Proto {
	case protoIPIP:
		return d.ipv4(s, in)
	case proto6in4:
		return d.ipv6(s, in)
	case protoGRE:
		return d.gre(s, in)
	case mlids.ProtoUDP:
		switch {
		case outer.DstPort == portGTP || outer.SrcPort == portGTP:
			return d.gtp(s, in)
		case outer.DstPort == portVXLAN || outer.DstPort == portVXLAN0:
			return d.vxlan(s, in)
		case outer.DstPort == portTeredo || outer.SrcPort == portTeredo:
			return d.teredo(s, in)
		}
	}
	return NotIP
}

// gre reads GRE (RFC 2784, RFC 2890) and its PPTP variant (RFC 2637).
func (d *Decoder) gre(s span, in *mlids.Packet) Reason {
	if len(s.b) < 4 {
		return s.lacks(4)
	}
	flags, kind := be16(s.b), be16(s.b[2:])
	header := 4
	for _, flag := range [...]uint16{0x8000, 0x2000, 0x1000} { // checksum, key, sequence number
		if flags&flag != 0 {
			header += 4
		}
	}
	version := flags & 7
	if version == 1 && flags&0x0080 != 0 { // acknowledgement number
		header += 4
	}
	if len(s.b) < header || version > 1 || flags&0x4000 != 0 {
		return s.lacks(header)
	}
	switch s = s.skip(header); kind {
	case 0x6558: // transparent Ethernet bridging
		return d.ethernet(s, in)
	case 0x880b:
		return d.ppp(s, in)
	case 0x88be: // ERSPAN: 8 more bytes in type II, which has a sequence number
		if flags&0x1000 != 0 && len(s.b) >= 8 {
			s = s.skip(8)
		}
		return d.ethernet(s, in)
	}
	return d.etherType(kind, s, in)
}

// ppp reads a PPP frame (RFC 1661), address and control bytes and the protocol's first byte perhaps left out.
func (d *Decoder) ppp(s span, in *mlids.Packet) Reason {
	if len(s.b) >= 2 && s.b[0] == 0xff && s.b[1] == 0x03 {
		s = s.skip(2)
	}
	if len(s.b) > 0 && s.b[0] == 0 {
		s = s.skip(1)
	}
	if len(s.b) < 1 {
		return s.lacks(1)
	}
	switch kind := s.b[0]; kind {
	case 0x21:
		return d.ipv4(s.skip(1), in)
	case 0x57:
		return d.ipv6(s.skip(1), in)
	}
	return NotIP
}

// gtp reads the user plane of GTP version 1 (3GPP TS 29.281).
func (d *Decoder) gtp(s span, in *mlids.Packet) Reason {
	const version1, packet, optional, extension = 0x30, 0xff, 0x07, 0x04
	if len(s.b) < 8 {
		return s.lacks(8)
	}
	flags := s.b[0]
	if flags&0xf0 != version1 || s.b[1] != packet {
		return NotIP
	}
	s = s.skip(8)
	if flags&optional == 0 {
		return d.ip(s, in)
	}
	if len(s.b) < 4 {
		return s.lacks(4)
	}
	next := s.b[3]
	s = s.skip(4)
	for range maxExtensions {
		if flags&extension == 0 || next == 0 {
			return d.ip(s, in)
		}
		if len(s.b) < 4 {
			return s.lacks(4)
		}
		size := int(s.b[0]) * 4
		if size == 0 || size > len(s.b) {
			return s.lacks(max(size, 4))
		}
		next = s.b[size-1]
		s = s.skip(size)
	}
	return Nested
}

// vxlan reads VXLAN (RFC 7348).
func (d *Decoder) vxlan(s span, in *mlids.Packet) Reason {
	if len(s.b) < 8 {
		return s.lacks(8)
	}
	if s.b[0]&0x08 == 0 {
		return NotIP
	}
	return d.ethernet(s.skip(8), in)
}

// teredo reads Teredo (RFC 4380, section 5.1.1): IPv6 behind optional authentication and origin indications.
func (d *Decoder) teredo(s span, in *mlids.Packet) Reason {
	if len(s.b) >= 4 && be16(s.b) == 1 {
		size := 13 + int(s.b[2]) + int(s.b[3])
		if size > len(s.b) {
			return s.lacks(size)
		}
		s = s.skip(size)
	}
	if len(s.b) >= 8 && be16(s.b) == 0 {
		s = s.skip(8)
	}
	return d.ipv6(s, in)
}
