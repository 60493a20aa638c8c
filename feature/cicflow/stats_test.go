package cicflow

import (
	"math"
	"math/rand/v2"
	"testing"

	"mlids"
)

// TestMoments compares with the definitions.
func TestMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var s series
	var all []float64
	for range 1000 {
		x := rng.Int64N(2_000_001) - 1_000_000
		s.add(x)
		all = append(all, float64(x))
	}
	var sum, squares float64
	for _, x := range all {
		sum += x
	}
	mean := sum / 1000
	for _, x := range all {
		squares += (x - mean) * (x - mean)
	}
	if math.Abs(s.mean-mean) > 1e-9 || math.Abs(s.std(s.n)-math.Sqrt(squares/999)) > 1e-6 {
		t.Errorf("mean %v and deviation %v, want %v and %v", s.mean, s.std(s.n), mean, math.Sqrt(squares/999))
	}
	var one series
	if one.add(7); one.mean != 7 || one.std(1) != 0 || one.min != 7 || one.max != 7 {
		t.Errorf("one number: %+v", one)
	}
}

func TestFlagCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var c flagCounts
	var want [8]uint32
	for range 1000 {
		f := mlids.TCPFlags(rng.Uint32())
		c.add(f)
		for i := range want {
			want[i] += uint32(f>>i) & 1
		}
	}
	for i, n := range want {
		if c.count(i) != n {
			t.Errorf("flag %d: %d, want %d", i, c.count(i), n)
		}
	}
}

func TestBulk(t *testing.T) {
	at := func(ms int64, payload uint32) packet { return packet{now: ms * 1000, payload: payload} }
	tests := []struct {
		name            string
		packets         []packet
		other           int64
		count, n, bytes int
		duration        int64
	}{
		{"three are none", []packet{at(1, 9), at(2, 9), at(3, 9)}, 0, 0, 0, 0, 0},
		{"four are one", []packet{at(1, 9), at(2, 9), at(3, 9), at(4, 9)}, 0, 1, 4, 36, 3000},
		{"more go on", []packet{at(1, 9), at(2, 9), at(3, 9), at(4, 9), at(5, 0), at(6, 1)}, 0, 1, 5, 37, 5000},
		{"a second of silence divides", []packet{at(1, 9), at(2, 9), at(3, 9), at(1004, 9), at(1005, 9)}, 0, 0, 0, 0, 0},
		{"the other side's payload divides", []packet{at(1, 9), at(2, 9), at(3, 9), at(4, 9)}, 2500, 0, 0, 0, 0},
	}
	for _, test := range tests {
		var b bulk
		for _, p := range test.packets {
			other := int64(0)
			if p.now > test.other {
				other = test.other
			}
			b.add(p, other)
		}
		if int(b.count) != test.count || int(b.packets) != test.n || int(b.bytes) != test.bytes || b.duration != test.duration {
			t.Errorf("%s: %+v", test.name, b)
		}
	}
}

func TestSeen(t *testing.T) {
	s := &seen{budget: 1 << 20}
	var a, b seenSet
	p := &mlids.Packet{Src: mlids.AddrFrom4([4]byte{1}), Proto: mlids.ProtoTCP}
	for i := range 5000 {
		p.Seq, p.Ack, p.Window = uint32(i), uint32(i/2), uint16(i%7)
		if s.add(&a, p, false) {
			t.Fatalf("packet %d is new", i)
		}
		if !s.add(&a, p, false) {
			t.Fatalf("packet %d is a repetition", i)
		}
		if i%100 == 0 && s.add(&b, p, false) {
			t.Fatalf("packet %d is new to the other connection", i)
		}
	}
	p.Src = mlids.AddrFrom4([4]byte{2})
	if s.add(&a, p, false) {
		t.Error("the other side's packet is new")
	}
	s.release(&a)
	if p.Seq = 17; s.add(&a, p, false) {
		t.Error("a released set is empty")
	}
}

// TestSeenBudget: without memory nothing is a repetition, and nothing fails.
func TestSeenBudget(t *testing.T) {
	s := &seen{budget: slabWords}
	sets := make([]seenSet, 3000)
	for i := range sets {
		for j := range 20 {
			if s.add(&sets[i], &mlids.Packet{Seq: uint32(j)}, false) {
				t.Fatal("a new packet is no repetition")
			}
		}
	}
	if s.budget != 0 {
		t.Errorf("%d left of the budget", s.budget)
	}
}

func TestCarry(t *testing.T) {
	dropped := 0
	c := newCarry(4, func(*seenSet) { dropped++ })
	key := func(i byte) mlids.FlowKey {
		return mlids.FlowKey{Src: mlids.AddrFrom4([4]byte{9, 9}), Dst: mlids.AddrFrom4([4]byte{i}), SrcPort: 5, Proto: 6}
	}
	for i := range byte(7) {
		k := key(i)
		c.put(&k, carried{duration: int64(i)})
	}
	k := key(6).Reverse()
	if v, ok := c.take(&k); !ok || v.duration != 6 || k != key(6) {
		t.Errorf("the latest is %+v %v %v", v, k, ok)
	}
	if _, ok := c.take(&k); ok {
		t.Error("taken twice")
	}
	k = key(0)
	if _, ok := c.take(&k); ok || dropped == 0 {
		t.Errorf("the first is remembered, %d were forgotten", dropped)
	}
}
