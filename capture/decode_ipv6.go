package capture

import "mlids"

// The extension headers that may stand in front of the payload (IANA, IPv6 extension header types).
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = 44
	extAuth        = 51
	extNone        = 59
	extDestination = 60
	extMobility    = 135
	extHIP         = 139
	extShim6       = 140
)

const (
	ipv6Header    = 40
	maxExtensions = 12
)

// ipv6 reads an IPv6 packet (RFC 8200).
func (d *Decoder) ipv6(s span, p *mlids.Packet) Reason {
	b := s.b
	if len(b) < ipv6Header {
		return s.lacks(ipv6Header)
	}
	if b[0]>>4 != 6 {
		return BadVersion
	}
	next, total := b[6], ipv6Header+int(be16(b[4:]))
	if total == ipv6Header && next != extNone {
		total = jumbo(s, next)
	}
	p.BadLength = p.BadLength || total > s.wire
	p.Src, p.Dst = mlids.Addr(b[8:]), mlids.Addr(b[24:])
	p.TTL, p.Proto = b[7], next
	p.IPLen, p.IPHeader = uint32(total), ipv6Header
	return d.extensions(s.limit(total).skip(ipv6Header), p)
}

// jumbo is the length of a packet whose header says 0: what a jumbo payload option says (RFC 2675), else all of the
// frame, as segmentation offload leaves it.
func jumbo(s span, next byte) int {
	const option, optionLen = 0xc2, 4
	b := s.b[ipv6Header:]
	if next == extHopByHop && len(b) >= 8 && b[2] == option && b[3] == optionLen {
		if size := int64(be32(b[4:])) + ipv6Header; size > ipv6Header+0xffff && size <= MaxFrame {
			return int(size)
		}
	}
	return max(s.wire, ipv6Header)
}

// extensions follows the chain of extension headers to the transport header, a fragment or what cannot be read.
func (d *Decoder) extensions(s span, p *mlids.Packet) Reason {
	for range maxExtensions {
		header, kind := s.b, p.Proto
		if !isExtension(kind) {
			return d.transport(s, p)
		}
		if len(header) < 8 {
			return s.lacks(8)
		}
		size := extensionSize(kind, header)
		if size > s.wire {
			return BadLength
		}
		p.Proto = header[0]
		p.IPHeader += uint16(size)
		s = s.skip(size)
		if kind != extFragment || be16(header[2:])&0xfff9 == 0 { // an atomic fragment (RFC 6946) is whole
			continue
		}
		if p.Fragment {
			return Nested
		}
		return d.fragment6(header, s, p)
	}
	return Nested
}

// fragment6 reads what is behind a fragment header.
func (d *Decoder) fragment6(header []byte, s span, p *mlids.Packet) Reason {
	key := fragmentKey{p.Src, p.Dst, be32(header[4:]), header[0]}
	p.Fragment, p.FragOffset = true, be16(header[2:])>>3
	p.FirstFrag = p.FragOffset == 0
	if !p.FirstFrag {
		return d.fragments.later(key, s, p)
	}
	return d.fragments.first(key, p, d.extensions(s, p))
}

// isExtension reports whether a next header is one of those that lead on to another.
func isExtension(kind byte) bool {
	switch kind {
	case extHopByHop, extRouting, extDestination, extMobility, extHIP, extShim6, extAuth, extFragment:
		return true
	}
	return false
}

// extensionSize is the length of an extension header in bytes: in units of 8 without the first, except where the
// fragment header (fixed) and the authentication header (RFC 4302, units of 4) have it otherwise.
func extensionSize(kind byte, b []byte) int {
	switch kind {
	case extFragment:
		return 8
	case extAuth:
		return int(b[1])*4 + 8
	default:
		return int(b[1])*8 + 8
	}
}
