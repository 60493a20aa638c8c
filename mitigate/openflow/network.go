package openflow

import (
	"crypto/rand"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"mlids/mitigate/openflow/ofp"
)

// network is what the controller knows: switches, links, hosts and the ways between them. Its methods take the lock that
// guards it; those with a small n in front are called under it.
type network struct {
	cfg    Config
	log    *slog.Logger
	count  *metrics
	prober prober

	mu      sync.Mutex
	nodes   map[uint64]*node
	hosts   map[hostKey]*host
	owners  *lru[netip.Addr, hostKey] // who answers ARP for an address
	sources *lru[netip.Addr, point]   // where packets of an address last came in
	routes  map[uint64]map[uint64]uint32
	tree    map[point]bool // the ports of links that broadcasts take
	ticked  time.Time
	seed    maphash.Seed
	floods  [1024]flooded
}

// maxSources bounds how many source addresses are remembered, awayFor how long a switch is that went away.
const (
	maxSources = 1 << 16
	awayFor    = 5 * time.Minute
)

func newNetwork(cfg Config, log *slog.Logger, count *metrics) *network {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	return &network{
		cfg: cfg, log: log, count: count, prober: prober{key}, seed: maphash.MakeSeed(),
		nodes: map[uint64]*node{}, hosts: map[hostKey]*host{},
		owners: newLRU[netip.Addr, hostKey](maxSources), sources: newLRU[netip.Addr, point](maxSources),
		routes: map[uint64]map[uint64]uint32{}, tree: map[point]bool{},
	}
}

// join brings a switch in. What was known of it before it went away stays.
func (n *network) join(at *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if old := n.nodes[at.id]; old != nil {
		n.inherit(at, old)
	}
	n.nodes[at.id] = at
	n.changed()
	for _, other := range n.nodes {
		n.probeAll(other)
	}
}

// inherit hands what was known behind a switch's ports to its new connection. Ports that are gone or down have nothing behind them.
func (n *network) inherit(at, old *node) {
	for number, before := range old.ports {
		p := at.ports[number]
		if p != nil && before.Up() && p.Up() {
			p.since, p.linked, p.peer, p.heard, p.hosts = before.since, before.linked, before.peer, time.Now(), before.hosts
			continue
		}
		n.forgetHosts(before)
		if p == nil {
			n.deleteFlows(at, ofp.FlowMod{OutPort: number})
		}
	}
}

// leave notes that a switch's connection ended. Its packets go on as its flows say.
func (n *network) leave(at *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.nodes[at.id] != at {
		return
	}
	at.send, at.left = nil, time.Now()
	n.changed()
}

// setSlave notes whether a switch takes commands. It reports whether that is new.
func (n *network) setSlave(at *node, slave bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at.slave == slave {
		return false
	}
	at.slave = slave
	n.changed()
	return true
}

// counted notes how many forwarding flows a switch has.
func (n *network) counted(at *node, flows int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at.flows = flows
}

// edgePorts are the ports of a switch that hosts may be behind.
func (n *network) edgePorts(at *node) map[uint32]bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	edges := map[uint32]bool{}
	for number, p := range at.ports {
		edges[number] = n.isEdge(p)
	}
	return edges
}

// noCopies notes that a switch refused to copy through a meter.
func (n *network) noCopies(at *node) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	had := at.copies
	at.copies = false
	return had
}

// portStatus takes a change of a port. It reports false when the switch has too many.
func (n *network) portStatus(at *node, m *ofp.PortStatus) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, now := m.Port.Number, time.Now()
	if !realPort(number) {
		return true
	}
	p, known := at.ports[number]
	if m.Reason == ofp.PortDeleted {
		n.portDown(at, p)
		delete(at.ports, number)
		return true
	}
	if !known {
		if len(at.ports) >= maxPorts {
			return false
		}
		p = newPort(m.Port, now, n.cfg.MaxHosts)
		at.ports[number] = p
		n.openPort(at, number, true)
		n.portUp(at, p)
		return true
	}
	was := p.Up()
	p.Port = m.Port
	switch {
	case was && !p.Up():
		n.portDown(at, p)
	case !was && p.Up():
		p.since = now
		n.openPort(at, number, false)
		n.portUp(at, p)
	}
	return true
}

// portUp asks what is behind a port. Broadcasts go there, too, when it turns out to be no link.
func (n *network) portUp(at *node, p *port) {
	if p.Up() {
		n.probe(at, p)
		n.dropTrees()
	}
}

// portDown forgets what was behind a port and takes the flows through it away, so that packets ask for a new way.
func (n *network) portDown(at *node, p *port) {
	if p == nil {
		return
	}
	n.forgetHosts(p)
	n.deleteFlows(at, ofp.FlowMod{OutPort: p.Number})
	n.deleteFlows(at, ofp.FlowMod{Match: ofp.Match{Set: ofp.HasInPort, InPort: p.Number}})
	if p.linked {
		n.unlink(at, p, "port down")
	}
	n.dropTrees()
}

// tick does what is due by time: probes, links that are silent, switches that are gone for good.
func (n *network) tick(probe bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	late := !n.ticked.IsZero() && now.Sub(n.ticked) > n.cfg.Probe // we were asleep: what links said meanwhile is still to be read
	n.ticked = now
	for _, at := range n.sorted() {
		if at.send == nil {
			if now.Sub(at.left) > awayFor {
				n.forgetNode(at)
			}
			continue
		}
		for _, p := range at.ports {
			if late {
				p.heard = now
			}
			if p.linked && now.Sub(p.heard) > 3*n.cfg.Probe+n.cfg.Probe/2 {
				n.unlink(at, p, "no probe arrived")
			}
		}
		n.adopt(at)
		if probe {
			n.probeAll(at)
		}
	}
	n.count.state(len(n.nodes), len(n.hosts), n.linkCount())
}

// forgetNode removes a switch with its hosts.
func (n *network) forgetNode(at *node) {
	for _, p := range at.ports {
		n.forgetHosts(p)
	}
	delete(n.nodes, at.id)
	n.changed()
}

// sorted are the nodes by their ids.
func (n *network) sorted() []*node {
	list := make([]*node, 0, len(n.nodes))
	for _, at := range n.nodes {
		list = append(list, at)
	}
	slices.SortFunc(list, func(a, b *node) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return list
}

// isEdge reports whether hosts may be behind a port: it is no link, and was probed long enough to be sure.
func (n *network) isEdge(p *port) bool {
	return p.Up() && !p.linked && time.Since(p.since) >= n.cfg.Settle
}
