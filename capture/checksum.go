package capture

import (
	"encoding/binary"

	"mlids"
)

// sum adds b to a one's complement sum of 16-bit words (RFC 1071), folded; 0xffff is what a correct checksum gives.
func sum(start uint32, b []byte) uint16 {
	total := uint64(start)
	for ; len(b) >= 4; b = b[4:] {
		total += uint64(binary.BigEndian.Uint32(b))
	}
	if len(b) >= 2 {
		total += uint64(be16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		total += uint64(b[0]) << 8
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

// transportSum reports whether the checksum of a whole TCP, UDP, ICMP or ICMPv6 message b is right. Others, and UDP
// without one, count as right.
func transportSum(b []byte, p *mlids.Packet) bool {
	switch p.Proto {
	case mlids.ProtoICMP:
		return sum(0, b) == 0xffff
	case mlids.ProtoUDP:
		if be16(b[6:]) == 0 {
			return true
		}
		if size := int(be16(b[4:])); size >= 8 && size <= len(b) {
			b = b[:size]
		}
	case mlids.ProtoTCP, mlids.ProtoICMPv6:
	default:
		return true
	}
	return sum(pseudoHeader(p, len(b)), b) == 0xffff
}

// pseudoHeader is the sum of the addresses, protocol and length that the checksum covers too.
func pseudoHeader(p *mlids.Packet, size int) uint32 {
	src, dst := p.Src[:], p.Dst[:]
	if p.Src.Is4() && p.Dst.Is4() {
		src, dst = src[12:], dst[12:]
	}
	return uint32(sum(0, src)) + uint32(sum(0, dst)) + uint32(p.Proto) + uint32(size>>16) + uint32(size&0xffff)
}
