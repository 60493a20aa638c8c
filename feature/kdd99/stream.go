package kdd99

import "mlids"

// maxGap is how many bytes a sequence number may jump over and still be believed: more than a window's worth lost.
const maxGap = 1 << 20

// stream counts the payload of one direction by its sequence numbers, so that what is sent again counts once and what
// the capture lost counts too, as Bro does it.
type stream struct {
	bytes uint64
	next  uint32 // sequence number behind the last byte counted
	begun bool
	hole  bool // bytes in front of next are missing in the capture
}

// add counts a segment. It returns the captured part of its payload that is new, and whether bytes are missing in front
// of that.
func (s *stream) add(p *mlids.Packet) (fresh []byte, hole bool) {
	seq := p.Seq
	if p.Flags.Has(mlids.SYN) {
		seq++
	}
	if !s.begun {
		s.begun, s.next = true, seq
	}
	if p.Flags.Has(mlids.RST) { // sequence numbers of resets are often wrong, their payload is a message at best
		return nil, false
	}
	size := p.PayloadLen
	ahead := int32(seq + size - s.next)
	if ahead <= 0 || size == 0 && (!p.Flags.Has(mlids.FIN) || ahead > maxGap) {
		return nil, false
	}
	hole = s.hole || uint32(ahead) > size
	if uint32(ahead) > size && uint32(ahead)-size > maxGap {
		ahead = int32(min(size, maxGap))
	}
	s.bytes += uint64(ahead)
	s.next = seq + size
	old := size - min(size, uint32(ahead))
	fresh = p.Payload[min(uint64(old), uint64(len(p.Payload))):]
	s.hole = uint32(len(p.Payload)) < size
	return fresh, hole
}
