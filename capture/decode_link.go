package capture

import (
	"encoding/binary"

	"mlids"
)

// The EtherTypes that lead to IP, and those that certainly do not (IANA, IEEE 802 numbers).
const (
	etherIPv4     = 0x0800
	etherARP      = 0x0806
	etherRARP     = 0x8035
	etherVLAN     = 0x8100 // 802.1Q
	etherIPv6     = 0x86dd
	etherMPLS     = 0x8847
	etherMPLSMany = 0x8848 // multicast, or upstream-assigned labels (RFC 5332)
	etherPPPoE    = 0x8864 // session stage (RFC 2516)
	etherService  = 0x88a8 // 802.1ad
	etherQinQ     = 0x9100 // its spelling before the standard
	etherLLC      = 0x0600 // smaller values are lengths (802.3) or, in cooked captures, kinds of 802.x frames
)

// maxTags bounds the VLAN tags in a frame, maxLabels its MPLS labels.
const (
	maxTags   = 8
	maxLabels = 16
)

// link finds the network layer of a frame that is not Ethernet.
func (d *Decoder) link(link LinkType, s span, p *mlids.Packet) Reason {
	switch link {
	case LinkRaw, LinkRawBSD, LinkRawOpen:
		return d.ip(s, p)
	case LinkIPv4:
		return d.ipv4(s, p)
	case LinkIPv6:
		return d.ipv6(s, p)
	case LinkNull, LinkLoop:
		return d.loopback(s, p)
	case LinkSLL:
		if len(s.b) < linkSLLSize {
			return s.lacks(linkSLLSize)
		}
		return d.etherType(be16(s.b[14:]), s.skip(linkSLLSize), p)
	case LinkSLL2:
		if len(s.b) < linkSLL2Size {
			return s.lacks(linkSLL2Size)
		}
		return d.etherType(be16(s.b), s.skip(linkSLL2Size), p)
	default:
		return UnknownLink
	}
}

// loopback reads the address family in front of BSD loopback frames, whichever byte order the capturing host had: the
// numbers for IPv6 differ between systems, so the version field decides.
func (d *Decoder) loopback(s span, p *mlids.Packet) Reason {
	if len(s.b) < linkNullSize {
		return s.lacks(linkNullSize)
	}
	family := be32(s.b)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(s.b)
	}
	switch family {
	case 2, 10, 24, 28, 30: // AF_INET; AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS
		return d.ip(s.skip(linkNullSize), p)
	}
	return NotIP
}

// ip reads an IP packet of either version.
func (d *Decoder) ip(s span, p *mlids.Packet) Reason {
	if len(s.b) == 0 {
		return s.lacks(1)
	}
	switch s.b[0] >> 4 {
	case 4:
		return d.ipv4(s, p)
	case 6:
		return d.ipv6(s, p)
	}
	return BadVersion
}

func (d *Decoder) ethernet(s span, p *mlids.Packet) Reason {
	if len(s.b) < etherSize {
		return s.lacks(etherSize)
	}
	return d.etherType(be16(s.b[12:]), s.skip(etherSize), p)
}

// etherType reads what an EtherType announces, through VLAN tags.
func (d *Decoder) etherType(kind uint16, s span, p *mlids.Packet) Reason {
	for range maxTags {
		switch kind {
		case etherIPv4:
			return d.ipv4(s, p)
		case etherIPv6:
			return d.ipv6(s, p)
		case etherVLAN, etherService, etherQinQ:
			if len(s.b) < 4 {
				return s.lacks(4)
			}
			if p.VLAN == 0 {
				p.VLAN = be16(s.b) & 0xfff
			}
			kind, s = be16(s.b[2:]), s.skip(4)
		case etherMPLS, etherMPLSMany:
			return d.mpls(s, p)
		case etherPPPoE:
			return d.pppoe(s, p)
		case etherARP, etherRARP:
			return ARP
		default:
			if kind < etherLLC {
				return LLC
			}
			return NotIP
		}
	}
	return Nested
}

// mpls skips a label stack (RFC 3032). What is behind it the labels do not say: IP by its version, or an Ethernet
// pseudowire by its control word (RFC 4385).
func (d *Decoder) mpls(s span, p *mlids.Packet) Reason {
	for range maxLabels {
		if len(s.b) < 4 {
			return s.lacks(4)
		}
		bottom := s.b[2]&1 != 0
		if s = s.skip(4); !bottom {
			continue
		}
		if len(s.b) >= 4 && s.b[0]>>4 == 0 {
			return d.ethernet(s.skip(4), p)
		}
		if reason := d.ip(s, p); reason != BadVersion {
			return reason
		}
		return NotIP
	}
	return Nested
}

// pppoe reads a PPP session frame (RFC 2516) that carries IP.
func (d *Decoder) pppoe(s span, p *mlids.Packet) Reason {
	if len(s.b) < 8 {
		return s.lacks(8)
	}
	switch be16(s.b[6:]) {
	case 0x0021:
		return d.ipv4(s.skip(8), p)
	case 0x0057:
		return d.ipv6(s.skip(8), p)
	}
	return NotIP
}
