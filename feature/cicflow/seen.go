package cicflow

import (
	"encoding/binary"
	"math/bits"

	"mlids"
)

// seen remembers the TCP packets of connections, to tell repeated ones. Each connection has a set: a hash table of
// fingerprints in one of several sizes, of which there are slabs. Memory is bounded; a connection that gets no larger
// set goes on with the packets that it has.
type seen struct {
	sizes  [seenSizes]seenSize
	budget int // fingerprints that may still be allocated
	seed   uint64
}

const (
	seenSizes = 9
	seenFirst = 3 // the smallest set has 2^3 places, each further size four times as many
	slabWords = 1 << 14
)

// seenSize holds the sets of one size.
type seenSize struct {
	slabs [][]uint32
	free  []uint32
	taken uint32
}

// seenSet is a connection's set; the zero value is empty.
type seenSet struct {
	place uint32 // number in its size, from 1
	n     uint32
	size  uint8
	full  bool // no memory for a larger one
}

func (s *seen) words(size uint8) uint32 { return 1 << (seenFirst + 2*uint32(size)) }

// table is the places of a set.
func (s *seen) table(set *seenSet) []uint32 {
	w := s.words(set.size)
	perSlab := max(slabWords/w, 1)
	i := set.place - 1
	at := i % perSlab * w
	return s.sizes[set.size].slabs[i/perSlab][at : at+w]
}

// add notes a packet and reports whether an equal one was there: the same sender, sequence and acknowledgement numbers,
// payload length and window.
func (s *seen) add(set *seenSet, p *mlids.Packet) bool {
	if set.place == 0 && !s.alloc(set, 0) {
		return false
	}
	tab := s.table(set)
	mask := uint32(len(tab) - 1)
	mark := s.fingerprint(p)
	i := mark & mask
	for tab[i] != 0 {
		if tab[i] == mark {
			return true
		}
		i = (i + 1) & mask
	}
	if set.full && 8*(set.n+1) > 7*uint32(len(tab)) {
		return false
	}
	tab[i] = mark
	if set.n++; 4*set.n > 3*uint32(len(tab)) && !set.full {
		s.grow(set)
	}
	return false
}

// fingerprint is never 0.
func (s *seen) fingerprint(p *mlids.Packet) uint32 {
	a := uint64(p.Seq)<<32 | uint64(p.Ack)
	b := uint64(p.PayloadLen)<<32 | uint64(p.Window)<<8
	from := binary.LittleEndian.Uint64(p.Src[8:]) ^ binary.LittleEndian.Uint64(p.Src[:8])
	hi, lo := bits.Mul64(a^s.seed, b^from^0x9e3779b97f4a7c15)
	hi, lo = bits.Mul64(hi^lo, 0xe7037ed1a0b428db)
	return max(uint32(hi^lo), 1)
}

func (s *seen) alloc(set *seenSet, size uint8) bool {
	z, w := &s.sizes[size], s.words(size)
	if n := len(z.free); n > 0 {
		set.place, set.size = z.free[n-1], size
		z.free = z.free[:n-1]
		clear(s.table(set))
		return true
	}
	perSlab := max(slabWords/w, 1)
	if z.taken == uint32(len(z.slabs))*perSlab {
		if s.budget < int(perSlab*w) {
			return false
		}
		s.budget -= int(perSlab * w)
		z.slabs = append(z.slabs, make([]uint32, perSlab*w))
	}
	z.taken++
	set.place, set.size = z.taken, size
	return true
}

func (s *seen) grow(set *seenSet) {
	old := *set
	if int(old.size)+1 == seenSizes || !s.alloc(set, old.size+1) {
		set.full = true
		return
	}
	tab := s.table(set)
	mask := uint32(len(tab) - 1)
	for _, mark := range s.table(&old) {
		if mark == 0 {
			continue
		}
		i := mark & mask
		for tab[i] != 0 {
			i = (i + 1) & mask
		}
		tab[i] = mark
	}
	s.release(&old)
}

// release gives a set's places back.
func (s *seen) release(set *seenSet) {
	if set.place != 0 {
		s.sizes[set.size].free = append(s.sizes[set.size].free, set.place)
	}
	*set = seenSet{}
}
