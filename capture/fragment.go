package capture

import "mlids"

const (
	fragmentSets = 1024
	fragmentWays = 4
	fragmentLife = 30 * second // how long later fragments may take, as Linux waits for them
)

// fragmentKey is what the fragments of one packet share (RFC 791, RFC 8200 section 4.5).
type fragmentKey struct {
	src, dst mlids.Addr
	id       uint32
	proto    uint8
}

// fragmentHead is what later fragments lack.
type fragmentHead struct {
	key              fragmentKey
	time             int64
	srcPort, dstPort uint16
	icmpID           uint16
	icmpType, code   uint8
	proto            uint8
	used             bool
}

// fragments remembers the heads of the most recent fragmented packets, at most fragmentSets × fragmentWays of them
// (about 300 kB, from the first fragment on): a flood of fragments pushes out the oldest of a set and costs no more.
type fragments struct {
	sets *[fragmentSets][fragmentWays]fragmentHead
}

// first remembers the head of a fragmented packet from its first fragment p, if that could be decoded.
func (t *fragments) first(key fragmentKey, p *mlids.Packet, reason Reason) Reason {
	if reason == Decoded {
		t.add(key, p)
	}
	return reason
}

// later gives a later fragment what its first one had.
func (t *fragments) later(key fragmentKey, s span, p *mlids.Packet) Reason {
	head := t.find(key, p.Time)
	if head == nil && hasPorts(key.proto) {
		return LostFragment
	}
	if head != nil {
		p.Proto, p.SrcPort, p.DstPort = head.proto, head.srcPort, head.dstPort
		p.ICMPType, p.ICMPCode, p.ICMPID = head.icmpType, head.code, head.icmpID
	}
	p.PayloadLen, p.Payload = uint32(s.wire), s.b
	return Decoded
}

// hasPorts reports whether the fragments of a protocol are of no use without their first one.
func hasPorts(proto byte) bool {
	switch proto {
	case mlids.ProtoTCP, mlids.ProtoUDP, mlids.ProtoICMP, mlids.ProtoICMPv6, mlids.ProtoSCTP:
		return true
	}
	return isExtension(proto)
}

// add remembers the head of the packet that p begins, in the place of the oldest in its set.
func (t *fragments) add(key fragmentKey, p *mlids.Packet) {
	if t.sets == nil {
		t.sets = new([fragmentSets][fragmentWays]fragmentHead)
	}
	set := t.set(key)
	oldest := &set[0]
	for i := range set {
		h := &set[i]
		if h.used && h.key == key {
			oldest = h
			break
		}
		if !h.used || oldest.used && h.time < oldest.time {
			oldest = h
		}
	}
	*oldest = fragmentHead{
		key: key, time: p.Time, used: true, proto: p.Proto, srcPort: p.SrcPort, dstPort: p.DstPort,
		icmpID: p.ICMPID, icmpType: p.ICMPType, code: p.ICMPCode,
	}
}

// find is the head of a packet whose first fragment was seen no longer than fragmentLife ago, else nil.
func (t *fragments) find(key fragmentKey, now int64) *fragmentHead {
	if t.sets == nil {
		return nil
	}
	set := t.set(key)
	for i := range set {
		if h := &set[i]; h.used && h.key == key && now-h.time <= fragmentLife {
			return h
		}
	}
	return nil
}

// set is where heads with this key are kept: FNV-1a over the key chooses it.
func (t *fragments) set(key fragmentKey) *[fragmentWays]fragmentHead {
	h := uint32(2166136261)
	for _, b := range key.src {
		h = (h ^ uint32(b)) * 16777619
	}
	for _, b := range key.dst {
		h = (h ^ uint32(b)) * 16777619
	}
	h = (h ^ key.id ^ uint32(key.proto)) * 16777619
	return &t.sets[(h^h>>15)%fragmentSets]
}
