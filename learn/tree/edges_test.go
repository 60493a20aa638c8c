package tree

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestThresholdsTellNeighbouringNumbersApart(t *testing.T) {
	next := func(v float32) float32 { return math.Nextafter32(v, math.MaxFloat32) }
	for _, a := range []float32{0, 1, -1, 0.1, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1e30, 16777216} {
		for _, b := range []float32{next(a), next(next(a)), math.MaxFloat32} {
			if th := between(a, b); !(a <= th && th < b) {
				t.Errorf("threshold %v does not part %v and %v", th, a, b)
			}
		}
	}
}

func TestFewValuesGetABinEach(t *testing.T) {
	x := []float32{3, 1, 1, 2, float32(math.NaN()), 3, float32(math.Copysign(0, -1)), 0}
	c, slots := newCounter(), make([]uint32, len(x))
	c.count(x, nil, slots)
	b, of := c.divide(maxBins)
	if want := []float32{0.5, 1.5, 2.5}; len(b.edges) != 3 || b.edges[0] != want[0] || b.edges[1] != want[1] || b.edges[2] != want[2] {
		t.Errorf("edges %v, want %v", b.edges, want)
	}
	for i, v := range x {
		if got, want := int(of[slots[i]]), b.bin(v); got != want {
			t.Errorf("value %v is in bin %d, by the edges in %d", v, got, want)
		}
	}
	if !b.missing || b.bins() != 5 {
		t.Errorf("%d bins, missing %v; want 5, true", b.bins(), b.missing)
	}
}

func TestManyValuesGetBinsOfEqualWeight(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x, weight := make([]float32, 20000), make([]float32, 20000)
	for i := range x {
		x[i], weight[i] = float32(r.ExpFloat64()), 1
		if i%4 == 0 {
			x[i] = 0.5 // a quarter of the rows
		}
		if x[i] > 2 {
			weight[i] = 5
		}
	}
	c, slots := newCounter(), make([]uint32, len(x))
	c.count(x, weight, slots)
	b, of := c.divide(maxBins)
	if b.bins() > maxBins || b.bins() < 240 {
		t.Fatalf("%d bins, want at most %d and nearly as many", b.bins(), maxBins)
	}
	sum, total := make([]float64, b.bins()), 0.0
	for i, s := range slots {
		sum[of[s]] += float64(weight[i])
		total += float64(weight[i])
		if int(of[s]) != b.bin(x[i]) {
			t.Fatalf("value %v is in bin %d, by the edges in %d", x[i], of[s], b.bin(x[i]))
		}
	}
	heavy := b.bin(0.5)
	for i, w := range sum {
		if i != heavy && w > 3*total/maxBins {
			t.Errorf("bin %d weighs %v of %v", i, w, total)
		}
	}
}
