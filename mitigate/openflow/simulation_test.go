package openflow

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/capture"
	"mlids/mitigate/openflow/ofp"
)

// simulation is a network of switches that do what the controller says, in memory.
type simulation struct {
	t        *testing.T
	net      *network
	wires    map[point]point
	flows    map[uint64][]ofp.FlowMod
	nodes    map[uint64]*node
	queue    []func()
	received map[point]int // frames that left by an edge port
	asked    int           // packets that came to the controller for a way
	hops     int           // frames over wires
}

func newSimulation(t *testing.T, cfg Config) *simulation {
	t.Helper()
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	count, err := newMetrics(prometheus.NewRegistry(), newFeed(1, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return &simulation{
		t: t, net: newNetwork(cfg, slog.New(slog.DiscardHandler), count), wires: map[point]point{}, flows: map[uint64][]ofp.FlowMod{},
		nodes: map[uint64]*node{}, received: map[point]int{},
	}
}

// add brings a switch in with ports 1 to ports.
func (s *simulation) add(id uint64, ports uint32) {
	at := &node{id: id, ports: map[uint32]*port{}, meters: true, own: true, copies: true}
	at.send = func(m ofp.Message) { s.take(at, m) }
	for n := uint32(1); n <= ports; n++ {
		at.ports[n] = newPort(ofp.Port{Number: n}, time.Now(), s.net.cfg.MaxHosts)
	}
	s.nodes[id] = at
	s.net.join(at)
}

func (s *simulation) wire(a, b point) { s.wires[a], s.wires[b] = b, a }

// take does what a message asks for. Sent on the way, it is read again from its bytes, as a switch would.
func (s *simulation) take(at *node, m ofp.Message) {
	raw := ofp.Append(nil, 1, m)[ofp.HeaderSize:]
	switch m.(type) {
	case *ofp.FlowMod:
		var f ofp.FlowMod
		if err := f.Decode(raw); err != nil {
			s.t.Fatal(err)
		}
		s.flowMod(at, f)
	case *ofp.PacketOut:
		var p ofp.PacketOut
		if err := p.Decode(raw); err != nil {
			s.t.Fatal(err)
		}
		for _, a := range p.Actions {
			s.queue = append(s.queue, func() { s.leave(point{at.id, a.Port}, p.Data) })
		}
	}
}

func (s *simulation) flowMod(at *node, f ofp.FlowMod) {
	keep := s.flows[at.id][:0]
	for _, old := range s.flows[at.id] {
		same := old.Match == f.Match && old.Priority == f.Priority && old.Table == f.Table
		chosen := old.Table == f.Table && old.Cookie&f.CookieMask == f.Cookie&f.CookieMask && covers(&f.Match, &old.Match)
		if f.OutPort != 0 {
			chosen = chosen && outputs(&old, f.OutPort)
		}
		if f.Command == ofp.FlowDelete && chosen || f.Command != ofp.FlowDelete && same {
			continue
		}
		keep = append(keep, old)
	}
	if f.Command == ofp.FlowAdd {
		keep = append(keep, f)
	}
	s.flows[at.id] = keep
}

func outputs(f *ofp.FlowMod, port uint32) bool {
	for _, a := range f.Instructions.Apply {
		if a.Port == port {
			return true
		}
	}
	return false
}

// covers reports whether every packet of b is one of a, as far as the fields go by which flows are deleted or found.
func covers(a, b *ofp.Match) bool {
	switch {
	case a.Set&^b.Set != 0, a.Set&ofp.HasInPort != 0 && a.InPort != b.InPort, a.Set&ofp.HasEthDst != 0 && a.EthDst != b.EthDst,
		a.Set&ofp.HasEthSrc != 0 && a.EthSrc != b.EthSrc, a.Set&ofp.HasEthType != 0 && a.EthType != b.EthType,
		a.Set&ofp.HasVLAN != 0 && a.VLAN != b.VLAN, a.Set&ofp.HasProto != 0 && a.Proto != b.Proto,
		a.Set&ofp.HasSrcPort != 0 && a.SrcPort != b.SrcPort, a.Set&ofp.HasDstPort != 0 && a.DstPort != b.DstPort,
		a.Src.IsValid() && a.Src != b.Src, a.Dst.IsValid() && a.Dst != b.Dst:
		return false
	}
	return true
}

// leave lets a frame out of a port: over the wire, or to a host.
func (s *simulation) leave(from point, data []byte) {
	if s.hops++; s.hops > 1_000_000 {
		s.t.Fatal("the network does not come to rest")
	}
	if to, ok := s.wires[from]; ok {
		s.enter(to, data)
		return
	}
	s.received[from]++
}

// enter lets a frame come in by a port.
func (s *simulation) enter(at point, data []byte) {
	f, _ := parseFrame(data)
	a := arrival{frame: f, in: &ofp.PacketIn{TotalLen: uint16(len(data)), Data: data}, packet: &mlids.Packet{}, reason: capture.NotIP}
	if f.isIP() {
		a.reason = capture.NewDecoder(capture.DecoderConfig{}).Decode(
			&capture.Frame{Data: data, WireLen: uint32(len(data)), Link: capture.LinkEthernet}, a.packet)
	}
	a.in.Match = ofp.Match{Set: ofp.HasInPort, InPort: at.port}
	best := s.lookup(at, &a)
	if best == nil {
		return
	}
	for _, out := range best.Instructions.Apply {
		if out.Port != ofp.PortController {
			s.leave(point{at.node, out.Port}, data)
			continue
		}
		a.in.Cookie = best.Cookie
		if kindOf(best.Cookie) == kindMiss && f.kind != ofp.EthLLDP {
			s.asked++
		}
		s.net.packetIn(s.nodes[at.node], &a)
	}
}

// lookup finds the flow of table 1 for a packet.
func (s *simulation) lookup(at point, a *arrival) *ofp.FlowMod {
	packet, _ := exactMatch(&a.frame, at.port, a.reason, a.packet)
	var best *ofp.FlowMod
	for i := range s.flows[at.node] {
		f := &s.flows[at.node][i]
		if f.Table == tableForward && covers(&f.Match, &packet) && (best == nil || f.Priority > best.Priority) {
			best = f
		}
	}
	return best
}

// rest lets the network do all that it has to do.
func (s *simulation) rest() {
	for len(s.queue) > 0 {
		next := s.queue[0]
		s.queue = s.queue[1:]
		next()
	}
}

// pass lets time go by, with what the controller does meanwhile.
func (s *simulation) pass(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(s.net.cfg.Settle / 2)
		s.net.tick(true)
		s.rest()
	}
}

// miss puts the flows that hand packets to the controller on all switches, as a session does.
func (s *simulation) miss() {
	for _, at := range s.nodes {
		for n := range at.ports {
			at.send(at.missFlow(n))
		}
	}
}

// discover sets the simulation up: flows, probes, time.
func (s *simulation) discover() {
	s.miss()
	s.pass(2 * s.net.cfg.Settle)
}

// sim is a frame of UDP between two hosts by their numbers; to 0 for a broadcast.
func udpFrame(from, to byte, port uint16) []byte {
	dst, ip := ofp.MAC{2, 0, 0, 0, 0, to}, netip.AddrFrom4([4]byte{10, 0, 0, to})
	if to == 0 {
		dst, ip = ofp.MAC{255, 255, 255, 255, 255, 255}, netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	b := append(append([]byte{}, dst[:]...), 2, 0, 0, 0, 0, from, 8, 0)
	b = append(b, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, from)
	b = append(b, ip.AsSlice()...)
	return append(b, byte(port>>8), byte(port), 0, 53, 0, 8, 0, 0)
}

// TestRandomNetworks builds networks at random, loops included, and checks that each frame arrives once, and only where it
// should, at once over flows or the first time by the controller.
func TestRandomNetworks(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			s := newSimulation(t, Config{})
			switches := 1 + r.IntN(8)
			for id := range switches {
				s.add(uint64(id+1), 12)
			}
			used := map[uint64]uint32{}
			connect := func(a, b uint64) {
				if a != b && used[a] < 9 && used[b] < 9 {
					used[a]++
					used[b]++
					s.wire(point{a, used[a] + 3}, point{b, used[b] + 3})
				}
			}
			for id := 2; id <= switches; id++ {
				connect(uint64(id), uint64(1+r.IntN(id-1)))
			}
			for range r.IntN(8) {
				connect(uint64(1+r.IntN(switches)), uint64(1+r.IntN(switches)))
			}
			s.discover()
			if got, want := s.net.linkCount(), len(s.wires)/2; got != want {
				t.Fatalf("seed %d: %d links found, want %d", seed, got, want)
			}
			s.checkDelivery(seed, switches)
		})
	}
}

