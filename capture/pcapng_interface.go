package capture

import (
	"fmt"
	"math"
	"math/bits"
)

// The options of an interface description block that matter (draft-ietf-opsawg-pcapng, section 4.2).
const (
	optEnd         = 0
	optTimeResolve = 9
	optTimeOffset  = 14
)

// second is a second in nanoseconds.
const second = 1_000_000_000

// ngInterface is how one interface of a section writes its packets.
type ngInterface struct {
	link   LinkType
	snap   uint32 // math.MaxUint32 for unlimited
	scale  uint64 // nanoseconds in a time unit, 0 when a unit is shorter than that or a power of two
	divide uint64 // time units in a nanosecond, for units of 10^-10 s and shorter
	shift  uint8  // a unit is 2^-shift seconds, when scale and divide are 0
	offset int64  // nanoseconds to add
}

// describe adds the interface of an interface description block.
func (g *pcapng) describe(body []byte) error {
	if len(body) < 8 {
		return tooShort("interface description", len(body), 8)
	}
	if len(g.interfaces) == maxInterfaces {
		return fmt.Errorf("more than %d interfaces in a section: %w", maxInterfaces, ErrLength)
	}
	in := ngInterface{link: LinkType(g.u16(body)), snap: g.u32(body[4:]), scale: 1000}
	if in.snap == 0 {
		in.snap = math.MaxUint32
	}
	if err := g.options(&in, body[8:]); err != nil {
		return fmt.Errorf("interface %d: %w", len(g.interfaces), err)
	}
	g.interfaces = append(g.interfaces, in)
	return nil
}

// options reads the options of an interface description block.
func (g *pcapng) options(in *ngInterface, b []byte) error {
	for len(b) >= 4 {
		code, size := g.u16(b), int(g.u16(b[2:]))
		if code == optEnd {
			return nil
		}
		b = b[4:]
		if size > len(b) {
			return fmt.Errorf("option %d claims %d bytes, its block has %d left: %w", code, size, len(b), ErrCorrupt)
		}
		if err := g.option(in, code, b[:size]); err != nil {
			return err
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return nil
}

func (g *pcapng) option(in *ngInterface, code uint16, value []byte) error {
	switch {
	case code == optTimeResolve && len(value) == 1:
		return in.resolution(value[0])
	case code == optTimeOffset && len(value) == 8:
		high, low := uint64(g.u32(value)), uint64(g.u32(value[4:]))
		if !g.big {
			high, low = low, high
		}
		seconds := int64(high<<32 | low)
		if seconds > math.MaxInt64/second || seconds < math.MinInt64/second {
			return fmt.Errorf("if_tsoffset of %d seconds does not fit nanoseconds in 64 bits: %w", seconds, ErrLength)
		}
		in.offset = seconds * second
	case code == optTimeResolve || code == optTimeOffset:
		return fmt.Errorf("option %d has %d bytes: %w", code, len(value), ErrCorrupt)
	}
	return nil
}

// resolution takes if_tsresol: a negative power of 10, or of 2 when the highest bit is set.
func (in *ngInterface) resolution(v byte) error {
	in.scale, in.divide, in.shift = 0, 0, 0
	switch exp := v & 0x7f; {
	case v&0x80 != 0 && exp < 64:
		in.shift = exp
	case v&0x80 == 0 && exp <= 9:
		in.scale = pow10(9 - exp)
	case v&0x80 == 0 && exp <= 28:
		in.divide = pow10(exp - 9)
	default:
		return fmt.Errorf("if_tsresol %#02x is finer than 64-bit time stamps can use: %w", v, ErrLength)
	}
	return nil
}

func pow10(n byte) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

// nanoseconds turns a time stamp into nanoseconds since the Unix epoch; one beyond the year 2262 becomes the latest.
func (in *ngInterface) nanoseconds(stamp uint64) int64 {
	var hi, lo uint64
	switch {
	case in.scale != 0:
		hi, lo = bits.Mul64(stamp, in.scale)
	case in.divide != 0:
		lo = stamp / in.divide
	default:
		hi, lo = bits.Mul64(stamp, 1e9)
		lo = lo>>in.shift | hi<<(64-in.shift)
		hi >>= in.shift
	}
	if hi != 0 || lo > math.MaxInt64 {
		return math.MaxInt64
	}
	if sum := int64(lo) + in.offset; in.offset < 0 || sum >= int64(lo) {
		return sum
	}
	return math.MaxInt64
}
