package flow

import "iter"

// Index is an open-addressing hash table from hashes to places in a slab, which count from 1: linear probing, at most three
// quarters full, deletion by shifting back. An entry is tag<<32 | place; the tag, which is the hash, alone says where it
// stands, so that growing touches nothing in the slab.
type Index struct {
	entries []uint64
	mask    uint32
	n       int
}

const minIndex = 1 << 10

// NewIndex makes an empty index.
func NewIndex() Index {
	return Index{entries: make([]uint64, minIndex), mask: minIndex - 1}
}

// Len is how many places are in the index.
func (x *Index) Len() int { return x.n }

// Find gives the place with this hash for which is holds; 0 when there is none.
func (x *Index) Find(tag uint32, is func(place uint32) bool) uint32 {
	for i := tag & x.mask; x.entries[i] != 0; i = (i + 1) & x.mask {
		if e := x.entries[i]; uint32(e>>32) == tag && is(uint32(e)) {
			return uint32(e)
		}
	}
	return 0
}

// All gives the places, in no order.
func (x *Index) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, e := range x.entries {
			if e != 0 && !yield(uint32(e)) {
				return
			}
		}
	}
}

// Insert adds a place that is not there.
func (x *Index) Insert(tag, place uint32) {
	if 4*(x.n+1) > 3*len(x.entries) {
		x.grow()
	}
	x.n++
	x.entries[x.vacant(tag)] = uint64(tag)<<32 | uint64(place)
}

func (x *Index) grow() {
	old := x.entries
	x.entries = make([]uint64, 2*len(old))
	x.mask = uint32(len(x.entries) - 1)
	for _, e := range old {
		if e != 0 {
			x.entries[x.vacant(uint32(e>>32))] = e
		}
	}
}

// vacant is the first free entry for a hash.
func (x *Index) vacant(tag uint32) uint32 {
	i := tag & x.mask
	for x.entries[i] != 0 {
		i = (i + 1) & x.mask
	}
	return i
}

// Remove takes out a place, if it is there.
func (x *Index) Remove(tag, place uint32) {
	entry := uint64(tag)<<32 | uint64(place)
	i := tag & x.mask
	for x.entries[i] != entry {
		if x.entries[i] == 0 {
			return
		}
		i = (i + 1) & x.mask
	}
	x.n--
	for hole, j := i, (i+1)&x.mask; ; j = (j + 1) & x.mask {
		e := x.entries[j]
		if e == 0 {
			x.entries[hole] = 0
			return
		}
		home := uint32(e>>32) & x.mask
		if (j-home)&x.mask >= (j-hole)&x.mask { // e may move back to the hole without passing its home
			x.entries[hole] = e
			hole = j
		}
	}
}

// Clear takes out all places.
func (x *Index) Clear() {
	clear(x.entries)
	x.n = 0
}
