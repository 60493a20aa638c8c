package openflow

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"mlids"
	"mlids/mitigate"
	"mlids/mitigate/openflow/ofp"
)

// rank puts what is dropped before what is led elsewhere before what is slowed down, when several blocks concern a packet.
func rank(k mitigate.Kind) (uint16, bool) {
	switch k {
	case mitigate.Drop:
		return 2, true
	case mitigate.Redirect:
		return 1, true
	case mitigate.Limit:
		return 0, true
	}
	return 0, false
}

// blockFlows are the flows that carry a block out: one, or one for each IP version when the block names no address.
func blockFlows(b *mitigate.Block, meter uint32, now time.Time) ([]ofp.Message, error) {
	id, err := blockCookie(b.ID)
	if err != nil {
		return nil, err
	}
	matches, fields, err := blockMatches(&b.Match)
	if err != nil {
		return nil, fmt.Errorf("block %s: %w", b.ID, err)
	}
	order, ok := rank(b.Kind)
	seconds := math.Ceil(b.Until.Sub(now).Seconds())
	switch {
	case !ok:
		return nil, fmt.Errorf("block %s: kind %q: %w", b.ID, b.Kind, ErrBlock)
	case seconds < 1:
		return nil, fmt.Errorf("block %s: over since %v: %w", b.ID, b.Until, ErrBlock)
	}
	var list []ofp.Message
	for _, m := range matches {
		list = append(list, &ofp.FlowMod{
			Cookie: id, Table: tableBlocks, Hard: uint16(min(seconds, math.MaxUint16)), Priority: prioBlock + 1000*order + fields,
			Flags: ofp.FlagRemoved, Match: m, Instructions: measure(b, meter),
		})
	}
	return list, nil
}

// measure is what happens to the packets of a block.
func measure(b *mitigate.Block, meter uint32) ofp.Instructions {
	switch b.Kind {
	case mitigate.Limit:
		return ofp.Instructions{Meter: meter, Goto: tableForward}
	case mitigate.Redirect:
		return ofp.Instructions{Apply: []ofp.Action{{Port: b.ToPort}}}
	}
	return ofp.Instructions{}
}

// blockMatches are the matches of a block, and how many fields they compare: the more, the more particular the block.
func blockMatches(m *mitigate.Match) ([]ofp.Match, uint16, error) {
	src, dst := plain(m.Src), plain(m.Dst)
	port := m.Port != mitigate.Port{}
	ported := m.Proto == mlids.ProtoTCP || m.Proto == mlids.ProtoUDP || m.Proto == mlids.ProtoSCTP
	switch {
	case !src.IsValid() && !dst.IsValid() && !port:
		return nil, 0, fmt.Errorf("names neither source nor destination nor port: %w", ErrBlock)
	case src.IsValid() && dst.IsValid() && src.Addr().Is4() != dst.Addr().Is4():
		return nil, 0, fmt.Errorf("from %v to %v, of two IP versions: %w", src, dst, ErrBlock)
	case (m.SrcPort != 0 || m.DstPort != 0) && !ported:
		return nil, 0, fmt.Errorf("ports of protocol %d: %w", m.Proto, ErrBlock)
	case port && !realPort(m.Port.Number):
		return nil, 0, fmt.Errorf("port %d: %w", m.Port.Number, ErrBlock)
	}
	one := ofp.Match{Set: ofp.HasEthType, Src: src, Dst: dst, InPort: m.Port.Number, Proto: m.Proto, SrcPort: m.SrcPort, DstPort: m.DstPort}
	fields := uint16(src.Bits()+dst.Bits()) + 2 // an absent prefix has -1 bits
	for f, have := range map[ofp.Fields]bool{
		ofp.HasInPort: port, ofp.HasProto: m.Proto != 0, ofp.HasSrcPort: m.SrcPort != 0, ofp.HasDstPort: m.DstPort != 0,
	} {
		if have {
			one.Set |= f
			fields += 16
		}
	}
	return families(one), fields, nil
}

// families gives a match the Ethernet type of its addresses, or makes two of it.
func families(m ofp.Match) []ofp.Match {
	v4, v6 := m, m
	v4.EthType, v6.EthType = ofp.EthIPv4, ofp.EthIPv6
	for _, p := range []netip.Prefix{m.Src, m.Dst} {
		if p.IsValid() && p.Addr().Is4() {
			return []ofp.Match{v4}
		}
		if p.IsValid() {
			return []ofp.Match{v6}
		}
	}
	return []ofp.Match{v4, v6}
}

// plain is a prefix of IPv4 without its IPv6 clothes.
func plain(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
	}
	return p.Masked()
}
