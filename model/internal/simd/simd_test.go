package simd

import "testing"

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
