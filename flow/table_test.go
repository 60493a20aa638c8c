package flow

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mlids"
)

// counter is a handler that counts packets and lists what ended.
type counter struct {
	tcp  bool // follow TCP's life cycle
	log  []string
	ends []ended
}

type counts struct {
	fwd, bwd int
	tcp      tcp
}

type ended struct {
	first, end int64
	seq        uint64
	packets    int
	why        mlids.EndReason
	key        mlids.FlowKey
}

func (c *counter) Begin(f, _ *Flow[counts], p *mlids.Packet) {
	f.State.fwd = 1
	f.State.tcp.Add(p, true)
}

func (c *counter) Add(f *Flow[counts], p *mlids.Packet, fwd bool) Action {
	a := Keep
	if c.tcp && p.Proto == mlids.ProtoTCP {
		a = f.State.tcp.Add(p, fwd)
	}
	switch {
	case a == Reopen:
	case fwd:
		f.State.fwd++
	default:
		f.State.bwd++
	}
	return a
}

func (c *counter) End(f *Flow[counts]) {
	c.log = append(c.log, fmt.Sprintf("%s %d/%d at %s", f.Reason, f.State.fwd, f.State.bwd, time.Duration(f.End)))
	c.ends = append(c.ends, ended{f.First, f.End, f.Seq, f.State.fwd + f.State.bwd, f.Reason, f.Key})
}

// udp is a datagram between hosts of 10.0.0.0/24 at a time in seconds.
func udp(at float64, src, dst byte, sport, dport uint16) *mlids.Packet {
	return &mlids.Packet{
		Time: int64(at * 1e9), Proto: mlids.ProtoUDP,
		Src: mlids.AddrFrom4([4]byte{10, 0, 0, src}), Dst: mlids.AddrFrom4([4]byte{10, 0, 0, dst}),
		SrcPort: sport, DstPort: dport,
	}
}

// segment is a TCP segment from (or, when bwd, to) 10.0.0.1:1000.
func segment(at float64, bwd bool, flags mlids.TCPFlags, seq, ack uint32) *mlids.Packet {
	p := udp(at, 1, 2, 1000, 80)
	if bwd {
		p = udp(at, 2, 1, 80, 1000)
	}
	p.Proto, p.Flags, p.Seq, p.Ack = mlids.ProtoTCP, flags, seq, ack
	return p
}

func icmp(at float64, src, dst, kind byte, id uint16) *mlids.Packet {
	p := udp(at, src, dst, 0, 0)
	p.Proto, p.ICMPType, p.ICMPID = mlids.ProtoICMP, kind, id
	return p
}

