package flow

// index is an open-addressing hash table from hashes to flows: linear probing, at most three quarters full, deletion by
// shifting back. An entry is tag<<32 | ref; the tag alone places it, so that growing touches no flow.
type index struct {
	entries []uint64
	mask    uint32
	n       int
}

const minIndex = 1 << 10

func newIndex() index {
	return index{entries: make([]uint64, minIndex), mask: minIndex - 1}
}

func (x *index) insert(tag uint32, r ref) {
	if 4*(x.n+1) > 3*len(x.entries) {
		x.grow()
	}
	x.n++
	i := tag & x.mask
	for x.entries[i] != 0 {
		i = (i + 1) & x.mask
	}
	x.entries[i] = uint64(tag)<<32 | uint64(r)
}

func (x *index) grow() {
	old := x.entries
	x.entries = make([]uint64, 2*len(old))
	x.mask = uint32(len(x.entries) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := uint32(e>>32) & x.mask
		for x.entries[i] != 0 {
			i = (i + 1) & x.mask
		}
		x.entries[i] = e
	}
}

func (x *index) remove(tag uint32, r ref) {
	entry := uint64(tag)<<32 | uint64(r)
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
