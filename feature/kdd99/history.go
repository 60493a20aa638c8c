package kdd99

import "mlids"

// DefaultHistory is how many connections the windows can look back on when Config does not say.
const DefaultHistory = 1 << 20

// Failures of a connection that windows count.
const (
	noError uint8 = iota
	synError
	rejError
)

// entry is what the windows know of a connection.
type entry struct {
	time    int64  // when it began
	host    uint64 // of the responder, see hostOf
	service uint32 // what tells services apart: protocol and port
	name    Service
	failure uint8
	srcPort uint16
}

// history is the ring of the latest connections in the order in which they began. It grows with need up to its bound.
type history struct {
	ring  []entry // a power of two long
	begun uint64  // connections so far; the next has this number
	bound int
}

func newHistory(bound int) *history {
	size := minHistory
	for size < bound {
		size *= 2
	}
	return &history{ring: make([]entry, minHistory), bound: size}
}

// minHistory is more than any window holds.
const minHistory = 1024

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
	return mix(hi) ^ lo
}

// mix spreads a number's bits: 0 to 0, and different numbers to different ones (Steele et al., Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
