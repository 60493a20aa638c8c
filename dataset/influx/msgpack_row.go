package influx

import (
	"encoding/binary"
	"math"
)

// The first bytes of values in msgpack (its specification, "formats") that rows of InfluxDB are made of.
const (
	packNil     = 0xc0
	packFalse   = 0xc2
	packTrue    = 0xc3
	packFloat64 = 0xcb
	packInt64   = 0xd3
	packText8   = 0xd9
	packText16  = 0xda
	packArray16 = 0xdc
	packText    = 0xa0 // and the length in the lower 5 bits
	packArray   = 0x90 // and the length in the lower 4 bits
	packMinus   = 0xe0 // from here on: -32 to -1
)

// whole reads a row of n values that is in the buffer as a whole, in one go: looking for the buffer's end before each
// value takes most of the time of reading it. It reports false, and has read nothing, when the row has to be read value
// by value.
func (m *msgpack) whole(to rows, n int) (bool, error) {
	b, err := m.r.R.Peek(m.r.R.Buffered())
	if err != nil {
		return false, nil //nolint:nilerr // reading value by value will meet it
	}
	head, size := rowSize(b, n)
	if size == 0 {
		return false, nil
	}
	b = b[head:size]
	for field := range n {
		at := valueSize(b)
		if err := plainValue(b[:at], to, field); err != nil {
			return true, err
		}
		b = b[at:]
	}
	_, err = m.r.R.Skip(size)
	return true, err
}

// rowSize is how many bytes a row of n values takes, and those in front of its values; 0 if it is not all there, has
// another length, or values that plainValue does not know.
func rowSize(b []byte, n int) (head, size int) {
	switch {
	case len(b) >= 1 && n < 16 && int(b[0]) == packArray|n:
		head = 1
	case len(b) >= 3 && b[0] == packArray16 && int(binary.BigEndian.Uint16(b[1:])) == n:
		head = 3
	default:
		return 0, 0
	}
	size = head
	for range n {
		step := valueSize(b[size:])
		if step == 0 || size+step > len(b) {
			return 0, 0
		}
		size += step
	}
	return head, size
}

// valueSize is how many bytes the value at the start of b takes, 0 for one that plainValue does not know.
func valueSize(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch kind := b[0]; {
	case kind == packFloat64 || kind == packInt64:
		return 9
	case kind == packNil || kind == packFalse || kind == packTrue || kind < 0x80 || kind >= packMinus:
		return 1
	case kind&0xe0 == packText:
		return 1 + int(kind&0x1f)
	case kind == packText8 && len(b) > 1:
		return 2 + int(b[1])
	case kind == packText16 && len(b) > 2:
		return 3 + int(binary.BigEndian.Uint16(b[1:]))
	}
	return 0
}

// plainValue hands on a value that fills b.
func plainValue(b []byte, to rows, field int) error {
	switch kind := b[0]; {
	case kind == packFloat64:
		return to.number(field, math.Float64frombits(binary.BigEndian.Uint64(b[1:])))
	case kind == packInt64:
		return to.integer(field, int64(binary.BigEndian.Uint64(b[1:])))
	case kind < 0x80 || kind >= packMinus:
		return to.integer(field, int64(int8(kind)))
	case kind&0xe0 == packText:
		return to.text(field, b[1:])
	case kind == packText8:
		return to.text(field, b[2:])
	case kind == packText16:
		return to.text(field, b[3:])
	case kind == packFalse || kind == packTrue:
		return to.number(field, truth(kind == packTrue))
	}
	return nil // null
}
