package cicflow

import (
	"math/rand/v2"
	"testing"

	"mlids"
)

// TestCuts holds the table against a map, with few different hashes in long runs of slots.
func TestCuts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	c := newCuts()
	want := map[uint64]carried{}
	for i := range 100_000 {
		hash := 1 + rng.Uint64N(40)*uint64(1+rng.IntN(64))
		if rng.IntN(2) == 0 {
			v := carried{last: int64(i)}
			c.put(hash, v)
			want[hash] = v
			continue
		}
		v, ok := c.take(hash)
		if w, had := want[hash]; v != w || ok != had {
			t.Fatalf("hash %d gave %+v, %t, want %+v, %t", hash, v, ok, w, had)
		}
		delete(want, hash)
		if c.index.Len() != len(want) {
			t.Fatalf("%d are counted, want %d", c.index.Len(), len(want))
		}
	}
}

// TestCarryForgets: the latest half of the capacity is remembered, and what is forgotten is handed back.
func TestCarryForgets(t *testing.T) {
	dropped := 0
	c := newCarry(200, func(s *seenSet) {
		if s.n > 0 {
			dropped++
		}
	})
	for i := range 1000 {
		k := udpKey(i)
		c.put(&k, carried{last: int64(i), set: seenSet{n: 1}})
	}
	kept := 0
	for i := range 1000 {
		k := udpKey(i).Reverse()
		v, ok := c.take(&k)
		switch {
		case ok && (v.last != int64(i) || k != udpKey(i)):
			t.Fatalf("connection %d came back as %+v of %+v", i, v, k)
		case ok:
			kept++
		case i >= 900:
			t.Errorf("connection %d is forgotten", i)
		}
	}
	if kept < 100 || kept > 200 || kept+dropped != 1000 {
		t.Errorf("%d are kept and %d dropped", kept, dropped)
	}
}

// udpKey is the key of the n-th of many flows.
func udpKey(n int) mlids.FlowKey {
	k := mlids.FlowKey{SrcPort: uint16(n), DstPort: 53, Proto: mlids.ProtoUDP}
	k.Src[15], k.Dst[15] = 9, 1
	return k
}
