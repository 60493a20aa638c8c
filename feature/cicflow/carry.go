package cicflow

import (
	"bytes"
	"hash/maphash"

	"mlids"
	"mlids/flow"
)

// carried is what a flow that a time-out has ended hands on to the next one of its addresses and ports.
type carried struct {
	duration int64 // µs, of the connection up to the end of the cut flow
	last     int64 // µs
	set      seenSet
	over     bool // closed or reset
	idBack   bool // see stateV4
	down     bool // the flow's source is the greater of both sides
}

// carry remembers cut connections, the latest ones at least: of what is older than the last half of its capacity all is
// forgotten at once. Connections go by a keyed hash of 64 bits: their keys would take most of the memory.
type carry struct {
	young, old cuts
	half       int
	seed       uint64
	drop       func(*seenSet) // called for the set of each forgotten one
}

func newCarry(capacity int, drop func(*seenSet)) *carry {
	return &carry{
		young: newCuts(), old: newCuts(), half: max(capacity/2, 1), drop: drop, seed: maphash.Comparable(maphash.MakeSeed(), 0),
	}
}

// down reports whether a key's source is the greater of both sides.
func down(k *mlids.FlowKey) bool {
	if c := bytes.Compare(k.Src[:], k.Dst[:]); c != 0 {
		return c > 0
	}
	return k.SrcPort > k.DstPort
}

// put remembers what the flow with this key hands on.
func (c *carry) put(key *mlids.FlowKey, v carried) {
	v.down = down(key)
	if c.young.index.Len() >= c.half {
		c.old.forget(c.drop)
		c.old, c.young = c.young, c.old
	}
	c.young.put(c.hash(key), v)
}

// take finds and forgets what was remembered under either direction of key, and turns key to the direction that the
// flow had.
func (c *carry) take(key *mlids.FlowKey) (carried, bool) {
	h := c.hash(key)
	v, ok := c.young.take(h)
	if !ok {
		v, ok = c.old.take(h)
	}
	if ok && v.down != down(key) {
		*key = key.Reverse()
	}
	return v, ok
}

func (c *carry) hash(key *mlids.FlowKey) uint64 { return flow.Hash(key, c.seed) }

// cuts finds cut connections by their hashes. They lie in chunks that never move.
type cuts struct {
	index  flow.Index
	chunks []*[cutChunk]cut
	taken  uint32 // places handed out at least once, which count from 1
	free   uint32 // list of places given back, linked by their hashes
}

const cutChunk = 1 << 10

type cut struct {
	hash uint64
	carried
}

func newCuts() cuts { return cuts{index: flow.NewIndex()} }

func (c *cuts) at(place uint32) *cut {
	return &c.chunks[(place-1)/cutChunk][(place-1)%cutChunk]
}

// find gives the place of a hash, 0 if it has none.
func (c *cuts) find(hash uint64) uint32 {
	return c.index.Find(uint32(hash), func(place uint32) bool { return c.at(place).hash == hash })
}

// put adds v, or replaces what had this hash.
func (c *cuts) put(hash uint64, v carried) {
	place := c.find(hash)
	if place == 0 {
		place = c.alloc()
		c.index.Insert(uint32(hash), place)
	}
	*c.at(place) = cut{hash, v}
}

func (c *cuts) alloc() uint32 {
	if place := c.free; place != 0 {
		c.free = uint32(c.at(place).hash)
		return place
	}
	if c.taken == uint32(len(c.chunks))*cutChunk {
		c.chunks = append(c.chunks, new([cutChunk]cut))
	}
	c.taken++
	return c.taken
}

// take finds and removes.
func (c *cuts) take(hash uint64) (carried, bool) {
	place := c.find(hash)
	if place == 0 {
		return carried{}, false
	}
	c.index.Remove(uint32(hash), place)
	s := c.at(place)
	v := s.carried
	s.hash, c.free = uint64(c.free), place
	return v, true
}

// forget removes all and hands each one's set to drop.
func (c *cuts) forget(drop func(*seenSet)) {
	for place := range c.index.All() {
		drop(&c.at(place).set)
	}
	c.index.Clear()
	c.taken, c.free = 0, 0
}
