package ofp

import (
	"fmt"
	"math/bits"
	"net/netip"
)

// decode reads a match at the beginning of b and returns its size with padding.
func (m *Match) decode(b []byte) (int, error) {
	*m = Match{}
	if len(b) < 4 {
		return 0, fmt.Errorf("match of %d bytes: %w", len(b), ErrLength)
	}
	kind, size := be.Uint16(b), int(be.Uint16(b[2:]))
	if kind != 1 {
		return 0, fmt.Errorf("match of type %d, want OXM: %w", kind, ErrMalformed)
	}
	if size < 4 || padded(size) > len(b) {
		return 0, fmt.Errorf("match of %d bytes: %w", size, ErrLength)
	}
	for rest := b[4:size]; len(rest) > 0; {
		n, err := m.field(rest)
		if err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return padded(size), m.consistent()
}

// field reads one field and returns its size.
func (m *Match) field(b []byte) (int, error) {
	if len(b) < 4 || len(b) < 4+int(b[3]) {
		return 0, fmt.Errorf("match field in %d bytes: %w", len(b), ErrLength)
	}
	field, masked, v := b[2]>>1, b[2]&1 != 0, b[4:4+int(b[3])]
	switch {
	case be.Uint16(b) != oxmBasic || masked && !isAddress(field):
		m.Set |= HasOther
	case !m.value(field, masked, v):
		return 0, fmt.Errorf("match field %d of %d bytes: %w", field, len(v), ErrMalformed)
	}
	return 4 + len(v), nil
}

func isAddress(field uint8) bool {
	return field == oxmIPv4Src || field == oxmIPv4Dst || field == oxmIPv6Src || field == oxmIPv6Dst
}

// value takes the value of a field. It reports whether the value has the size that it must have.
func (m *Match) value(field uint8, masked bool, v []byte) bool {
	switch field {
	case oxmInPort:
		return m.number32(HasInPort, &m.InPort, v)
	case oxmEthDst:
		return m.mac(HasEthDst, &m.EthDst, v)
	case oxmEthSrc:
		return m.mac(HasEthSrc, &m.EthSrc, v)
	case oxmEthType:
		return m.number16(HasEthType, &m.EthType, v)
	case oxmVLAN:
		return m.number16(HasVLAN, &m.VLAN, v)
	case oxmProto:
		return m.number8(HasProto, &m.Proto, v)
	case oxmIPv4Src:
		return m.prefix(&m.Src, masked, v, 4)
	case oxmIPv4Dst:
		return m.prefix(&m.Dst, masked, v, 4)
	case oxmIPv6Src:
		return m.prefix(&m.Src, masked, v, 16)
	case oxmIPv6Dst:
		return m.prefix(&m.Dst, masked, v, 16)
	case oxmTCPSrc, oxmUDPSrc, oxmSCTPSrc:
		return m.number16(HasSrcPort, &m.SrcPort, v) && m.Proto == protoOf(field)
	case oxmTCPDst, oxmUDPDst, oxmSCTPDst:
		return m.number16(HasDstPort, &m.DstPort, v) && m.Proto == protoOf(field)
	case oxmICMPType, oxm6Type:
		return m.number8(HasICMPType, &m.ICMPType, v) && m.Proto == protoOf(field)
	case oxmICMPCode, oxm6Code:
		return m.number8(HasICMPCode, &m.ICMPCode, v) && m.Proto == protoOf(field)
	case oxmARPOp:
		return m.number16(HasARPOp, &m.ARPOp, v)
	case oxmARPSrc:
		return addr(&m.ARPSrc, v)
	case oxmARPDst:
		return addr(&m.ARPDst, v)
	}
	m.Set |= HasOther
	return true
}

// protoOf is the protocol that a field of the transport header needs in front of it.
func protoOf(field uint8) uint8 {
	switch field {
	case oxmTCPSrc, oxmTCPDst:
		return protoTCP
	case oxmUDPSrc, oxmUDPDst:
		return protoUDP
	case oxmSCTPSrc, oxmSCTPDst:
		return protoSCTP
	case oxmICMPType, oxmICMPCode:
		return protoICMP
	}
	return protoICMPv6
}

func (m *Match) number32(f Fields, to *uint32, v []byte) bool {
	if len(v) != 4 {
		return false
	}
	m.Set, *to = m.Set|f, be.Uint32(v)
	return true
}

func (m *Match) number16(f Fields, to *uint16, v []byte) bool {
	if len(v) != 2 {
		return false
	}
	m.Set, *to = m.Set|f, be.Uint16(v)
	return true
}

func (m *Match) number8(f Fields, to *uint8, v []byte) bool {
	if len(v) != 1 {
		return false
	}
	m.Set, *to = m.Set|f, v[0]
	return true
}

func (m *Match) mac(f Fields, to *MAC, v []byte) bool {
	if len(v) != 6 {
		return false
	}
	m.Set, *to = m.Set|f, MAC(v)
	return true
}

func addr(to *netip.Addr, v []byte) bool {
	if len(v) != 4 {
		return false
	}
	*to = netip.AddrFrom4([4]byte(v))
	return true
}

// prefix takes an address with or without a mask. A mask with holes is something of another controller.
func (m *Match) prefix(to *netip.Prefix, masked bool, v []byte, size int) bool {
	length := 8 * size
	if masked {
		if len(v) != 2*size {
			return false
		}
		ones, whole := maskBits(v[size:])
		if !whole {
			m.Set |= HasOther
			return true
		}
		length, v = ones, v[:size]
	}
	if len(v) != size {
		return false
	}
	a, _ := netip.AddrFromSlice(v)
	*to = netip.PrefixFrom(a, length).Masked()
	return true
}

// maskBits counts the ones of a mask and reports whether all of them are in front.
func maskBits(mask []byte) (int, bool) {
	ones, ended := 0, false
	for _, b := range mask {
		n := bits.LeadingZeros8(^b)
		if b != ^(byte(0xff)>>n) || ended && b != 0 {
			return 0, false
		}
		ones, ended = ones+n, n < 8
	}
	return ones, true
}

// consistent checks that addresses are of the family that the Ethernet type says.
func (m *Match) consistent() error {
	for _, p := range []netip.Prefix{m.Src, m.Dst} {
		want := uint16(EthIPv6)
		if p.Addr().Is4() {
			want = EthIPv4
		}
		if p.IsValid() && m.EthType != want {
			return fmt.Errorf("match: address %v with Ethernet type %#04x: %w", p, m.EthType, ErrMalformed)
		}
	}
	return nil
}
