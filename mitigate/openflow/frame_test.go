package openflow

import (
	"testing"
	"testing/synctest"
	"time"

	"mlids"
	"mlids/capture"
	"mlids/mitigate/openflow/ofp"
)

// matchOf is the exact match of a frame that came in by port 7.
func matchOf(t *testing.T, b []byte) (ofp.Match, bool) {
	t.Helper()
	f, ok := parseFrame(b)
	if !ok {
		t.Fatal("no frame")
	}
	var p mlids.Packet
	reason := capture.NewDecoder(capture.DecoderConfig{}).Decode(&capture.Frame{Data: b, WireLen: uint32(len(b)), Link: capture.LinkEthernet}, &p)
	return exactMatch(&f, 7, reason, &p)
}

// ether is a frame from 2:…:1 to 2:…:2.
func ether(kind uint16, payload ...byte) []byte {
	return append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, byte(kind >> 8), byte(kind)}, payload...)
}

func TestExactMatch(t *testing.T) {
	ip := udpFrame(1, 2, 1000)[etherSize:]
	icmp := append(append([]byte{}, ip[:20]...), 8, 0, 0, 0, 0, 1, 0, 1)
	icmp[9] = 1
	piece := append([]byte{}, ip...)
	piece[6] = 0x20 // more fragments
	solicit := append([]byte{0x60, 0, 0, 0, 0, 24, 58, 255}, make([]byte, 32)...)
	solicit[8], solicit[24] = 0xfe, 0xfe
	solicit = append(append(solicit, 135, 0, 0, 0), make([]byte, 20)...)
	for name, c := range map[string]struct {
		frame []byte
		want  ofp.Fields // beside port, addresses and VLAN
		flows bool
	}{
		"UDP":                {ether(ofp.EthIPv4, ip...), ofp.HasEthType | ofp.HasProto | ofp.HasSrcPort | ofp.HasDstPort, true},
		"UDP in a VLAN":      {ether(etherTag, append([]byte{0, 5, 8, 0}, ip...)...), ofp.HasEthType | ofp.HasProto | ofp.HasSrcPort | ofp.HasDstPort, true},
		"fragment":           {ether(ofp.EthIPv4, piece...), ofp.HasEthType | ofp.HasProto, true},
		"ping":               {ether(ofp.EthIPv4, icmp...), ofp.HasEthType | ofp.HasProto | ofp.HasICMPType | ofp.HasICMPCode, true},
		"neighbour":          {ether(ofp.EthIPv6, solicit...), ofp.HasEthType | ofp.HasProto | ofp.HasICMPType | ofp.HasICMPCode, false},
		"ARP":                {ether(ofp.EthARP, make([]byte, 28)...), ofp.HasEthType, false},
		"cut off":            {ether(ofp.EthIPv4, ip[:12]...), ofp.HasEthType, false},
		"length, not a type": {ether(0x0030, make([]byte, 48)...), 0, true},
		"two tags":           {ether(etherTag, append([]byte{0, 5, 0x81, 0, 0, 6, 8, 0}, ip...)...), ofp.HasEthType, true},
	} {
		m, flows := matchOf(t, c.frame)
		always := ofp.HasInPort | ofp.HasEthDst | ofp.HasEthSrc | ofp.HasVLAN
		if m.Set != always|c.want || flows != c.flows || m.InPort != 7 {
			t.Errorf("%s: fields %b, want %b; flows %v; %+v", name, m.Set, always|c.want, flows, m)
		}
	}
	tagged, _ := matchOf(t, ether(etherTag, append([]byte{0xe0, 5, 8, 0}, ip...)...))
	if tagged.VLAN != ofp.VLANPresent|5 {
		t.Errorf("VLAN %#x", tagged.VLAN)
	}
}

func TestProbe(t *testing.T) {
	p := prober{[]byte("key")}
	at := point{0x1234, 56}
	frame := p.probe(at, ofp.MAC{2})
	f, ok := parseFrame(frame)
	if !ok || f.kind != ofp.EthLLDP || !reserved(f.dst) {
		t.Fatalf("%+v", f)
	}
	if from, ok := p.origin(f.payload); !ok || from != at {
		t.Errorf("%v, %v", from, ok)
	}
	for i := range f.payload { // where it says from where, and the signature
		changed := append([]byte{}, f.payload...)
		changed[i] ^= 0x40
		from, ok := p.origin(changed)
		if matters := i >= 3 && i < 11 || i >= 14 && i < 18 || i >= 28 && i < 28+macSize; ok && matters || ok && from != at {
			t.Errorf("byte %d changed: taken for one from %v", i, from)
		}
	}
	if _, ok := p.origin(f.payload[:len(f.payload)-1]); ok {
		t.Error("cut off, and taken")
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	now := time.Unix(1, 0)
	count := func(d time.Duration) (n int) {
		now = now.Add(d)
		for b.take(now, 10) {
			n++
		}
		return n
	}
	for i, c := range []struct {
		after time.Duration
		want  int
	}{{0, 20}, {time.Second, 10}, {time.Hour, 20}, {50 * time.Millisecond, 0}, {50 * time.Millisecond, 1}} {
		if got := count(c.after); got != c.want {
			t.Errorf("%d: %d tokens, want %d", i, got, c.want)
		}
	}
}

func TestLRU(t *testing.T) {
	l := newLRU[int, string](2)
	l.set(1, "one")
	l.set(2, "two")
	l.set(1, "uno")
	if gone, full := l.set(3, "three"); !full || gone != 2 {
		t.Errorf("%d had to go, %v, want 2", gone, full)
	}
	if v, ok := l.get(1); !ok || v != "uno" {
		t.Errorf("%q, %v", v, ok)
	}
	if _, ok := l.get(2); ok {
		t.Error("2 is still there")
	}
	l.remove(1)
	var keys []int
	l.each(func(k int, _ string) { keys = append(keys, k) })
	if len(keys) != 1 || keys[0] != 3 {
		t.Errorf("%v left, want 3", keys)
	}
}

func TestCookies(t *testing.T) {
	for _, id := range []string{"000000000000", "0123456789ab", "ffffffffffff"} {
		c, err := blockCookie(id)
		if err != nil || blockID(c) != id || kindOf(c) != kindBlock || c&oursMask != ours {
			t.Errorf("%s: %x, %v", id, c, err)
		}
	}
	if c := cookie(kindForward, 0xdead_0123_4567_89ab); kindOf(c) != kindForward || c&oursMask != ours {
		t.Errorf("a long datapath id: %x", c)
	}
}

// FuzzPacketIn lets any frame come in at an edge: the network stays what it is, and comes to rest.
func FuzzPacketIn(f *testing.F) {
	f.Add(udpFrame(1, 2, 3))
	f.Add(udpFrame(3, 0, 3))
	f.Add(ether(ofp.EthARP, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2))
	f.Add(ether(etherTag, 0, 5, 0x86, 0xdd))
	forger := prober{make([]byte, 32)}
	f.Add(forger.probe(point{2, 2}, ofp.MAC{2}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) > 2000 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			s := ring(t, Config{})
			for range 3 {
				s.enter(point{1, 2}, frame)
				s.rest()
			}
			if s.net.linkCount() != 3 || len(s.net.hosts) > 4 {
				t.Errorf("%d links, %d hosts", s.net.linkCount(), len(s.net.hosts))
			}
		})
	})
}
