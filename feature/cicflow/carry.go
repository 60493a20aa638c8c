package cicflow

import (
	"bytes"
	"hash/maphash"

	"mlids"
	"mlids/flow"
)

// carried is what a connection hands on to the flow that follows when a time-out has cut it and it goes on later.
type carried struct {
	duration int64 // µs, of the connection up to the end of the cut flow
	last     int64 // µs
	set      seenSet
	over     bool // closed or reset
	down     bool // the flow's source is the greater of both sides
}

// carry remembers cut connections, the latest ones at least: of what is older than the last half of its capacity all is
// forgotten at once. Connections go by a keyed hash of 64 bits: their keys would take most of the memory.
type carry struct {
	young, old map[uint64]carried
	half       int
	seed       uint64
	drop       func(*seenSet) // called for the set of each forgotten one
}

func newCarry(capacity int, drop func(*seenSet)) *carry {
	return &carry{
		young: map[uint64]carried{}, half: max(capacity/2, 1), drop: drop,
		seed: maphash.Comparable(maphash.MakeSeed(), 0),
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
	if len(c.young) >= c.half {
		for _, forgotten := range c.old {
			c.drop(&forgotten.set)
		}
		clear(c.old)
		c.old, c.young = c.young, c.old
		if c.young == nil {
			c.young = map[uint64]carried{}
		}
	}
	c.young[flow.Hash(key, c.seed)] = v
}

// take finds and forgets what was remembered under either direction of key, and turns key to the direction that the
// flow had.
func (c *carry) take(key *mlids.FlowKey) (carried, bool) {
	h := flow.Hash(key, c.seed)
	v, ok := c.young[h]
	if ok {
		delete(c.young, h)
	} else if v, ok = c.old[h]; ok {
		delete(c.old, h)
	}
	if ok && v.down != down(key) {
		*key = key.Reverse()
	}
	return v, ok
}
