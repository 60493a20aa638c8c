package kdd99

import "mlids"

// DefaultHistory is how many connections the windows can look back on when Config does not say.
const DefaultHistory = 1 << 20

// Failures of a connection that windows count.
const (
	synError = 1 << iota
	rejError
)

// entry is what the windows know of a connection.
type entry struct {
	time    int64  // when it began
	host    uint64 // of the responder, see hostOf
	service uint32 // what tells services apart
	name    uint32 // the service's name, when that is what tells them apart for the rates
	srcPort uint16
	failure uint8
}

// history is the ring of the latest connections in the order in which they began. It grows with need up to its bound.
type history struct {
	ring  []entry // a power of two long
	begun uint64  // connections so far; the next has this number
	bound int
}

func newHistory(bound int) *history {
	size := 1
	for size < bound {
		size *= 2
	}
	return &history{ring: make([]entry, min(size, 1024)), bound: size}
}

// add appends a connection and returns its number.
func (h *history) add(e entry) uint64 {
	if h.begun == uint64(len(h.ring)) && len(h.ring) < h.bound {
		h.ring = append(h.ring, make([]entry, len(h.ring))...)
	}
	n := h.begun
	h.ring[n&uint64(len(h.ring)-1)] = e
	h.begun++
	return n
}

// at is connection n, which must not be older than first.
func (h *history) at(n uint64) *entry { return &h.ring[n&uint64(len(h.ring)-1)] }

// first is the number of the oldest connection that is still remembered.
func (h *history) first() uint64 {
	if h.begun <= uint64(len(h.ring)) {
		return 0
	}
	return h.begun - uint64(len(h.ring))
}

// mark notes how connection n fails, if it is still remembered.
func (h *history) mark(n uint64, failure uint8) {
	if n >= h.first() {
		h.at(n).failure = failure
	}
}

// hostOf makes a number of an address. IPv4 addresses have one each; of IPv6 addresses two could share one, which would
// count two hosts as one.
func hostOf(a mlids.Addr) uint64 {
	var hi, lo uint64
	for i := range 8 {
		hi, lo = hi<<8|uint64(a[i]), lo<<8|uint64(a[8+i])
	}
	hi *= 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio, odd: a bijection
	return (hi^hi>>29)*0xbf58476d1ce4e5b9 ^ lo
}

// distinct counts different numbers. Emptying it costs nothing.
type distinct struct {
	keys  [1 << distinctBits]uint64
	round [1 << distinctBits]uint32
	now   uint32
	n     int
}

const (
	distinctBits = 11
	maxDistinct  = 1<<(distinctBits-1) - 1 // to keep half of the places free
)

func (d *distinct) reset() {
	d.n = 0
	if d.now++; d.now == 0 {
		clear(d.round[:])
		d.now = 1
	}
}

func (d *distinct) add(key uint64) {
	for i := key * 0x9e3779b97f4a7c15 >> (64 - distinctBits); ; i = (i + 1) & (1<<distinctBits - 1) {
		if d.round[i] != d.now {
			d.round[i], d.keys[i] = d.now, key
			d.n++
			return
		}
		if d.keys[i] == key {
			return
		}
	}
}