func TestTable(t *testing.T) {
	const S, A, F, R = mlids.SYN, mlids.ACK, mlids.FIN, mlids.RST
	handshake := []*mlids.Packet{
		segment(0, false, S, 100, 0), segment(0.1, true, S|A, 500, 101), segment(0.2, false, A, 101, 501),
	}
	tests := []struct {
		name    string
		cfg     Config
		packets []*mlids.Packet
		want    string
	}{
		{
			"both directions are one flow", Config{},
			[]*mlids.Packet{udp(1, 1, 2, 53, 99), udp(2, 2, 1, 99, 53), udp(3, 1, 2, 53, 99)},
			"end 2/1 at 3s",
		}, {
			"other ports are other flows", Config{},
			[]*mlids.Packet{udp(1, 1, 2, 53, 99), udp(2, 2, 1, 53, 99)},
			"end 1/0 at 2s, end 1/0 at 2s",
		}, {
			"active time-out, exact for the flow's own packets", Config{Active: 10 * time.Second},
			[]*mlids.Packet{udp(0, 1, 2, 1, 2), udp(10, 2, 1, 2, 1), udp(10.001, 2, 1, 2, 1)},
			"active 1/1 at 10s, end 1/0 at 10.001s",
		}, {
			"idle time-out, noticed as time passes", Config{Idle: 5 * time.Second},
			[]*mlids.Packet{udp(0, 1, 2, 1, 2), udp(4, 1, 2, 1, 2), udp(9.2, 3, 4, 1, 2), udp(20, 5, 6, 1, 2)},
			"idle 2/0 at 9s, idle 1/0 at 14.2s, end 1/0 at 20s",
		}, {
			"a silent flow's deadline is its end", Config{Active: 7 * time.Second},
			[]*mlids.Packet{udp(0, 1, 2, 1, 2), udp(1, 3, 4, 1, 2), udp(5000, 5, 6, 1, 2)},
			"active 1/0 at 7s, active 1/0 at 8s, end 1/0 at 1h23m20s",
		}, {
			"a full table evicts the flow silent for longest", Config{MaxFlows: 2},
			[]*mlids.Packet{udp(0, 1, 2, 1, 2), udp(1, 3, 4, 1, 2), udp(5, 1, 2, 1, 2), udp(6, 5, 6, 1, 2)},
			"end 2/0 at 6s, evicted 1/0 at 6s, end 1/0 at 6s",
		}, {
			"echo request and reply share a flow, another id does not", Config{},
			[]*mlids.Packet{icmp(0, 1, 2, 8, 7), icmp(1, 2, 1, 0, 7), icmp(2, 1, 2, 8, 9), icmp(3, 2, 1, 8, 7)},
			"end 1/1 at 3s, end 1/0 at 3s, end 1/0 at 3s",
		}, {
			"one-way messages of both sides are two flows", Config{},
			[]*mlids.Packet{icmp(0, 1, 2, 3, 0), icmp(1, 2, 1, 3, 0), icmp(2, 1, 2, 3, 0)},
			"end 2/0 at 2s, end 1/0 at 2s",
		}, {
			"closing needs both FINs and their ACKs", Config{},
			append(slices.Clone(handshake), segment(1, false, F|A, 101, 501), segment(2, true, A, 501, 102),
				segment(3, true, F|A, 501, 102), segment(4, false, A, 102, 502), segment(5, true, A, 502, 102)),
			"fin 4/3 at 4s, end 1/0 at 5s",
		}, {
			"simultaneous close", Config{},
			append(slices.Clone(handshake), segment(1, false, F|A, 101, 501), segment(1, true, F|A, 501, 101),
				segment(2, true, A, 502, 102), segment(2, false, A, 102, 502)),
			"fin 4/3 at 2s",
		}, {
			"reset", Config{},
			append(slices.Clone(handshake), segment(1, true, R, 501, 0), segment(2, false, S, 900, 0)),
			"fin 2/2 at 1s, end 1/0 at 2s",
		}, {
			"a SYN reopens a half-closed connection, its own repeated does not", Config{},
			append(slices.Clone(handshake), segment(1, false, F|A, 101, 501), segment(2, false, S, 100, 0),
				segment(3, false, S, 900, 0)),
			"reopened 4/1 at 3s, end 1/0 at 3s",
		}, {
			"a late packet does not turn time back", Config{Idle: 10 * time.Second},
			[]*mlids.Packet{udp(100, 1, 2, 1, 2), udp(95, 1, 2, 1, 2), udp(109, 1, 2, 1, 2), udp(95, 3, 4, 1, 2)},
			"end 3/0 at 1m49s, end 1/0 at 1m49s",
		}, {
			"a clock set back goes on from there", Config{Idle: 10 * time.Second},
			[]*mlids.Packet{
				udp(5000, 1, 2, 1, 2), udp(100, 3, 4, 1, 2), udp(101, 3, 4, 1, 2), udp(102, 3, 4, 1, 2),
				udp(130, 5, 6, 1, 2),
			},
			"idle 3/0 at 1m52s, end 1/0 at 2m10s, end 1/0 at 2m10s",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := &counter{tcp: true}
			table := New(test.cfg, h)
			for _, p := range test.packets {
				table.Add(p)
			}
			table.Flush()
			if got := strings.Join(h.log, ", "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			var sum uint64
			for _, n := range table.Stats().Ended {
				sum += n
			}
			if s := table.Stats(); s.Flows != sum || s.Open != 0 || s.Packets != uint64(len(test.packets)) {
				t.Errorf("counts do not add up: %+v", s)
			}
		})
	}
}

