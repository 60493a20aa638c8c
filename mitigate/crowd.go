package mitigate

import (
	"maps"
	"net/netip"

	"mlids"
)

// crowd counts the verdicts on packets that enter one port for one destination.
type crowd struct {
	verdicts int
	sources  map[netip.Addr]int // verdicts by source, of the first few sources
	proto    uint8
	port     uint16 // of the destination
	protos   bool   // more than one
	ports    bool   // more than one
}

// add counts a verdict. No more than limit sources are told apart.
func (c *crowd) add(a *mlids.Alert, limit int) {
	if c.verdicts == 0 {
		c.proto, c.port, c.sources = a.Proto, a.DstPort, map[netip.Addr]int{}
	}
	c.verdicts++
	c.protos = c.protos || a.Proto != c.proto
	c.ports = c.ports || a.DstPort != c.port
	if _, known := c.sources[a.Src]; known || len(c.sources) < limit {
		c.sources[a.Src]++
	}
}

// join is c and what was before it, nil if these are fewer than enough verdicts.
func (c *crowd) join(before *crowd, enough int) *crowd {
	switch {
	case before == nil && c.verdicts < enough, before != nil && c.verdicts+before.verdicts < enough:
		return nil
	case before == nil:
		return c
	}
	all := &crowd{
		verdicts: c.verdicts + before.verdicts, sources: maps.Clone(c.sources), proto: c.proto, port: c.port,
		protos: c.protos || before.protos || c.proto != before.proto, ports: c.ports || before.ports || c.port != before.port,
	}
	for src, n := range before.sources {
		all.sources[src] += n
	}
	return all
}

// wide reports whether the crowd has that many sources and none of them made more than half of it.
func (c *crowd) wide(sources int) bool {
	if len(c.sources) < sources {
		return false
	}
	for _, n := range c.sources {
		if 2*n > c.verdicts {
			return false
		}
	}
	return true
}