// checkDelivery sends from every host, which are behind port 1 of each switch, to all and to every other.
func (s *simulation) checkDelivery(seed uint64, switches int) {
	for from := 1; from <= switches; from++ {
		clear(s.received)
		s.enter(point{uint64(from), 1}, udpFrame(byte(from), 0, uint16(from)))
		s.rest()
		s.enter(point{uint64(from), 1}, udpFrame(byte(from), 0, uint16(from))) // along the tree
		s.rest()
		for id := 1; id <= switches; id++ {
			for n := uint32(1); n <= 3; n++ {
				at := point{uint64(id), n}
				want := 2
				if at == (point{uint64(from), 1}) {
					want = 0
				}
				if s.received[at] != want {
					s.t.Fatalf("seed %d: two broadcasts of host %d came %d times to %v", seed, from, s.received[at], at)
				}
			}
		}
	}
	for from := 1; from <= switches; from++ {
		for to := 1; to <= switches; to++ {
			if from == to {
				continue
			}
			clear(s.received)
			before := s.asked
			for range 5 {
				s.enter(point{uint64(from), 1}, udpFrame(byte(from), byte(to), 1000))
				s.rest()
			}
			if len(s.received) != 1 || s.received[point{uint64(to), 1}] != 5 || s.asked != before+1 {
				s.t.Fatalf("seed %d: 5 frames from %d to %d: %v, %d asked", seed, from, to, s.received, s.asked-before)
			}
		}
	}
}

