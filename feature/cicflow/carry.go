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
	return &carry{half: max(capacity/2, 1), drop: drop, seed: maphash.Comparable(maphash.MakeSeed(), 0)}
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
	if c.young.n >= c.half {
		for i := range c.old.slots {
			c.drop(&c.old.slots[i].set)
		}
		clear(c.old.slots)
		c.old.n = 0
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

// hash is never 0.
func (c *carry) hash(key *mlids.FlowKey) uint64 { return max(flow.Hash(key, c.seed), 1) }

// cuts is an open-addressing hash table, at most three quarters full, with deletion by shifting back. A slot with hash 0
// is free.
type cuts struct {
	slots []cut
	n     int
}

type cut struct {
	hash uint64
	carried
}

const minCuts = 1 << 6

// put adds v, or replaces what had this hash.
func (c *cuts) put(hash uint64, v carried) {
	if 4*(c.n+1) > 3*len(c.slots) {
		c.grow()
	}
	s := &c.slots[c.find(hash)]
	if s.hash == 0 {
		c.n++
	}
	*s = cut{hash, v}
}

// find is the slot with this hash, or the free one for it.
func (c *cuts) find(hash uint64) int {
	mask := len(c.slots) - 1
	i := int(hash) & mask
	for c.slots[i].hash != 0 && c.slots[i].hash != hash {
		i = (i + 1) & mask
	}
	return i
}

func (c *cuts) grow() {
	old := c.slots
	c.slots = make([]cut, max(2*len(old), minCuts))
	for i := range old {
		if old[i].hash != 0 {
			c.slots[c.find(old[i].hash)] = old[i]
		}
	}
}

// take finds and removes.
func (c *cuts) take(hash uint64) (carried, bool) {
	if c.n == 0 {
		return carried{}, false
	}
	mask := len(c.slots) - 1
	hole := c.find(hash)
	if c.slots[hole].hash == 0 {
		return carried{}, false
	}
	v := c.slots[hole].carried
	c.n--
	for i := (hole + 1) & mask; c.slots[i].hash != 0; i = (i + 1) & mask {
		home := int(c.slots[i].hash) & mask
		if (i-home)&mask >= (i-hole)&mask { // it may move back to the hole without passing its home
			c.slots[hole] = c.slots[i]
			hole = i
		}
	}
	c.slots[hole] = cut{}
	return v, true
}
