package openflow

import (
	"encoding/binary"
	"sync"
	"time"

	"mlids"
	"mlids/mitigate/openflow/ofp"
)

// Copies are bounded by a meter, so a flood in an installed flow would look as small as the meter makes it. The switch's
// own counters tell how many packets there were; the difference is told to the detector.

// fewUnseen is a difference that counts for nothing: copies on their way.
const fewUnseen = 20

// mostUnseen bounds what a switch may say of one flow at a time.
const mostUnseen = 1 << 24

// counting compares, for the flows by which packets enter the network at a switch, what the switch counted with what the
// detector was shown.
type counting struct {
	mu    sync.Mutex
	limit int // of flows
	flows map[ofp.Match]*counted
	round uint64
}

type counted struct {
	packets, bytes uint64 // by the switch, at the last poll
	shown          uint64 // to the detector: copies, and packets that it was told of
	round          uint64 // of the poll in which it was there
}

func newCounting(limit int) *counting {
	return &counting{limit: limit, flows: map[ofp.Match]*counted{}}
}

// show notes that the detector got a copy of a packet in the flow with this match.
func (c *counting) show(m ofp.Match) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.at(m); one != nil {
		one.shown++
	}
}

// at finds or makes the entry of a flow, nil when there are too many. The caller holds mu.
func (c *counting) at(m ofp.Match) *counted {
	one := c.flows[m]
	if one == nil && len(c.flows) < c.limit {
		one = &counted{round: c.round + 1}
		c.flows[m] = one
	}
	return one
}

// begin starts a poll.
func (c *counting) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
}

// end forgets the flows that are on the switch no more.
func (c *counting) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for m, one := range c.flows {
		if one.round < c.round {
			delete(c.flows, m)
		}
	}
}

// take gives a flow's counters to tell, which says to the detector that so many packets of a mean size in bytes were not
// shown to it, and reports whether the detector took that. A flow older than fresh that was not known is one of an earlier
// run: its packets until now are history.
func (c *counting) take(f *ofp.FlowStats, fresh time.Duration, tell func(unseen uint32, mean int) bool) {
	if kindOf(f.Cookie) != kindForward || !single(&f.Match) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, known := c.flows[f.Match]
	one := c.at(f.Match)
	if one == nil {
		return
	}
	switch {
	case !known && time.Duration(f.Seconds)*time.Second > fresh:
		one.shown, one.packets, one.bytes = f.Packets, f.Packets, f.Bytes
	case f.Packets < one.packets: // put there anew
		one.shown, one.packets, one.bytes = 0, 0, 0
	}
	one.round = c.round
	if f.Packets > one.packets && f.Bytes >= one.bytes && f.Packets >= one.shown+fewUnseen {
		unseen := min(f.Packets-one.shown, mostUnseen)
		if tell(uint32(unseen), int(min((f.Bytes-one.bytes)/(f.Packets-one.packets), 0xffff))) {
			one.shown = f.Packets
		}
	}
	one.packets, one.bytes = f.Packets, f.Bytes
}

// single reports whether a match is that of one flow. A protocol with ports, but none given, is that of fragments; new flows between
// the same hosts use it, too, and their copies are counted elsewhere: copies have to do.
func single(m *ofp.Match) bool {
	switch m.Proto {
	case mlids.ProtoTCP, mlids.ProtoUDP, mlids.ProtoSCTP, mlids.ProtoICMP, mlids.ProtoICMPv6:
		return m.Set&(ofp.HasDstPort|ofp.HasICMPType) != 0
	}
	return m.Src.IsValid()
}

// headersOf are headers of a packet in the flow with this match, whose frames have size bytes.
func headersOf(b []byte, m *ofp.Match, size int) []byte {
	b = append(append(b[:0], m.EthDst[:]...), m.EthSrc[:]...)
	if m.VLAN&ofp.VLANPresent != 0 {
		b = binary.BigEndian.AppendUint16(b, etherTag)
		b = binary.BigEndian.AppendUint16(b, m.VLAN&^ofp.VLANPresent)
	}
	b = binary.BigEndian.AppendUint16(b, m.EthType)
	transport := transportOf(m)
	if m.EthType == ofp.EthIPv4 {
		length := uint16(max(size-len(b), 20+len(transport)))
		b = append(b, 0x45, 0, byte(length>>8), byte(length), 0, 0, 0, 0, 64, m.Proto, 0, 0)
	} else {
		length := uint16(max(size-len(b)-40, len(transport)))
		b = append(b, 0x60, 0, 0, 0, byte(length>>8), byte(length), m.Proto, 64)
	}
	b = append(append(b, m.Src.Addr().AsSlice()...), m.Dst.Addr().AsSlice()...)
	if m.Proto == mlids.ProtoUDP {
		length := max(size-len(b), len(transport))
		binary.BigEndian.PutUint16(transport[4:], uint16(length))
	}
	return append(b, transport...)
}

// transportOf is the transport header that a match tells of.
func transportOf(m *ofp.Match) []byte {
	ports := []byte{byte(m.SrcPort >> 8), byte(m.SrcPort), byte(m.DstPort >> 8), byte(m.DstPort)}
	switch m.Proto {
	case mlids.ProtoTCP:
		return append(ports, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, byte(mlids.ACK), 0, 0, 0, 0, 0, 0)
	case mlids.ProtoUDP:
		return append(ports, 0, 0, 0, 0)
	case mlids.ProtoSCTP:
		return append(ports, 0, 0, 0, 0, 0, 0, 0, 0)
	case mlids.ProtoICMP, mlids.ProtoICMPv6:
		return []byte{m.ICMPType, m.ICMPCode, 0, 0, 0, 0, 0, 0}
	}
	return nil
}
