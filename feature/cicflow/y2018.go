package cicflow

import (
	"mlids"
	"mlids/flow"
)

// state2018 is what cicflow/2018 keeps of a flow.
type state2018 struct {
	core
	head  uint32         // payload of the first packet
	flags mlids.TCPFlags // of the first packet
}

// y2018 is the life cycle of CICFlowMeter in February 2018: a flow is cut 120 s after its start, whereupon it goes on in
// the same direction, and ends with the first FIN.
type y2018 struct {
	carry *carry
	emit  func(*flow.Flow[state2018])
}

// key2018 names flows of TCP and UDP by addresses and ports, all others by addresses alone.
func key2018(p *mlids.Packet, k *mlids.FlowKey) {
	k.Src, k.Dst = p.Src, p.Dst
	if proto := protocol(p); ported(proto) {
		k.SrcPort, k.DstPort, k.Proto = p.SrcPort, p.DstPort, proto
	}
}

// Begin implements flow.Handler.
func (h *y2018) Begin(f, prev *flow.Flow[state2018], p *mlids.Packet) {
	if prev != nil {
		f.Key = prev.Key
	} else {
		h.carry.take(&f.Key)
	}
	s, k := &f.State, look(p, &f.Key)
	s.flags, s.head = p.Flags, k.payload
	back := !k.fwd
	k.fwd = true // the reference counts a flow's first packet before it knows which way the flow goes
	s.begin(p, k)
	s.turned = back
	s.fwd.window = p.Window
	s.payload.add(1, int64(k.payload))
	s.payload.add(2, int64(k.payload)) // the reference counts it twice
	if p.Unseen > 1 {
		s.addMany(k, p.Unseen-1)
	}
}

// Add implements flow.Handler.
func (h *y2018) Add(f *flow.Flow[state2018], p *mlids.Packet, _ bool) flow.Action {
	s, k := &f.State, look(p, &f.Key)
	if p.Unseen > 0 {
		s.addMany(k, p.Unseen)
		return flow.Keep
	}
	last := p.Flags.Has(mlids.FIN)
	if !last {
		s.pause(k.now)
	}
	s.add(k)
	s.payload.add(s.packets()+1, int64(k.payload))
	if !k.fwd {
		s.bwd.window = p.Window
	}
	if last {
		return flow.CloseFIN
	}
	return flow.Keep
}

// End implements flow.Handler.
func (h *y2018) End(f *flow.Flow[state2018]) {
	if f.State.packets() > 1 {
		h.emit(f)
	}
	if timedOut(f.Reason) && !f.Heir {
		h.carry.put(&f.Key, carried{})
	}
}
