package flow

import "testing"

// TestShard: both directions meet in one shard, and shards are about equally full.
func TestShard(t *testing.T) {
	const n = 4
	var full [n]int
	for i := range 4000 {
		a, b := byte(i), byte(i>>4+1)
		fwd, bwd := udp(0, a, b, uint16(i), 80), udp(1, b, a, 80, uint16(i))
		s := Shard(fwd, n)
		if s != Shard(bwd, n) || s < 0 || s >= n {
			t.Fatalf("packet %d: shards %d and %d", i, s, Shard(bwd, n))
		}
		full[s]++
	}
	for _, f := range full {
		if f < 800 || f > 1200 {
			t.Errorf("shards hold %v", full)
		}
	}
}
