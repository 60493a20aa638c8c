package openflow

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"time"

	"mlids"
	"mlids/capture"
	"mlids/mitigate/openflow/ofp"
)

// arrival is a packet that came to the controller.
type arrival struct {
	frame
	in     *ofp.PacketIn
	reason capture.Reason
	packet *mlids.Packet // when the frame holds one
}

// Life of flows that stand for many packets, in seconds: they go on being used, so they need an end.
const (
	coarseLife = 5
	treeLife   = 30
	treeIdle   = 10
)

// packetIn learns from a packet and, when it asks for a way, gives it one. It reports whether the packet entered the
// network where it was seen, so that each is shown to the detector once.
func (n *network) packetIn(at *node, a *arrival) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := at.ports[a.in.Match.InPort]
	if p == nil || !p.Up() {
		return false
	}
	if a.kind == ofp.EthLLDP && a.dst == lldpGroup() {
		n.probed(at, p, &a.frame)
		return false
	}
	edge := n.isEdge(p)
	if reserved(a.dst) || a.src.Multicast() || !edge && !p.linked {
		return false
	}
	copied := kindOf(a.in.Cookie) != kindMiss
	if !copied && !p.asks.take(time.Now(), 2*int(n.cfg.MissRate)) { // the switch has no meters, or does not heed them
		n.count.excess.Inc()
		return false
	}
	if edge {
		if !copied && a.dst.Multicast() && n.looped(at, p, a) {
			return false
		}
		n.sighted(at, p, a)
	}
	if whole := len(a.in.Data) >= int(a.in.TotalLen); !copied && whole && at.here() {
		n.forward(at, p, a, edge)
	}
	return edge
}

// sighted learns the sender of a packet.
func (n *network) sighted(at *node, p *port, a *arrival) {
	key := hostKey{a.src, a.vlan}
	n.learn(at, p, key)
	var src netip.Addr
	switch {
	case a.kind == ofp.EthARP:
		sender, _, ok := arpSender(a.payload)
		if !ok || sender.IsUnspecified() {
			return
		}
		n.owners.set(sender, key)
		src = sender
	case a.isIP() && a.reason == capture.Decoded:
		src = a.packet.Src.Netip()
	default:
		return
	}
	n.sources.set(src, point{at.id, p.Number})
}

// forward sends a packet on its way and puts flows for those behind it.
func (n *network) forward(at *node, p *port, a *arrival, edge bool) {
	match, flows := exactMatch(&a.frame, p.Number, a.reason, a.packet)
	here := point{at.id, p.Number}
	if a.dst.Multicast() {
		if to, ok := n.arpTarget(a); ok {
			n.deliver(to, here, a)
			return
		}
		if flows && n.mayAdd(at, p) {
			n.plant(at, match, edge)
		}
		n.flood(here, a)
		return
	}
	h := n.hosts[hostKey{a.dst, a.vlan}]
	if h == nil {
		n.flood(here, a)
		return
	}
	if flows && h.at != here {
		n.connect(at, p, match, h.at, edge)
	}
	n.deliver(h.at, here, a)
}

// arpTarget is where the owner of the address is that an ARP request asks for.
func (n *network) arpTarget(a *arrival) (point, bool) {
	if a.kind != ofp.EthARP {
		return point{}, false
	}
	_, target, ok := arpSender(a.payload)
	if !ok {
		return point{}, false
	}
	key, ok := n.owners.get(target)
	if h := n.hosts[key]; ok && h != nil && key.vlan == a.vlan {
		return h.at, true
	}
	return point{}, false
}

// mayAdd reports whether a port may cause another exact flow.
func (n *network) mayAdd(at *node, p *port) bool {
	return at.flows < n.cfg.MaxFlows && p.tokens.take(time.Now(), n.cfg.NewFlows)
}

// connect puts flows on the switches between a packet's port and its destination, the last first. A port that causes too
// many gets one flow for all that goes to the destination instead.
func (n *network) connect(at *node, p *port, match ofp.Match, to point, edge bool) {
	m := ofp.FlowMod{
		Cookie: cookie(kindForward, to.node), Table: tableForward, Idle: uint16(n.cfg.Idle / time.Second), Priority: prioExact, Match: match,
	}
	if !n.mayAdd(at, p) {
		m.Cookie, m.Priority, m.Idle, m.Hard = cookie(kindCoarse, to.node), prioCoarse, 0, coarseLife
		m.Match = ofp.Match{
			Set: ofp.HasInPort | ofp.HasEthDst | ofp.HasVLAN, InPort: match.InPort, EthDst: match.EthDst, VLAN: match.VLAN,
		}
		n.count.coarse.Inc()
	} else if match.Src.IsValid() && match.Set&(ofp.HasDstPort|ofp.HasICMPType) == 0 {
		m.Priority-- // all of a protocol between two hosts, as for fragments: behind flows with ports
		m.Hard = treeLife
	}
	for _, h := range slices.Backward(n.path(at, p.Number, to)) {
		m.Match.InPort = h.in
		m.Instructions.Apply = []ofp.Action{{Port: h.out}}
		if h.at == at && edge {
			m.Instructions.Apply = n.withCopy(at, h.in, m.Instructions.Apply)
		}
		h.at.send(&m)
		h.at.flows++
		n.count.flows.Inc()
	}
}