// ring is three switches in a ring, a host on port 1 of each.
func ring(t *testing.T, cfg Config) *simulation {
	t.Helper()
	s := newSimulation(t, cfg)
	for id := range uint64(3) {
		s.add(id+1, 4)
	}
	s.wire(point{1, 3}, point{2, 4})
	s.wire(point{2, 3}, point{3, 4})
	s.wire(point{3, 3}, point{1, 4})
	s.discover()
	for id := range byte(3) {
		s.enter(point{uint64(id + 1), 1}, udpFrame(id+1, 0, 9))
		s.rest()
	}
	return s
}

func (s *simulation) sendsTo(t *testing.T, from, to byte, want point) {
	t.Helper()
	clear(s.received)
	s.enter(point{uint64(from), 1}, udpFrame(from, to, 1000))
	s.rest()
	if len(s.received) != 1 || s.received[want] != 1 {
		t.Errorf("a frame from %d to %d came to %v, want %v", from, to, s.received, want)
	}
}

func TestCutLinkRoutesAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		s.sendsTo(t, 1, 2, point{2, 1})
		delete(s.wires, point{1, 3})
		delete(s.wires, point{2, 4})
		down := ofp.Port{Number: 3, State: ofp.StateNoLink}
		s.net.portStatus(s.nodes[1], &ofp.PortStatus{Reason: ofp.PortModified, Port: down})
		s.rest()
		s.sendsTo(t, 1, 2, point{2, 1})
		if s.net.linkCount() != 2 {
			t.Errorf("%d links, want 2", s.net.linkCount())
		}
	})
}

func TestSilentLinkIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		delete(s.wires, point{1, 3})
		delete(s.wires, point{2, 4})
		s.pass(4 * s.net.cfg.Probe)
		if s.net.linkCount() != 2 {
			t.Errorf("%d links, want 2: no probe passes the third", s.net.linkCount())
		}
		s.sendsTo(t, 1, 2, point{2, 1})
	})
}

func TestLinksOutliveASleepyController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		time.Sleep(20 * s.net.cfg.Probe)
		s.net.tick(true)
		s.rest()
		if s.net.linkCount() != 3 {
			t.Errorf("%d links, want 3: nobody asked them", s.net.linkCount())
		}
	})
}

func TestHostMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		s.sendsTo(t, 1, 2, point{2, 1})
		s.pass(2 * moveRest)
		s.enter(point{3, 2}, udpFrame(2, 0, 77))
		s.rest()
		s.sendsTo(t, 1, 2, point{3, 2})
	})
}

func TestMovesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		s.pass(2 * moveRest)
		for i := range uint16(20) { // two claim host 2 in turn
			s.enter(point{3, 2}, udpFrame(2, 0, 100+i))
			s.enter(point{2, 1}, udpFrame(2, 0, 200+i))
			s.rest()
		}
		if h := s.net.hosts[hostKey{mac: ofp.MAC{2, 0, 0, 0, 0, 2}}]; h.at != (point{3, 2}) {
			t.Errorf("host at %v, want where it moved first", h.at)
		}
	})
}

func TestManyFlowsBecomeCoarse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{NewFlows: 10})
		s.asked = 0
		for p := range uint16(1000) {
			s.enter(point{1, 1}, udpFrame(1, 2, p))
			s.rest()
		}
		if s.received[point{2, 1}] < 1000 {
			t.Errorf("%d of 1000 frames arrived", s.received[point{2, 1}])
		}
		if n := len(s.flows[1]); s.asked > 25 || n > 40 {
			t.Errorf("1000 flows of one port: %d packets asked, %d flows on the switch", s.asked, n)
		}
	})
}

func TestFloodOfAddressesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{MaxHosts: 50})
		frame := udpFrame(1, 0, 5)
		for i := range 5000 {
			frame[9], frame[10], frame[28] = byte(i>>8), byte(i), byte(i>>8)
			s.enter(point{1, 2}, frame)
			s.rest()
		}
		if len(s.net.hosts) > 60 {
			t.Errorf("%d hosts, want 50 of that port at most", len(s.net.hosts))
		}
		s.sendsTo(t, 1, 2, point{2, 1})
	})
}

func TestForgedProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		forger := prober{make([]byte, 32)}
		s.enter(point{1, 2}, forger.probe(point{3, 2}, ofp.MAC{2}))
		s.rest()
		if s.net.linkCount() != 3 {
			t.Errorf("%d links, want 3: a host made one up", s.net.linkCount())
		}
	})
}

func TestUnknownLoopIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		clear(s.received)
		hub := udpFrame(1, 0, 40)
		s.enter(point{1, 1}, hub)
		s.rest()
		for range 10 { // a hub between port 2 of switch 2 and port 2 of switch 3 passes on what it hears
			s.enter(point{2, 2}, hub)
			s.enter(point{3, 2}, hub)
			s.rest()
		}
		if got := s.received[point{3, 1}]; got != 1 {
			t.Errorf("a broadcast came %d times", got)
		}
		if h := s.net.hosts[hostKey{mac: ofp.MAC{2, 0, 0, 0, 0, 1}}]; h.at != (point{1, 1}) {
			t.Errorf("its sender is thought to be at %v", h.at)
		}
	})
}

func TestQuestionsAreBoundedWithoutMeters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{MissRate: 50})
		clear(s.received)
		for range 10_000 {
			s.enter(point{1, 2}, udpFrame(7, 9, 1)) // to a host that nobody knows: it goes to all
			s.rest()
		}
		if got := s.received[point{2, 1}]; got < 100 || got > 200 {
			t.Errorf("%d of 10000 packets went to all, want 100 a second and as many at once", got)
		}
	})
}

func TestCutPacketIsNotForwarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		clear(s.received)
		frame := udpFrame(1, 2, 1)
		f, _ := parseFrame(frame)
		s.net.packetIn(s.nodes[1], &arrival{frame: f, reason: capture.TruncatedHeader, packet: &mlids.Packet{}, in: &ofp.PacketIn{
			TotalLen: 1500, Data: frame, Cookie: cookie(kindMiss, 0), Match: ofp.Match{Set: ofp.HasInPort, InPort: 1},
		}})
		s.rest()
		if len(s.received) != 0 {
			t.Errorf("half a packet came to %v", s.received)
		}
	})
}

func TestLocate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		s.sendsTo(t, 3, 1, point{1, 1})
		if at, ok := s.net.locate(netip.MustParseAddr("10.0.0.3")); !ok || at != (point{3, 1}) {
			t.Errorf("%v, %v", at, ok)
		}
		if _, ok := s.net.locate(netip.MustParseAddr("10.0.0.99")); ok {
			t.Error("found what was never seen")
		}
	})
}

func TestSwitchAwayAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ring(t, Config{})
		s.sendsTo(t, 1, 2, point{2, 1})
		before := s.forwarding(1)
		s.net.leave(s.nodes[2])
		s.rest()
		if s.forwarding(1) != before || before == 0 {
			t.Error("flows were taken away because the controller lost a switch")
		}
		s.add(2, 4)
		s.rest()
		s.sendsTo(t, 1, 2, point{2, 1})
		if len(s.net.hosts) != 3 {
			t.Errorf("%d hosts known, want 3 still", len(s.net.hosts))
		}
	})
}

// A switch that comes back without a port has no hosts there any more: what is for them is sent to all, not into the void.
func TestSwitchBackWithoutAPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSimulation(t, Config{})
		s.add(1, 3)
		s.discover()
		for id := range byte(3) {
			s.enter(point{1, uint32(id + 1)}, udpFrame(id+1, 0, 9))
			s.rest()
		}
		s.enter(point{1, 1}, udpFrame(1, 3, 1000))
		s.rest()
		s.net.leave(s.nodes[1])
		s.add(1, 2)
		s.rest()
		if len(s.net.hosts) != 2 {
			t.Errorf("%d hosts known, want 2", len(s.net.hosts))
		}
		clear(s.received)
		s.enter(point{1, 1}, udpFrame(1, 3, 1000))
		s.rest()
		if s.received[point{1, 2}] != 1 {
			t.Errorf("a frame for a host whose port is gone came to %v, want all ports", s.received)
		}
	})
}

// forwarding counts the exact flows of a switch.
func (s *simulation) forwarding(id uint64) int {
	n := 0
	for i := range s.flows[id] {
		if kindOf(s.flows[id][i].Cookie) == kindForward {
			n++
		}
	}
	return n
}
