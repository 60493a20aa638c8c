package simd

import "golang.org/x/sys/cpu"

// Detect is the best level of this processor.
func Detect() Level {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512CD && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasFMA:
		return AVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return AVX2
	}
	return Scalar
}

func (l Level) block(words int, code []uint32, trees int, columns []float32, sums []float64, rows int) {
	switch {
	case l == AVX512 && words == 1:
		block512x32(&code[0], trees, &columns[0], &sums[0])
	case l == AVX512:
		block512x64(&code[0], trees, &columns[0], &sums[0])
	case l == AVX2:
		narrow := block256x32
		if words == 2 {
			narrow = block256x64
		}
		for from := 0; from < rows; from += BlockRows / 2 {
			narrow(&code[0], trees, &columns[from], &sums[from])
		}
	}
}

func (l Level) row(code []uint32, groups int, row *[RowInputs]float32, inputs int, out []float32) {
	if inputs <= RowInputs/2 {
		row512x64(&code[0], groups, &row[0], &out[0])
	} else {
		row512x128(&code[0], groups, &row[0], &out[0])
	}
}

func (l Level) dense(weights, x, y []float64) {
	kernel := dense512
	if l == AVX2 {
		kernel = dense256
	}
	kernel(&weights[0], len(x), len(y)/Panel, &x[0], &y[0])
}