// hop is a switch on a way: packets come in by one port and leave by another.
type hop struct {
	at      *node
	in, out uint32
}

// path is the way from a port to another one. It is empty when there is none.
func (n *network) path(at *node, in uint32, to point) []hop {
	ways := n.towards(to.node)
	var hops []hop
	for at.id != to.node {
		out, ok := ways[at.id]
		if !ok || len(hops) > len(n.nodes) {
			return nil
		}
		hops = append(hops, hop{at, in, out})
		next := at.ports[out].peer
		at, in = n.nodes[next.node], next.port
	}
	if !at.here() {
		return nil
	}
	return append(hops, hop{at, in, to.port})
}

// withCopy lets the packets of a flow be copied to the controller, where the switch can bound that.
func (n *network) withCopy(at *node, in uint32, actions []ofp.Action) []ofp.Action {
	if !at.copies {
		return actions
	}
	return append(actions, ofp.Action{Port: ofp.PortController, MaxLen: n.cfg.CopyBytes, Meter: at.copyMeter(in)})
}

// deliver sends a packet out where its destination is, whatever is between. One from there is there already.
func (n *network) deliver(to, from point, a *arrival) {
	at := n.nodes[to.node]
	if to == from || at == nil || !at.here() {
		return
	}
	at.send(&ofp.PacketOut{Buffer: ofp.NoBuffer, InPort: ofp.PortController, Actions: []ofp.Action{{Port: to.port}}, Data: a.in.Data})
}

// flood sends a packet out of all edge ports of all switches. No switch passes it on to another, so no loop can hold it.
func (n *network) flood(from point, a *arrival) {
	for _, at := range n.nodes {
		if !at.here() {
			continue
		}
		if out := n.edges(at, from); len(out) > 0 {
			at.send(&ofp.PacketOut{Buffer: ofp.NoBuffer, InPort: ofp.PortController, Actions: out, Data: a.in.Data})
		}
	}
	n.count.floods.Inc()
}

// edges are the outputs to the edge ports of a switch but one, by their numbers.
func (n *network) edges(at *node, but point) []ofp.Action {
	var out []ofp.Action
	for _, p := range at.ports {
		if n.isEdge(p) && (point{at.id, p.Number}) != but {
			out = append(out, ofp.Action{Port: p.Number})
		}
	}
	slices.SortFunc(out, func(a, b ofp.Action) int { return int(int64(a.Port) - int64(b.Port)) })
	return out
}

// plant puts flows for packets to many along the spanning tree.
func (n *network) plant(at *node, match ofp.Match, edge bool) {
	m := ofp.FlowMod{
		Cookie: cookie(kindTree, 0), Table: tableForward, Priority: prioExact, Idle: treeIdle, Hard: treeLife, Match: match,
	}
	seen := map[uint64]bool{at.id: true}
	for queue := []point{{at.id, match.InPort}}; len(queue) > 0; queue = queue[1:] {
		here := n.nodes[queue[0].node]
		out := n.edges(here, queue[0])
		for _, l := range here.links {
			if !n.tree[point{here.id, l.port}] || seen[l.to.node] || l.port == queue[0].port {
				continue
			}
			seen[l.to.node] = true
			out = append(out, ofp.Action{Port: l.port})
			queue = append(queue, l.to)
		}
		if here == at && edge {
			out = n.withCopy(here, match.InPort, out)
		}
		m.Match.InPort, m.Instructions.Apply = queue[0].port, out
		here.send(&m)
		here.flows++
	}
}

// flooded is a packet that was sent to all a moment ago.
type flooded struct {
	sum  uint64
	from point
	at   time.Time
}

// loopTime is how soon the same packet from another port must be the same packet again.
const loopTime = time.Second

// looped reports whether a broadcast came back: something between two of our ports that we do not know passes it on.
func (n *network) looped(at *node, p *port, a *arrival) bool {
	sum := maphash.Bytes(n.seed, a.in.Data)
	f, here := &n.floods[sum%uint64(len(n.floods))], point{at.id, p.Number}
	if f.sum == sum && f.from != here && time.Since(f.at) < loopTime {
		n.count.loops.Inc()
		return true
	}
	*f = flooded{sum, here, time.Now()}
	return false
}
