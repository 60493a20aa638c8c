package openflow

import (
	"net/netip"
	"testing"
	"time"

	"mlids"
	"mlids/capture"
	"mlids/mitigate/openflow/ofp"
)

const protoGRE = 47

// udpMatch is the match of an exact flow.
func udpMatch() ofp.Match {
	return ofp.Match{
		Set:    ofp.HasInPort | ofp.HasEthSrc | ofp.HasEthDst | ofp.HasEthType | ofp.HasVLAN | ofp.HasProto | ofp.HasSrcPort | ofp.HasDstPort,
		InPort: 1, EthType: ofp.EthIPv4, Proto: mlids.ProtoUDP, SrcPort: 5000, DstPort: 7777,
		Src: netip.MustParsePrefix("10.0.0.3/32"), Dst: netip.MustParsePrefix("10.0.0.2/32"),
	}
}

// What was counted and not shown is told, once; what was in flight, of an earlier run, or of many flows in one is not.
func TestCounting(t *testing.T) {
	c := newCounting(2)
	m := udpMatch()
	full := false
	poll := func(seconds uint32, packets, bytes uint64) (unseen uint32, mean int) {
		c.begin()
		c.take(&ofp.FlowStats{Cookie: cookie(kindForward, 2), Seconds: seconds, Packets: packets, Bytes: bytes, Match: m}, 2*time.Second,
			func(n uint32, size int) bool {
				if full {
					return false
				}
				unseen, mean = n, size
				return true
			})
		c.end()
		return unseen, mean
	}
	for range 100 {
		c.show(m)
	}
	for _, step := range []struct {
		packets, bytes uint64
		show           int
		full           bool
		unseen         uint32
		mean           int
	}{
		{packets: 110, bytes: 11_000},                                            // ten on their way
		{packets: 10_110, bytes: 5_011_000, show: 10, unseen: 10_000, mean: 500}, // a flood
		{packets: 10_110, bytes: 5_011_000},                                      // silence
		{packets: 20_110, bytes: 6_011_000, full: true},                          // no room
		{packets: 30_110, bytes: 7_011_000, unseen: 20_000, mean: 100},           // now there is
		{packets: 50, bytes: 3000, unseen: 50, mean: 60},                         // the flow was put there anew
		{packets: 1 << 60, bytes: 1 << 62, unseen: mostUnseen, mean: 3},          // nonsense
	} {
		for range step.show {
			c.show(m)
		}
		full = step.full
		if unseen, mean := poll(1, step.packets, step.bytes); unseen != step.unseen || mean != step.mean {
			t.Errorf("%+v: %d of %d bytes", step, unseen, mean)
		}
	}
	m.SrcPort++
	if unseen, _ := poll(60, 1_000_000, 1_000_000); unseen != 0 {
		t.Errorf("%d packets of an earlier run", unseen)
	}
	if unseen, _ := poll(61, 1_000_100, 1_010_000); unseen != 100 {
		t.Errorf("%d packets since, want 100", unseen)
	}
	m.Set &^= ofp.HasDstPort
	if unseen, _ := poll(1, 1000, 1000); unseen != 0 {
		t.Errorf("%d packets of fragments", unseen)
	}
	m.Set, m.Proto, m.SrcPort, m.DstPort = m.Set&^ofp.HasSrcPort, protoGRE, 0, 0
	if unseen, _ := poll(1, 1000, 1000); unseen != 1000 {
		t.Errorf("%d packets of a protocol without ports, want 1000", unseen)
	}
	m.Src, m.Proto = netip.Prefix{}, 0
	if unseen, _ := poll(1, 1000, 1000); unseen != 0 {
		t.Errorf("%d packets of many flows in one", unseen)
	}
	if len(c.flows) > 1 {
		t.Errorf("%d flows are remembered", len(c.flows))
	}
}

// However many flows there are, few are remembered.
func TestCountingIsBounded(t *testing.T) {
	c := newCounting(10)
	m := udpMatch()
	for i := range 1000 {
		m.SrcPort = uint16(i)
		c.show(m)
		c.take(&ofp.FlowStats{Cookie: cookie(kindForward, 2), Packets: 100, Bytes: 100, Match: m}, time.Second, func(uint32, int) bool { return true })
	}
	if len(c.flows) != 10 {
		t.Errorf("%d flows, want 10", len(c.flows))
	}
}

// The headers that stand for counted packets are read as those of the flow.
func TestHeadersOf(t *testing.T) {
	v4, v6 := udpMatch(), udpMatch()
	v6.EthType, v6.Src, v6.Dst = ofp.EthIPv6, netip.MustParsePrefix("fd00::3/128"), netip.MustParsePrefix("fd00::2/128")
	dec := capture.NewDecoder(capture.DecoderConfig{})
	for _, base := range []ofp.Match{v4, v6} {
		for _, vlan := range []uint16{0, ofp.VLANPresent | 7} {
			for _, proto := range []uint8{mlids.ProtoTCP, mlids.ProtoUDP, mlids.ProtoSCTP, mlids.ProtoICMP, mlids.ProtoICMPv6, protoGRE} {
				m := base
				m.VLAN, m.Proto = vlan, proto
				if proto == mlids.ProtoICMP || proto == mlids.ProtoICMPv6 {
					m.SrcPort, m.DstPort, m.ICMPType = 0, 0, 8
				}
				if proto == protoGRE {
					m.Set, m.SrcPort, m.DstPort = m.Set&^(ofp.HasSrcPort|ofp.HasDstPort), 0, 0
				}
				for _, size := range []int{0, 60, 554, 65535} {
					b := headersOf(nil, &m, size)
					var p mlids.Packet
					reason := dec.Decode(&capture.Frame{Data: b, WireLen: uint32(max(size, len(b))), Link: capture.LinkEthernet, Unseen: 9}, &p)
					again, ok := exactMatch(mustParse(t, b), m.InPort, reason, &p)
					want := m
					if !ok || again.Src != want.Src || again.Dst != want.Dst || again.SrcPort != want.SrcPort || again.DstPort != want.DstPort ||
						again.Proto != want.Proto || again.VLAN != want.VLAN || p.Unseen != 9 || p.BadLength {
						t.Errorf("%+v of %d bytes is read as %+v, %v", want, size, again, reason)
					}
					if proto == mlids.ProtoUDP && size == 554 && p.PayloadLen < 484 {
						t.Errorf("a payload of %d bytes in %d", p.PayloadLen, size)
					}
				}
			}
		}
	}
}

func mustParse(t *testing.T, b []byte) *frame {
	t.Helper()
	f, ok := parseFrame(b)
	if !ok {
		t.Fatalf("no frame: %x", b)
	}
	return &f
}
