package simd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The kernels themselves are compared, bit for bit, with walking the trees, in package model.

func TestBit(t *testing.T) {
	for leaf := range 64 {
		if got := AVX512.Bit(leaf); got != 1<<(31-leaf%32) {
			t.Errorf("leaf %d: %#x, the first leaf is the highest bit of AVX-512", leaf, got)
		}
		if got := AVX2.Bit(leaf); got != 1<<(leaf%32) {
			t.Errorf("leaf %d: %#x, the first leaf is the lowest bit of AVX2", leaf, got)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	for level := range Detect() + 1 {
		level.Block(1, nil, 0, nil, nil, 0)
		level.Row(nil, 0, &[RowInputs]float32{}, 0, nil)
	}
}

func TestDense(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	numbers := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = float64(float32(r.NormFloat64()))
		}
		return out
	}
	for level := range Detect() + 1 {
		for _, panels := range []int{1, 2, 4, 7, 9} {
			for _, inputs := range []int{1, 3, 78} {
				weights, x, want := numbers(panels*Panel*inputs), numbers(inputs), numbers(panels*Panel)
				got := append([]float64(nil), want...)
				dense(weights, x, want)
				level.Dense(weights, x, got)
				for i := range want {
					if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
						t.Fatalf("level %d, %d panels, %d inputs: sum %d is %v, want %v", level, panels, inputs, i, got[i], want[i])
					}
				}
			}
		}
	}
}
