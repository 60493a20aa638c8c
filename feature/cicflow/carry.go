package cicflow

import "mlids"

// carried is what a connection hands on to the flow that follows when a time-out has cut it and it goes on later.
type carried struct {
	set      seenSet
	duration int64 // µs, of the connection up to the end of the cut flow
	last     int64 // µs
	turned   bool  // the flow's source is the carry's destination
	over     bool  // closed or reset
}

// carry remembers cut connections, the latest ones at least: what is older than the last half of its capacity is
// forgotten in one go.
type carry struct {
	young, old map[mlids.FlowKey]carried
	half       int
	drop       func(*carried) // called for each forgotten one
}

func newCarry(capacity int, drop func(*carried)) *carry {
	return &carry{young: map[mlids.FlowKey]carried{}, half: max(capacity/2, 1), drop: drop}
}

// canonical is the key as one of both directions has it.
func canonical(k mlids.FlowKey) (mlids.FlowKey, bool) {
	r := k.Reverse()
	for i := range k.Src {
		if k.Src[i] != r.Src[i] {
			if k.Src[i] > r.Src[i] {
				return r, true
			}
			return k, false
		}
	}
	if k.SrcPort > r.SrcPort {
		return r, true
	}
	return k, false
}

// put remembers what the flow with this key hands on.
func (c *carry) put(key mlids.FlowKey, v carried) {
	k, turned := canonical(key)
	v.turned = turned
	if len(c.young) >= c.half {
		for _, forgotten := range c.old {
			c.drop(&forgotten)
		}
		c.old, c.young = c.young, make(map[mlids.FlowKey]carried, c.half)
	}
	c.young[k] = v
}

// take finds and forgets what was remembered under either direction of key, and the direction that the flow had.
func (c *carry) take(key mlids.FlowKey) (carried, mlids.FlowKey, bool) {
	k, _ := canonical(key)
	v, ok := c.young[k]
	if ok {
		delete(c.young, k)
	} else if v, ok = c.old[k]; ok {
		delete(c.old, k)
	}
	if v.turned {
		k = k.Reverse()
	}
	return v, k, ok
}
