package mlids

import (
	"fmt"
	"net/netip"
)

// Addr is an IPv6 address, or an IPv4 address in its mapped form (::ffff:a.b.c.d), without pointers: flow tables hold
// millions of them.
type Addr [16]byte

// v4Prefix marks an IPv4 address inside an Addr (RFC 4291, section 2.5.5.2).
const v4Prefix = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff"

// AddrFrom4 is the mapped form of an IPv4 address.
func AddrFrom4(b [4]byte) Addr {
	return Addr{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
}

// Is4 reports whether a is an IPv4 address.
func (a Addr) Is4() bool { return string(a[:12]) == v4Prefix }

// Netip is a as the standard library has it, IPv4 unmapped.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// String is the usual spelling: dotted for IPv4, RFC 5952 for IPv6.
func (a Addr) String() string { return a.Netip().String() }

// IP protocol numbers (IANA) that mlids tells apart.
const (
	ProtoICMP   = 1
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoICMPv6 = 58
	ProtoSCTP   = 132
)

// TCPFlags are the control bits of a TCP header (RFC 9293, section 3.1), in wire order.
type TCPFlags uint8

// The control bits of TCP.
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// Has reports whether all bits of f are set.
func (t TCPFlags) Has(f TCPFlags) bool { return t&f == f }

// Packet is what the decoder finds in one frame. It holds no copy: Payload points into the reader's buffer and is valid
// until the next packet is read. Fields that a protocol lacks are zero.
type Packet struct {
	Time       int64 // nanoseconds since the Unix epoch
	WireLen    uint32
	CaptureLen uint32 // bytes of the frame that the capture kept, at most WireLen

	Src, Dst         Addr
	SrcPort, DstPort uint16 // TCP, UDP, SCTP
	Proto            uint8  // IP protocol number of the payload, after IPv6 extension headers
	TTL              uint8  // hop limit in IPv6
	VLAN             uint16 // outermost VLAN id, 0 when untagged

	Flags  TCPFlags
	Window uint16 // TCP window as sent, unscaled
	Seq    uint32
	Ack    uint32
	Urgent uint16 // TCP urgent pointer

	ICMPType, ICMPCode uint8
	ICMPID             uint16 // identifier of an echo, time stamp or mask request or reply

	IPLen      uint32 // total length of the IP packet by its header, jumbograms and offloaded segments included
	IPHeader   uint16 // bytes of IP headers, options and extensions
	Header     uint16 // bytes of the transport header, options included
	PayloadLen uint32 // bytes behind the transport header as the IP header has it; may exceed len(Payload)
	Payload    []byte // the captured part of them

	Ingress Port // where the packet entered the network; zero when the source does not know

	// Unseen, when it is not 0, says that this is no packet, but what a switch has counted: so many packets of this flow went
	// by, unseen, since its last one. WireLen, IPLen and PayloadLen are their mean; there is no payload, and of TCP no number.
	Unseen uint32

	Fragment    bool   // any fragment of a larger IP packet
	FirstFrag   bool   // the fragment at offset 0, the one that has the transport header
	FragOffset  uint16 // of a fragment, in units of 8 bytes
	BadLength   bool   // some header claims a length that its frame cannot hold
	BadChecksum bool   // wrong IPv4 header, TCP, UDP or ICMP checksum, where the whole packet was captured and it was asked for
}

// Port is a port of a switch. The zero Port is none.
type Port struct {
	Switch uint64 // datapath id
	Number uint32
}

// String is the datapath id in hexadecimal and the number, as switches print them: 0000000000000001:2.
func (p Port) String() string { return fmt.Sprintf("%016x:%d", p.Switch, p.Number) }

// Answers reports whether p, when it is the first packet seen of its flow, answers one that was not seen or belongs to
// another flow: SYN+ACK, RST, and ICMP's replies and errors. Whom it comes from has begun nothing.
func (p *Packet) Answers() bool {
	switch p.Proto {
	case ProtoTCP:
		return p.Flags.Has(RST) || p.Flags.Has(SYN|ACK)
	case ProtoICMP:
		switch p.ICMPType {
		case 0, 3, 4, 5, 11, 12, 14, 16, 18: // RFC 792, 950
			return true
		}
	case ProtoICMPv6:
		return p.ICMPType < 128 || p.ICMPType == 129 // RFC 4443
	}
	return false
}
