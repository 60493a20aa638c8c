package ofp

import (
	"fmt"
	"net/netip"
)

// MAC is an Ethernet address.
type MAC [6]byte

// Multicast reports whether m addresses a group or all.
func (m MAC) Multicast() bool { return m[0]&1 != 0 }

// String is the usual spelling with colons.
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// Fields says which fields of a Match count.
type Fields uint16

// The fields that have no value of their own for "any".
const (
	HasInPort Fields = 1 << iota
	HasEthDst
	HasEthSrc
	HasEthType
	HasVLAN
	HasProto
	HasSrcPort
	HasDstPort
	HasICMPType
	HasICMPCode
	HasARPOp
	HasOther // something that this package does not know
)

// The values of Match.VLAN beside a number with VLANPresent.
const (
	VLANNone    = 0
	VLANPresent = 0x1000
)

// Ethernet types that decide what the fields behind them are.
const (
	EthIPv4 = 0x0800
	EthARP  = 0x0806
	EthIPv6 = 0x86dd
	EthLLDP = 0x88cc
)

// IP protocols that decide what the ports are.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
	protoSCTP   = 132
)

// Match says which packets a flow is for, or what a packet was found to have. It is comparable. Addresses count when they
// are valid, other fields when Set has their bit. What the specification demands in front of a field must be set, too:
// EthType for addresses, Proto for ports.
type Match struct {
	Set                Fields
	InPort             uint32
	EthDst, EthSrc     MAC
	EthType            uint16
	VLAN               uint16
	Proto              uint8
	ICMPType, ICMPCode uint8
	SrcPort, DstPort   uint16 // of TCP, UDP or SCTP, as Proto says
	ARPOp              uint16
	Src, Dst           netip.Prefix // of IPv4 or IPv6, as EthType says
	ARPSrc, ARPDst     netip.Addr
}

// The numbers of the fields in class OFPXMC_OPENFLOW_BASIC.
const (
	oxmInPort   = 0
	oxmEthDst   = 3
	oxmEthSrc   = 4
	oxmEthType  = 5
	oxmVLAN     = 6
	oxmProto    = 10
	oxmIPv4Src  = 11
	oxmIPv4Dst  = 12
	oxmTCPSrc   = 13
	oxmTCPDst   = 14
	oxmUDPSrc   = 15
	oxmUDPDst   = 16
	oxmSCTPSrc  = 17
	oxmSCTPDst  = 18
	oxmICMPType = 19
	oxmICMPCode = 20
	oxmARPOp    = 21
	oxmARPSrc   = 22
	oxmARPDst   = 23
	oxmIPv6Src  = 26
	oxmIPv6Dst  = 27
	oxm6Type    = 29
	oxm6Code    = 30
	oxmBasic    = 0x8000
)

// appendMatch adds an OXM match with its padding.
func appendMatch(b []byte, m *Match) []byte {
	start := len(b)
	b = append(b, 0, 1, 0, 0)
	b = appendFields(b, m)
	size := len(b) - start
	be.PutUint16(b[start+2:], uint16(size))
	return zeros(b, padded(size)-size)
}

// appendFields adds the fields in the order of their numbers, in which prerequisites come first.
func appendFields(b []byte, m *Match) []byte {
	if m.Set&HasInPort != 0 {
		b = be.AppendUint32(oxm(b, oxmInPort, 4), m.InPort)
	}
	if m.Set&HasEthDst != 0 {
		b = append(oxm(b, oxmEthDst, 6), m.EthDst[:]...)
	}
	if m.Set&HasEthSrc != 0 {
		b = append(oxm(b, oxmEthSrc, 6), m.EthSrc[:]...)
	}
	if m.Set&HasEthType != 0 {
		b = be.AppendUint16(oxm(b, oxmEthType, 2), m.EthType)
	}
	if m.Set&HasVLAN != 0 {
		b = be.AppendUint16(oxm(b, oxmVLAN, 2), m.VLAN)
	}
	if m.Set&HasProto != 0 {
		b = append(oxm(b, oxmProto, 1), m.Proto)
	}
	b = appendPrefix(b, m.Src, oxmIPv4Src, oxmIPv6Src)
	b = appendPrefix(b, m.Dst, oxmIPv4Dst, oxmIPv6Dst)
	b = appendTransport(b, m)
	if m.Set&HasARPOp != 0 {
		b = be.AppendUint16(oxm(b, oxmARPOp, 2), m.ARPOp)
	}
	if m.ARPSrc.Is4() {
		b = append(oxm(b, oxmARPSrc, 4), m.ARPSrc.AsSlice()...)
	}
	if m.ARPDst.Is4() {
		b = append(oxm(b, oxmARPDst, 4), m.ARPDst.AsSlice()...)
	}
	return b
}

// appendTransport adds ports, or type and code of ICMP.
func appendTransport(b []byte, m *Match) []byte {
	src, dst := uint8(oxmTCPSrc), uint8(oxmTCPDst)
	switch m.Proto {
	case protoUDP:
		src, dst = oxmUDPSrc, oxmUDPDst
	case protoSCTP:
		src, dst = oxmSCTPSrc, oxmSCTPDst
	}
	if m.Set&HasSrcPort != 0 {
		b = be.AppendUint16(oxm(b, src, 2), m.SrcPort)
	}
	if m.Set&HasDstPort != 0 {
		b = be.AppendUint16(oxm(b, dst, 2), m.DstPort)
	}
	kind, code := uint8(oxmICMPType), uint8(oxmICMPCode)
	if m.Proto == protoICMPv6 {
		kind, code = oxm6Type, oxm6Code
	}
	if m.Set&HasICMPType != 0 {
		b = append(oxm(b, kind, 1), m.ICMPType)
	}
	if m.Set&HasICMPCode != 0 {
		b = append(oxm(b, code, 1), m.ICMPCode)
	}
	return b
}

// oxm adds the header of a field.
func oxm(b []byte, field, size uint8) []byte {
	return append(b, oxmBasic>>8, oxmBasic&0xff, field<<1, size)
}

// appendPrefix adds an address, with a mask when the prefix is not all of it.
func appendPrefix(b []byte, p netip.Prefix, v4, v6 uint8) []byte {
	if !p.IsValid() {
		return b
	}
	field, size := v6, 16
	if p.Addr().Is4() {
		field, size = v4, 4
	}
	if p.IsSingleIP() {
		return append(oxm(b, field, uint8(size)), p.Addr().AsSlice()...)
	}
	b = append(b, oxmBasic>>8, oxmBasic&0xff, field<<1|1, uint8(2*size))
	b = append(b, p.Masked().Addr().AsSlice()...)
	for i := range size {
		bits := min(max(p.Bits()-8*i, 0), 8)
		b = append(b, ^(byte(0xff) >> bits))
	}
	return b
}
