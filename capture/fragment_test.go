package capture

import (
	"encoding/binary"
	"testing"

	"mlids"
)

// feed decodes a raw IP packet at a time in seconds.
func feed(d *Decoder, seconds int64, frame []byte) (mlids.Packet, Reason) {
	var p mlids.Packet
	reason := d.Decode(&Frame{Data: frame, Time: seconds * second, WireLen: uint32(len(frame)), Link: LinkRaw}, &p)
	return p, reason
}

const moreFragments = 0x2000

func TestFragmentsGetThePortsOfTheFirst(t *testing.T) {
	d := NewDecoder(DecoderConfig{Checksums: true})
	whole := udpPacket(7, 8, make([]byte, 32))
	first, middle, last := whole[:16], whole[16:32], whole[32:]
	if p, reason := feed(d, 1, ipv4Part(17, 5, moreFragments|2, middle)); reason != LostFragment {
		t.Errorf("before the first: %v, %+v", reason, p)
	}
	p, reason := feed(d, 1, ipv4Part(17, 5, moreFragments, first))
	if reason != Decoded || !p.Fragment || !p.FirstFrag || p.SrcPort != 7 || p.PayloadLen != 8 || p.Header != 8 || p.BadLength || p.BadChecksum {
		t.Errorf("first: %v, %+v", reason, p)
	}
	for _, part := range [][]byte{ipv4Part(17, 5, moreFragments|2, middle), ipv4Part(17, 5, 4, last)} {
		p, reason = feed(d, 1+30, part)
		if reason != Decoded || !p.Fragment || p.FirstFrag || p.SrcPort != 7 || p.DstPort != 8 || p.Header != 0 || int(p.PayloadLen) != len(part)-20 {
			t.Errorf("later: %v, %+v", reason, p)
		}
	}
	if _, reason = feed(d, 1+31, ipv4Part(17, 5, 4, last)); reason != LostFragment {
		t.Errorf("too late: %v", reason)
	}
	if _, reason = feed(d, 1, ipv4Part(17, 6, 4, last)); reason != LostFragment {
		t.Errorf("of another packet: %v", reason)
	}
	if _, reason = feed(d, 1, ipv4Part(89, 6, 4, last)); reason != Decoded {
		t.Errorf("of a protocol without ports: %v", reason)
	}
	if c := d.Counters(); c.Fragments != 4 || c.Ignored[LostFragment] != 3 {
		t.Errorf("%+v", c)
	}
}

func fragment6(next byte, id uint32, place uint16, payload []byte) []byte {
	return ipv6Packet(extFragment, cat([]byte{next, 0}, u16(place), u32(id), payload))
}

func TestFragmentsOfIPv6(t *testing.T) {
	d := NewDecoder(DecoderConfig{})
	options := []byte{mlids.ProtoICMPv6, 0, 1, 4, 0, 0, 0, 0}
	p, reason := feed(d, 1, fragment6(extDestination, 9, 1, cat(options, icmpPacket(128, 0, 77, nil))))
	if reason != Decoded || !p.FirstFrag || p.ICMPID != 77 || p.IPHeader != 56 || p.Proto != mlids.ProtoICMPv6 {
		t.Errorf("first: %v, %+v", reason, p)
	}
	p, reason = feed(d, 1, fragment6(extDestination, 9, 16, make([]byte, 100)))
	if reason != Decoded || p.FirstFrag || p.ICMPID != 77 || p.ICMPType != 128 || p.Proto != mlids.ProtoICMPv6 || p.PayloadLen != 100 {
		t.Errorf("later: %v, %+v", reason, p)
	}
	nested := fragment6(extFragment, 1, 1, cat([]byte{17, 0, 0, 1, 0, 0, 0, 1}, udpPacket(1, 2, nil)))
	if _, reason = feed(d, 1, nested); reason != Nested {
		t.Errorf("fragment in a fragment: %v", reason)
	}
}

// A flood of first fragments takes no more memory, and the most recent heads stay.
func TestFragmentTableIsBounded(t *testing.T) {
	d := NewDecoder(DecoderConfig{})
	head := udpPacket(7, 8, nil)
	for i := range 100_000 {
		for _, place := range []uint16{moreFragments, 1} {
			frame := ipv4Part(17, uint16(i), place, head)
			binary.BigEndian.PutUint16(frame[12:], uint16(i>>16))
			if _, reason := feed(d, int64(i), frame); reason != Decoded {
				t.Fatalf("packet %d: %v", i, reason)
			}
		}
	}
	frame := ipv4Part(17, 1, moreFragments, head)
	f, p := Frame{Data: frame, WireLen: uint32(len(frame)), Link: LinkRaw}, mlids.Packet{}
	if n := testing.AllocsPerRun(100, func() { d.Decode(&f, &p) }); n != 0 {
		t.Errorf("%v allocations for a fragment", n)
	}
}
