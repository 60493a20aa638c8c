package nftables

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/google/nftables/expr"

	"mlids/mitigate"
)

// Values of Ethernet types, in network order.
var (
	etherIPv4 = []byte{0x08, 0x00}
	etherIPv6 = []byte{0x86, 0xdd}
)

func drop() expr.Any { return &expr.Verdict{Kind: expr.VerdictDrop} }

// isVersion matches packets of one IP version.
func isVersion(six bool) []expr.Any {
	ether := etherIPv4
	if six {
		ether = etherIPv6
	}
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: ether}}
}

// loadAddress puts the source or destination into register 1 (RFC 791, RFC 8200).
func loadAddress(six, source bool) []expr.Any {
	offset, size := uint32(12), uint32(4)
	if six {
		offset, size = 8, 16
	}
	if !source {
		offset += size
	}
	return []expr.Any{&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: size}}
}

// matchPrefix matches packets from or to a prefix.
func matchPrefix(p netip.Prefix, source bool) []expr.Any {
	six := p.Addr().Is6()
	size := p.Addr().BitLen() / 8
	mask := make([]byte, size)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return append(loadAddress(six, source),
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: uint32(size), Mask: mask, Xor: make([]byte, size)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: p.Masked().Addr().AsSlice()},
	)
}

// ruleOf is a block as one rule: what it matches, then dropped, or dropped beyond a rate.
func ruleOf(b *mitigate.Block) ([]expr.Any, error) {
	m := &b.Match
	if !m.Src.IsValid() && !m.Dst.IsValid() {
		return nil, fmt.Errorf("%w: block %s names no address", ErrBlock, b.ID)
	}
	one := m.Src
	if !one.IsValid() {
		one = m.Dst
	}
	exprs := isVersion(one.Addr().Is6())
	if m.Src.IsValid() {
		exprs = append(exprs, matchPrefix(m.Src, true)...)
	}
	if m.Dst.IsValid() {
		exprs = append(exprs, matchPrefix(m.Dst, false)...)
	}
	if m.Proto != 0 {
		exprs = append(exprs, &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{m.Proto}})
	}
	for i, port := range []uint16{m.SrcPort, m.DstPort} {
		if port != 0 {
			exprs = append(exprs,
				&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: uint32(2 * i), Len: 2},
				&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)})
		}
	}
	if b.Kind == mitigate.Limit {
		exprs = append(exprs, &expr.Limit{Type: expr.LimitTypePkts, Rate: uint64(b.Rate), Unit: expr.LimitTimeSecond, Burst: b.Rate, Over: true})
	}
	return append(exprs, &expr.Counter{}, drop()), nil
}
