package cicflow

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"slices"

	"mlids"
)

// seen remembers the TCP packets of connections, to tell repeated ones. Each connection has a set of 32-bit
// fingerprints: a list of chunks while it is short, then a hash table. Memory is bounded; a connection that gets no more
// goes on with the packets that it has.
type seen struct {
	sizes  [seenSizes]seenSize
	budget int // fingerprints that may still be allocated
	seed   uint64
}

const (
	seenSizes = 7       // the list's chunks, and tables of 2^9 places up to 2^19, each four times the one before
	slabWords = 1 << 14 // at least

	chunkWords = 8              // of which the last one links to the chunk before
	chunkMarks = chunkWords - 1 // fingerprints
	listMarks  = 32 * chunkMarks
)

// seenSize holds the tables of one size, or the chunks.
type seenSize struct {
	slabs [][]uint32
	free  []uint32
	taken uint32
}

// seenSet is a connection's set; the zero value is empty.
type seenSet struct {
	place uint32 // number of its table, or of its latest chunk, from 1
	n     uint32
	size  uint8
	full  bool // no more memory
}

// add notes a packet and reports whether an equal one was there: the same sender, sequence and acknowledgement numbers,
// payload length and window. fresh says that the packet cannot be a repetition.
func (s *seen) add(set *seenSet, p *mlids.Packet, fresh bool) bool {
	mark := s.fingerprint(p)
	if set.size > 0 {
		return s.tabulate(set, mark) && !fresh
	}
	if !fresh && s.listed(set, mark) {
		return true
	}
	s.list(set, mark)
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

// listed looks through the chunks, the latest first.
func (s *seen) listed(set *seenSet, mark uint32) bool {
	if set.n == 0 {
		return false
	}
	used := (set.n-1)%chunkMarks + 1
	for place := set.place; place != 0; used = chunkMarks {
		chunk := s.words(0, place)
		if slices.Contains(chunk[:used], mark) {
			return true
		}
		place = chunk[chunkMarks]
	}
	return false
}

// list appends to the chunks, or makes a table of them.
func (s *seen) list(set *seenSet, mark uint32) {
	if set.n == listMarks {
		if s.grow(set) {
			s.tabulate(set, mark)
		}
		return
	}
	at := set.n % chunkMarks
	if at == 0 {
		place, ok := s.alloc(0)
		if !ok {
			return
		}
		s.words(0, place)[chunkMarks] = set.place
		set.place = place
	}
	s.words(0, set.place)[at] = mark
	set.n++
}

// tabulate adds to the hash table and reports whether the mark was there.
func (s *seen) tabulate(set *seenSet, mark uint32) bool {
	tab := s.words(set.size, set.place)
	at, found := probe(tab, mark)
	if found || set.full && 8*(set.n+1) > 7*uint32(len(tab)) {
		return found
	}
	tab[at] = mark
	if set.n++; 4*set.n > 3*uint32(len(tab)) && !set.full {
		set.full = !s.grow(set)
	}
	return false
}

// probe finds a mark, or the place for it.
func probe(tab []uint32, mark uint32) (at uint32, found bool) {
	mask := uint32(len(tab) - 1)
	at = mark & mask
	for tab[at] != 0 {
		if tab[at] == mark {
			return at, true
		}
		at = (at + 1) & mask
	}
	return at, false
}

// grow moves a set into a table of the next size.
func (s *seen) grow(set *seenSet) bool {
	bigger := seenSet{n: set.n, size: set.size + 1}
	if int(bigger.size) == seenSizes {
		return false
	}
	var ok bool
	if bigger.place, ok = s.alloc(bigger.size); !ok {
		return false
	}
	tab := s.words(bigger.size, bigger.place)
	for marks := range s.marks(set) {
		for _, mark := range marks {
			if mark != 0 {
				at, _ := probe(tab, mark)
				tab[at] = mark
			}
		}
	}
	s.release(set)
	*set = bigger
	return true
}

// marks gives the fingerprints of a set, with zeros among them: chunk by chunk, or the whole table.
func (s *seen) marks(set *seenSet) iter.Seq[[]uint32] {
	return func(yield func([]uint32) bool) {
		if set.size > 0 {
			yield(s.words(set.size, set.place))
			return
		}
		for place := set.place; place != 0; {
			chunk := s.words(0, place)
			if !yield(chunk[:chunkMarks]) {
				return
			}
			place = chunk[chunkMarks]
		}
	}
}

// release gives a set's memory back.
func (s *seen) release(set *seenSet) {
	z := &s.sizes[set.size]
	for place := set.place; place != 0; {
		z.free = append(z.free, place)
		if set.size > 0 {
			break
		}
		place = s.words(0, place)[chunkMarks]
	}
	*set = seenSet{}
}

// seenWords is the length of a table, or of a chunk.
func seenWords(size uint8) uint32 {
	if size == 0 {
		return chunkWords
	}
	return 1 << (7 + 2*uint32(size))
}

// words is the memory of a table or chunk.
func (s *seen) words(size uint8, place uint32) []uint32 {
	w := seenWords(size)
	perSlab := max(slabWords/w, 1)
	at := (place - 1) % perSlab * w
	return s.sizes[size].slabs[(place-1)/perSlab][at : at+w : at+w]
}

// alloc hands out a table or chunk of zeros.
func (s *seen) alloc(size uint8) (place uint32, ok bool) {
	z := &s.sizes[size]
	if n := len(z.free); n > 0 {
		place = z.free[n-1]
		z.free = z.free[:n-1]
		clear(s.words(size, place))
		return place, true
	}
	w := seenWords(size)
	perSlab := max(slabWords/w, 1)
	if z.taken == uint32(len(z.slabs))*perSlab {
		if s.budget < int(perSlab*w) {
			return 0, false
		}
		s.budget -= int(perSlab * w)
		z.slabs = append(z.slabs, make([]uint32, perSlab*w))
	}
	z.taken++
	return z.taken, true
}
