package openflow

import (
	"encoding/binary"
	"net/netip"

	"mlids"
	"mlids/capture"
	"mlids/mitigate/openflow/ofp"
)

// etherSize is the size of an Ethernet header in bytes, tagSize that of a VLAN tag.
const (
	etherSize = 14
	tagSize   = 4
	etherTag  = 0x8100
	firstType = 0x0600 // lower numbers are lengths (IEEE 802.3)
)

// frame is what forwarding needs to know of a frame.
type frame struct {
	dst, src ofp.MAC
	vlan     uint16 // id, 0 when untagged
	tagged   bool
	kind     uint16 // Ethernet type behind at most one tag; 0 for what has none
	payload  []byte
}

// parseFrame reads the Ethernet header.
func parseFrame(b []byte) (frame, bool) {
	if len(b) < etherSize {
		return frame{}, false
	}
	f := frame{dst: ofp.MAC(b[0:6]), src: ofp.MAC(b[6:12]), kind: binary.BigEndian.Uint16(b[12:]), payload: b[etherSize:]}
	if f.kind == etherTag && len(f.payload) >= tagSize {
		f.tagged, f.vlan = true, binary.BigEndian.Uint16(f.payload)&0xfff
		f.kind, f.payload = binary.BigEndian.Uint16(f.payload[2:]), f.payload[tagSize:]
	}
	if f.kind < firstType {
		f.kind = 0
	}
	return f, true
}

// isIP reports whether the frame holds an IP packet that a switch would see as such.
func (f *frame) isIP() bool { return f.kind == ofp.EthIPv4 || f.kind == ofp.EthIPv6 }

// reserved reports whether bridges keep frames to m to themselves (IEEE 802.1Q, table 8-1): LLDP, spanning tree, pause.
func reserved(m ofp.MAC) bool {
	return m[0] == 1 && m[1] == 0x80 && m[2] == 0xc2 && m[3] == 0 && m[4] == 0 && m[5] < 0x10
}

// arpSender is the sender of an ARP packet (RFC 826), and whom it asks for.
func arpSender(b []byte) (sender, target netip.Addr, ok bool) {
	if len(b) < 28 || binary.BigEndian.Uint16(b[2:]) != ofp.EthIPv4 || b[4] != 6 || b[5] != 4 {
		return sender, target, false
	}
	return netip.AddrFrom4([4]byte(b[14:])), netip.AddrFrom4([4]byte(b[24:])), true
}

// Neighbour discovery (RFC 4861): the range of ICMPv6 types that hosts find each other by.
const (
	firstDiscovery = 133
	lastDiscovery  = 137
)

// exactMatch is the match of the flow that the packet in a frame belongs to. It is not ok for packets that a flow should
// not be made for: what finds hosts, and what is broken.
func exactMatch(f *frame, inPort uint32, reason capture.Reason, p *mlids.Packet) (ofp.Match, bool) {
	m := ofp.Match{
		Set: ofp.HasInPort | ofp.HasEthDst | ofp.HasEthSrc | ofp.HasVLAN, InPort: inPort, EthDst: f.dst, EthSrc: f.src,
	}
	if f.tagged {
		m.VLAN = ofp.VLANPresent | f.vlan
	}
	if f.kind != 0 {
		m.Set, m.EthType = m.Set|ofp.HasEthType, f.kind
	}
	if !f.isIP() {
		return m, f.kind != ofp.EthARP
	}
	if reason != capture.Decoded {
		return m, false
	}
	m.Set, m.Proto = m.Set|ofp.HasProto, p.Proto
	src, dst := p.Src.Netip(), p.Dst.Netip()
	if src.Is4() != (f.kind == ofp.EthIPv4) || dst.Is4() != src.Is4() { // ::ffff:0:0/96 inside IPv6
		return m, false
	}
	m.Src, m.Dst = netip.PrefixFrom(src, src.BitLen()), netip.PrefixFrom(dst, dst.BitLen())
	if p.Fragment { // only the first has ports
		return m, true
	}
	switch p.Proto {
	case mlids.ProtoTCP, mlids.ProtoUDP, mlids.ProtoSCTP:
		m.Set |= ofp.HasSrcPort | ofp.HasDstPort
		m.SrcPort, m.DstPort = p.SrcPort, p.DstPort
	case mlids.ProtoICMP, mlids.ProtoICMPv6:
		m.Set |= ofp.HasICMPType | ofp.HasICMPCode
		m.ICMPType, m.ICMPCode = p.ICMPType, p.ICMPCode
		discovery := p.ICMPType >= firstDiscovery && p.ICMPType <= lastDiscovery
		return m, p.Proto == mlids.ProtoICMP || !discovery
	}
	return m, true
}
