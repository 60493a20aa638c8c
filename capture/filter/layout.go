package filter

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"

	"golang.org/x/net/bpf"
)

// Layout is where a link type has its fields.
type Layout struct {
	Proto    int  // offset of the 16-bit EtherType, negative where the link has none and frames are IP
	Network  int  // offset of the network header
	Metadata bool // frames come from the kernel, which keeps the outer VLAN tag beside them
}

// EtherTypes.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherRARP = 0x8035
	etherIPv6 = 0x86dd
	etherVLAN = 0x8100
	etherQinQ = 0x9100
	etherSTag = 0x88a8
)

// protocols are the words for protocols, and their numbers in IP headers; those of the network layer have none.
var protocols = map[string]int{
	"ip": -1, "ip6": -1, "arp": -1, "rarp": -1,
	"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "esp": 50, "ah": 51, "icmp6": 58, "sctp": 132,
}

func protocolNumber(text string) (uint8, bool) {
	if n, ok := protocols[text]; ok && n >= 0 {
		return uint8(n), true
	}
	n, err := strconv.ParseUint(text, 10, 8)
	return uint8(n), err == nil
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// mask4 is the mask of a prefix of an IPv4 address.
func mask4(bits int) uint32 { return uint32(math.MaxUint32 << (32 - bits)) }

// shift is how far VLAN tags move the fields behind them.
func (l Layout) shift(tags int) int {
	if l.Metadata && tags > 0 {
		tags--
	}
	return 4 * tags
}

// field compares a field of the network header, or of what follows at a fixed offset.
func (l Layout) field(tags, off, size int, value uint32) comparison {
	return compare(load(l.Network+l.shift(tags)+off, size), bpf.JumpEqual, value)
}

// network tests what the network layer is.
func (l Layout) network(ether uint16, tags int) node {
	if l.Proto >= 0 {
		return compare(load(l.Proto+l.shift(tags), 2), bpf.JumpEqual, uint32(ether))
	}
	version := uint32(0xff) // of a protocol that such a link does not have
	switch ether {
	case etherIPv4:
		version = 0x40
	case etherIPv6:
		version = 0x60
	}
	c := l.field(tags, 0, 1, version)
	return c.masked(0xf0)
}

// protocol tests for a protocol by its name.
func (l Layout) protocol(name string, tags int) node {
	switch name {
	case "ip":
		return l.network(etherIPv4, tags)
	case "ip6":
		return l.network(etherIPv6, tags)
	case "arp":
		return l.network(etherARP, tags)
	case "rarp":
		return l.network(etherRARP, tags)
	case "icmp", "igmp":
		return l.ipProtocol("ip", uint8(protocols[name]), tags)
	case "icmp6":
		return l.ipProtocol("ip6", uint8(protocols[name]), tags)
	}
	return l.ipProtocol("", uint8(protocols[name]), tags)
}

// ipProtocol tests the protocol number of IPv4 or IPv6 packets or both; in IPv6 also behind a fragment header.
func (l Layout) ipProtocol(version string, number uint8, tags int) node {
	const next6, nextFragment, fragmentHeader = 6, 40, 44
	v4 := all(l.network(etherIPv4, tags), l.field(tags, 9, 1, uint32(number)))
	v6 := all(l.network(etherIPv6, tags), either(
		l.field(tags, next6, 1, uint32(number)),
		all(l.field(tags, next6, 1, fragmentHeader), l.field(tags, nextFragment, 1, uint32(number)))))
	switch version {
	case "ip":
		return v4
	case "ip6":
		return v6
	}
	return either(v6, v4)
}

// directed joins the test of the source with that of the destination as the direction asks.
func directed(dir string, src, dst node) node {
	switch dir {
	case "src":
		return src
	case "dst":
		return dst
	case "both":
		return all(src, dst)
	}
	return either(src, dst)
}

// address4 tests the addresses of IPv4, ARP and RARP.
func (l Layout) address4(q qualifiers, prefix netip.Prefix, tags int) node {
	mask := mask4(prefix.Bits())
	value := be32(prefix.Addr().AsSlice()) & mask
	in := func(ether uint16, src, dst int) node {
		return all(l.network(ether, tags), directed(q.dir,
			l.field(tags, src, 4, value).masked(mask), l.field(tags, dst, 4, value).masked(mask)))
	}
	ip, arp, rarp := in(etherIPv4, 12, 16), in(etherARP, 14, 24), in(etherRARP, 14, 24)
	switch q.proto {
	case "ip":
		return ip
	case "arp":
		return arp
	case "rarp":
		return rarp
	}
	if l.Proto < 0 {
		return ip
	}
	return either(ip, either(arp, rarp))
}

// address6 tests the addresses of IPv6.
func (l Layout) address6(dir string, prefix netip.Prefix, tags int) node {
	in := func(off int) node {
		test := l.network(etherIPv6, tags)
		addr := prefix.Addr().AsSlice()
		for bits := prefix.Bits(); bits > 0; bits, off, addr = bits-32, off+4, addr[4:] {
			mask := mask4(min(bits, 32))
			test = all(test, l.field(tags, off, 4, be32(addr)&mask).masked(mask))
		}
		return test
	}
	return directed(dir, in(8), in(24))
}

// ports tests the ports of TCP, UDP and SCTP, where the packet has them.
func (l Layout) ports(q qualifiers, low, high uint16, tags int) node {
	carriers := func(off int) node {
		if number, ok := protocols[q.proto]; ok && number >= 0 {
			return l.field(tags, off, 1, uint32(number))
		}
		return either(l.field(tags, off, 1, 132), either(
			l.field(tags, off, 1, 6), l.field(tags, off, 1, 17)))
	}
	base := l.Network + l.shift(tags)
	behind4 := func(off int) node {
		header := []bpf.Instruction{bpf.LoadMemShift{Off: uint32(base)}, bpf.LoadIndirect{Off: uint32(base + off), Size: 2}}
		return between(header, low, high)
	}
	whole := l.field(tags, 6, 2, 0).masked(0x1fff)
	v4 := all(l.network(etherIPv4, tags), all(carriers(9), all(whole, directed(q.dir, behind4(0), behind4(2)))))
	v6 := all(l.network(etherIPv6, tags), all(carriers(6), directed(q.dir,
		between(load(base+40, 2), low, high), between(load(base+42, 2), low, high))))
	switch q.proto {
	case "ip":
		return v4
	case "ip6":
		return v6
	}
	return either(v6, v4)
}

// vlan tests the tag with this number, counted from the outside, and its id unless that is negative.
func (l Layout) vlan(tag, id int) node {
	if l.Metadata && tag == 1 {
		test := node(compare([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtVLANTagPresent}}, bpf.JumpNotEqual, 0))
		if id >= 0 {
			test = all(test, compare([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtVLANTag}}, bpf.JumpEqual, uint32(id)).masked(0xfff))
		}
		return test
	}
	test := either(l.network(etherVLAN, tag-1), either(l.network(etherSTag, tag-1), l.network(etherQinQ, tag-1)))
	if id >= 0 {
		test = all(test, l.field(tag-1, 0, 2, uint32(id)).masked(0xfff))
	}
	return test
}

// frameLength tests the length on the wire.
func frameLength(atMost bool, n uint32) node {
	test := bpf.JumpGreaterOrEqual
	if atMost {
		test = bpf.JumpLessOrEqual
	}
	return compare([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}}, test, n)
}
