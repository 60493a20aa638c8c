package openflow

import (
	"net/netip"
	"time"

	"mlids/mitigate/openflow/ofp"
)

// hostKey names a host: the same address in two VLANs may be two.
type hostKey struct {
	mac  ofp.MAC
	vlan uint16
}

// host is where an address was last seen.
type host struct {
	at    point
	moved time.Time
}

// moveRest is how long a host stays where it is after a move: two ports that claim the same address cannot keep the
// controller busy.
const moveRest = time.Second

// learn notes that a host is behind an edge port.
func (n *network) learn(at *node, p *port, key hostKey) {
	here := point{at.id, p.Number}
	h := n.hosts[key]
	switch {
	case h == nil:
		n.hosts[key] = &host{at: here, moved: time.Now()}
	case h.at != here:
		if time.Since(h.moved) < moveRest {
			return
		}
		n.log.Info("host moved", "mac", key.mac, "from", h.at, "to", here)
		n.forget(key, h)
		n.hosts[key] = &host{at: here, moved: time.Now()}
	}
	if gone, full := p.hosts.set(key, struct{}{}); full {
		delete(n.hosts, gone)
	}
}

// forget removes a host and the flows from and to it.
func (n *network) forget(key hostKey, h *host) {
	if at := n.nodes[h.at.node]; at != nil && at.ports[h.at.port] != nil {
		at.ports[h.at.port].hosts.remove(key)
	}
	delete(n.hosts, key)
	for _, at := range n.nodes {
		n.deleteFlows(at, ofp.FlowMod{Match: ofp.Match{Set: ofp.HasEthDst, EthDst: key.mac}})
		n.deleteFlows(at, ofp.FlowMod{Match: ofp.Match{Set: ofp.HasEthSrc, EthSrc: key.mac}})
	}
}

// forgetHosts removes all hosts behind a port. The flows to them end by themselves, or were deleted with the port.
func (n *network) forgetHosts(p *port) {
	p.hosts.each(func(key hostKey, _ struct{}) { delete(n.hosts, key) })
	p.hosts = newLRU[hostKey, struct{}](n.cfg.MaxHosts)
}

// adopt learns the hosts that the flows of an earlier run tell of, when their ports turn out to be no links.
func (n *network) adopt(at *node) {
	rest := at.known[:0]
	for _, s := range at.known {
		p := at.ports[s.port]
		switch {
		case p == nil || p.linked || !p.Up():
		case !n.isEdge(p):
			rest = append(rest, s)
		case n.hosts[s.key] == nil:
			n.learn(at, p, s.key)
		}
	}
	at.known = rest
}

// locate finds the edge port that packets of an address last came in by.
func (n *network) locate(src netip.Addr) (point, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, ok := n.sources.get(src.Unmap())
	return at, ok
}

// here reports whether a switch takes commands.
func (n *network) here(at *node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return at != nil && at.here()
}
