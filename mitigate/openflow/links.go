package openflow

import (
	"cmp"
	"slices"
	"time"

	"mlids/mitigate/openflow/ofp"
)

// probeAll sends a probe out of every port of a switch.
func (n *network) probeAll(at *node) {
	for _, p := range at.ports {
		n.probe(at, p)
	}
}

func (n *network) probe(at *node, p *port) {
	if !at.here() || !p.Up() || p.Number == ofp.PortLocal {
		return
	}
	at.send(&ofp.PacketOut{
		Buffer: ofp.NoBuffer, InPort: ofp.PortController, Actions: []ofp.Action{{Port: p.Number}},
		Data: n.prober.probe(point{at.id, p.Number}, p.MAC),
	})
}

// probed takes an LLDP frame that came in. One of ours tells of a link.
func (n *network) probed(at *node, p *port, f *frame) {
	from, ok := n.prober.origin(f.payload)
	if !ok {
		n.count.forged.Inc()
		return
	}
	other := n.nodes[from.node]
	if other == nil || other.ports[from.port] == nil || !other.ports[from.port].Up() || from == (point{at.id, p.Number}) {
		return
	}
	q := other.ports[from.port]
	here, now := point{at.id, p.Number}, time.Now()
	if p.linked && p.peer == from && q.linked && q.peer == here {
		p.heard, q.heard = now, now
		return
	}
	if p.linked && p.peer != from || q.linked && q.peer != here { // the old link must fail first
		return
	}
	n.log.Info("link found", "from", from, "to", here)
	for port, peer := range map[*port]point{p: from, q: here} {
		port.linked, port.peer, port.heard = true, peer, now
		n.forgetHosts(port)
	}
	n.openLink(at, p.Number)
	n.openLink(other, q.Number)
	n.changed()
}

// unlink takes a link away, at both ends.
func (n *network) unlink(at *node, p *port, why string) {
	n.log.Info("link lost", "from", point{at.id, p.Number}, "to", p.peer, "reason", why)
	now := time.Now()
	if other := n.nodes[p.peer.node]; other != nil {
		if q := other.ports[p.peer.port]; q != nil && q.linked && q.peer == (point{at.id, p.Number}) {
			q.linked, q.peer, q.since = false, point{}, now
			n.deleteFlows(other, ofp.FlowMod{OutPort: q.Number})
			n.closeLink(other, q.Number)
		}
	}
	p.linked, p.peer, p.since = false, point{}, now
	n.deleteFlows(at, ofp.FlowMod{OutPort: p.Number})
	n.closeLink(at, p.Number)
	n.changed()
}

// changed finds the ways anew after links, switches or roles changed, and removes the flows that took another way before.
func (n *network) changed() {
	for _, at := range n.nodes {
		at.links = at.links[:0]
		for _, p := range at.ports {
			if other := n.nodes[p.peer.node]; p.linked && other != nil && other.here() && at.here() {
				at.links = append(at.links, link{p.Number, p.peer})
			}
		}
		slices.SortFunc(at.links, func(a, b link) int { return cmp.Compare(a.port, b.port) })
	}
	old := n.routes
	n.routes = map[uint64]map[uint64]uint32{}
	for to, before := range old {
		after := n.towards(to)
		for from, port := range before {
			if next, ok := after[from]; ok && next != port {
				for _, kind := range []uint64{kindForward, kindCoarse} {
					n.deleteFlows(n.nodes[from], ofp.FlowMod{Cookie: cookie(kind, to), CookieMask: everything})
				}
			}
		}
	}
	n.spanTree()
}

// towards tells for each switch the port of the shortest way to the switch to (breadth first; of equal ways, the one
// through the lower port number nearest to it).
func (n *network) towards(to uint64) map[uint64]uint32 {
	if ways, ok := n.routes[to]; ok {
		return ways
	}
	ways := map[uint64]uint32{}
	if n.nodes[to] != nil {
		n.walk(to, func(_ uint64, l link) {
			ways[l.to.node] = l.to.port
		})
	}
	n.routes[to] = ways
	return ways
}

// walk visits the switches that can be reached from a first one, each over the link by which it is found.
func (n *network) walk(first uint64, visit func(from uint64, l link)) map[uint64]bool {
	seen := map[uint64]bool{first: true}
	for queue := []uint64{first}; len(queue) > 0; queue = queue[1:] {
		for _, l := range n.nodes[queue[0]].links {
			if !seen[l.to.node] {
				seen[l.to.node] = true
				visit(queue[0], l)
				queue = append(queue, l.to.node)
			}
		}
	}
	return seen
}

// spanTree chooses the links that broadcasts take, so that there is one way between any two switches.
func (n *network) spanTree() {
	tree, seen := map[point]bool{}, map[uint64]bool{}
	for _, at := range n.sorted() {
		if seen[at.id] {
			continue
		}
		for id := range n.walk(at.id, func(from uint64, l link) {
			tree[point{from, l.port}], tree[l.to] = true, true
		}) {
			seen[id] = true
		}
	}
	if !equalTrees(tree, n.tree) {
		n.tree = tree
		n.dropTrees()
	}
}

func equalTrees(a, b map[point]bool) bool {
	for p := range a {
		if !b[p] {
			return false
		}
	}
	return len(a) == len(b)
}

func (n *network) linkCount() int {
	count := 0
	for _, at := range n.nodes {
		count += len(at.links)
	}
	return count / 2
}