// TestAdvance ends flows of a source that is silent.
func TestAdvance(t *testing.T) {
	h := &counter{}
	table := New(Config{Idle: 5 * time.Second}, h)
	table.Add(udp(10, 1, 2, 1, 2))
	table.Advance(14e9)
	if len(h.log) != 0 {
		t.Fatalf("ended too early: %s", h.log)
	}
	table.Advance(16e9)
	if len(h.log) != 1 || h.log[0] != "idle 1/0 at 15s" {
		t.Fatalf("got %s", h.log)
	}
}

// TestOrder compares many flows with a slow and simple model of what the package promises.
func TestOrder(t *testing.T) {
	const idle = 3 * time.Second
	rng := rand.New(rand.NewPCG(1, 2))
	h := &counter{}
	table := New(Config{Idle: idle}, h)
	type open struct{ first, last, seq int64 }
	var model []ended
	flows := map[uint16]open{}
	finish := func(o open, end int64, why mlids.EndReason) {
		model = append(model, ended{first: o.first, end: end, seq: uint64(o.seq), why: why})
	}
	now := int64(0)
	for i := range 20_000 {
		now += rng.Int64N(4e6)
		port := uint16(rng.IntN(3000))
		p := udp(0, 1, 2, port, 9)
		p.Time = now
		table.Add(p)
		o, ok := flows[port]
		switch {
		case ok && now > o.last+int64(idle):
			finish(o, o.last+int64(idle), mlids.EndIdle)
			fallthrough
		case !ok:
			o = open{first: now, seq: int64(i + 1)}
		}
		o.last = now
		flows[port] = o
	}
	table.Flush()
	for _, o := range flows {
		if now > o.last+int64(idle) && tickOf(o.last+int64(idle)) < tickOf(now) {
			finish(o, o.last+int64(idle), mlids.EndIdle)
		} else {
			finish(o, now, mlids.EndSource)
		}
	}
	slices.SortFunc(model, func(a, b ended) int {
		if a.end != b.end {
			return int(a.end - b.end)
		}
		return int(a.seq) - int(b.seq)
	})
	if len(model) != len(h.ends) {
		t.Fatalf("%d flows, want %d", len(h.ends), len(model))
	}
	for i, e := range h.ends {
		if m := model[i]; e.first != m.first || e.end != m.end || e.seq != m.seq || e.why != m.why {
			t.Fatalf("flow %d: got %+v, want %+v", i, e, m)
		}
	}
}

// TestNoAllocations: a packet of an open flow costs no memory.
func TestNoAllocations(t *testing.T) {
	table := New(Config{Active: time.Hour}, &counter{})
	p := udp(1, 1, 2, 3, 4)
	table.Add(p)
	if n := testing.AllocsPerRun(1000, func() { table.Add(p) }); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

// TestIndex removes entries in every order of a crowded index.
func TestIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x := NewIndex()
	var in []uint64
	for range 20_000 {
		if len(in) > 0 && rng.IntN(5) < 2 {
			i := rng.IntN(len(in))
			x.Remove(uint32(in[i]>>32), uint32(in[i]))
			in = slices.Delete(in, i, i+1)
			continue
		}
		e := uint64(rng.Uint32N(4096))<<32 | uint64(rng.Uint32()|1)
		x.Insert(uint32(e>>32), uint32(e))
		in = append(in, e)
	}
	if x.Len() != len(in) || len(slices.Collect(x.All())) != len(in) {
		t.Fatalf("%d entries, want %d", x.Len(), len(in))
	}
	for _, e := range in {
		if place := x.Find(uint32(e>>32), func(place uint32) bool { return place == uint32(e) }); place != uint32(e) {
			t.Fatalf("entry %x was lost", e)
		}
	}
	x.Clear()
	if place := x.Find(uint32(in[0]>>32), func(uint32) bool { return true }); place != 0 || x.Len() != 0 {
		t.Errorf("place %d of a cleared index with %d", place, x.Len())
	}
}
