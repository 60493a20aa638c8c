package openflow

import "mlids/mitigate/openflow/ofp"

// The tables, and the priorities of flows in them.
const (
	tableBlocks  = 0
	tableForward = 1

	prioLink   = 2000 // probes over known links
	prioExact  = 1000
	prioCoarse = 500
	prioMiss   = 1
	prioBlock  = 10000 // and more, see block.go
	prioAllow  = 20000 // and the length of the prefix
)

// baseFlows are the flows that a switch always has, without those of its ports.
func baseFlows() []ofp.Message {
	return []ofp.Message{&ofp.FlowMod{
		Cookie: cookie(kindBase, 0), Table: tableBlocks, Instructions: ofp.Instructions{Goto: tableForward},
	}}
}

// missFlow hands the packets of a port that no flow is for to the controller, as many as the meter lets through.
func (n *node) missFlow(number uint32) *ofp.FlowMod {
	return &ofp.FlowMod{
		Cookie: cookie(kindMiss, 0), Table: tableForward, Priority: prioMiss,
		Match: ofp.Match{Set: ofp.HasInPort, InPort: number},
		Instructions: ofp.Instructions{
			Meter: n.missMeter(number), Apply: []ofp.Action{{Port: ofp.PortController, MaxLen: ofp.MaxLenAll}},
		},
	}
}

// portMeters are the meters of a port: for what asks the controller, and for copies.
func (n *node) portMeters(number uint32, cfg *Config) []ofp.Meter {
	return []ofp.Meter{
		{ID: n.missMeter(number), Rate: cfg.MissRate, Burst: cfg.MissRate},
		{ID: n.copyMeter(number), Rate: cfg.CopyRate, Burst: cfg.CopyRate},
	}
}

// openPort lets packets of a new port come to the controller. Its meters may exist: the refusal of a second one says so
// and does no harm.
func (n *network) openPort(at *node, number uint32, add bool) {
	if !at.here() {
		return
	}
	if at.meters && add {
		for _, m := range at.portMeters(number, &n.cfg) {
			at.send(&ofp.MeterMod{Command: ofp.MeterAdd, Meter: m})
		}
	}
	at.send(at.missFlow(number))
}

// linkMatch is the match of probes that come in by a link.
func linkMatch(number uint32) ofp.Match {
	return ofp.Match{Set: ofp.HasInPort | ofp.HasEthDst | ofp.HasEthType, InPort: number, EthDst: lldpGroup(), EthType: ofp.EthLLDP}
}

// openLink frees probes over a link from the meter that packets share: a busy link is no dead one.
func (n *network) openLink(at *node, number uint32) {
	if !at.here() {
		return
	}
	at.send(&ofp.FlowMod{
		Cookie: cookie(kindMiss, 0), Table: tableForward, Priority: prioLink, Match: linkMatch(number),
		Instructions: ofp.Instructions{Apply: []ofp.Action{{Port: ofp.PortController, MaxLen: ofp.MaxLenAll}}},
	})
}

func (n *network) closeLink(at *node, number uint32) {
	if at.here() {
		at.send(&ofp.FlowMod{Command: ofp.FlowDeleteStrict, Table: tableForward, Priority: prioLink, Match: linkMatch(number)})
	}
}

// deleteFlows removes the forwarding flows that a flow-mod describes: those of table 1, and no others than ours that lead
// packets somewhere. The fields of m that choose are its match, its port and its cookie.
func (n *network) deleteFlows(at *node, m ofp.FlowMod) {
	if at == nil || !at.here() {
		return
	}
	m.Table, m.Command = tableForward, ofp.FlowDelete
	if m.CookieMask != 0 {
		at.send(&m)
		return
	}
	for _, kind := range []uint64{kindForward, kindCoarse, kindTree} {
		one := m
		one.Cookie, one.CookieMask = cookie(kind, 0), kindMask
		at.send(&one)
	}
}

// dropTrees removes all flows of broadcasts: the ports that they go to changed.
func (n *network) dropTrees() {
	for _, at := range n.nodes {
		n.deleteFlows(at, ofp.FlowMod{Cookie: cookie(kindTree, 0), CookieMask: kindMask})
	}
}
