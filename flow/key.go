package flow

import (
	"encoding/binary"
	"math/bits"

	"mlids"
)

// KeyOf is the key of a packet as its sender sees it: ports for TCP, UDP and SCTP; type, code and identifier for ICMP
// (see [mlids.FlowKey]); no ports for other protocols.
func KeyOf(p *mlids.Packet) mlids.FlowKey {
	k := mlids.FlowKey{Src: p.Src, Dst: p.Dst, SrcPort: p.SrcPort, DstPort: p.DstPort, Proto: p.Proto}
	if isICMP(p.Proto) {
		k.SrcPort = uint16(p.ICMPType)<<8 | uint16(p.ICMPCode)
		k.DstPort = p.ICMPID
	}
	return k
}

func isICMP(proto uint8) bool { return proto == mlids.ProtoICMP || proto == mlids.ProtoICMPv6 }

// Counterpart is the type of the ICMP or ICMPv6 message that answers type t or is answered by it (RFC 792, 950, 1256,
// 4443, 4620, 4861, 6275). One-way types have none.
func Counterpart(proto, t uint8) (other uint8, ok bool) {
	if proto == mlids.ProtoICMP {
		switch t {
		case 0, 8: // echo
			return 8 - t, true
		case 9, 10: // router advertisement and solicitation
			return 19 - t, true
		case 13, 14, 15, 16, 17, 18: // time stamp, information, address mask
			return (t - 1) ^ 1 + 1, true
		}
		return 0, false
	}
	switch t {
	case 128, 129, 130, 131, 144, 145: // echo, multicast listener, home agent discovery
		return t ^ 1, true
	case 133, 134, 135, 136, 139, 140: // router, neighbour, node information
		return (t - 1) ^ 1 + 1, true
	}
	return 0, false
}

// icmpPort is the type and code of an ICMP key as both directions of its flow have it.
func icmpPort(k *mlids.FlowKey) uint16 {
	if other, ok := Counterpart(k.Proto, uint8(k.SrcPort>>8)); ok {
		return min(k.SrcPort, uint16(other)<<8|k.SrcPort&0xff)
	}
	return k.SrcPort
}

// reverse is the key with which the other side of a flow answers.
func reverse(k *mlids.FlowKey) mlids.FlowKey {
	if !isICMP(k.Proto) {
		return k.Reverse()
	}
	r := *k
	r.Src, r.Dst = k.Dst, k.Src
	if other, ok := Counterpart(k.Proto, uint8(k.SrcPort>>8)); ok {
		r.SrcPort = uint16(other)<<8 | k.SrcPort&0xff
	}
	return r
}

// match compares a packet's key with a flow's. A one-way ICMP message never belongs to a flow of the other direction.
func match(flow, k *mlids.FlowKey) (fwd, ok bool) {
	if flow.Proto != k.Proto {
		return false, false
	}
	if flow.SrcPort == k.SrcPort && flow.DstPort == k.DstPort && flow.Src == k.Src && flow.Dst == k.Dst {
		return true, true
	}
	if flow.Src != k.Dst || flow.Dst != k.Src {
		return false, false
	}
	if isICMP(k.Proto) {
		if k.SrcPort == 0 && k.DstPort == 0 && flow.SrcPort == 0 && flow.DstPort == 0 {
			return false, true // a dialect that does not tell ICMP messages apart
		}
		_, pair := Counterpart(k.Proto, uint8(k.SrcPort>>8))
		return false, pair && *flow == reverse(k)
	}
	return false, flow.SrcPort == k.DstPort && flow.DstPort == k.SrcPort
}

// Hash gives both directions of a flow the same number, different ones for each seed.
func Hash(k *mlids.FlowKey, seed uint64) uint64 {
	if isICMP(k.Proto) {
		return mix(end(&k.Src, 0, seed)+end(&k.Dst, 0, seed)^uint64(icmpPort(k))<<16, uint64(k.DstPort)<<8|uint64(k.Proto)|1<<40)
	}
	return mix(end(&k.Src, k.SrcPort, seed)+end(&k.Dst, k.DstPort, seed), uint64(k.Proto)|1<<40)
}

// end hashes one side of a flow.
func end(a *mlids.Addr, port uint16, seed uint64) uint64 {
	hi, lo := binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
	return mix(hi^seed, lo^uint64(port)*0x9e3779b97f4a7c15)
}

// mix folds the 128-bit product of two words, as wyhash does (Wang Yi, 2019).
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return hi ^ lo
}
