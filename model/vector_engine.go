package model

import "mlids/model/internal/simd"

// margins computes the margins of all rows, block by block.
func (v *vector) margins(dst []float64, rows []float32, s *scratch) {
	f := v.flat.forest
	for len(rows) > 0 {
		n := min(len(rows)/f.Inputs, simd.BlockRows)
		if n < vectorRows {
			v.few(dst, rows, s)
			return
		}
		v.block(dst[:n*f.Outputs], rows[:n*f.Inputs], n, s)
		dst, rows = dst[n*f.Outputs:], rows[n*f.Inputs:]
	}
}

// block turns rows into columns, runs the trees over them, and turns the sums back into rows.
func (v *vector) block(dst []float64, rows []float32, n int, s *scratch) {
	const stride = simd.BlockRows
	f := v.flat.forest
	columns, sums := s.floats(max(1, len(v.used))*stride), s.doubles(f.Outputs*stride)
	v.transpose(columns, rows, n)
	for o, base := range f.Base {
		for r := range n {
			sums[o*stride+r] = base
		}
	}
	v.level.Block(v.words, v.code, len(f.Trees), columns, sums, n)
	for o := range f.Outputs {
		for r, sum := range sums[o*stride : o*stride+n] {
			dst[r*f.Outputs+o] = sum
		}
	}
}

// transpose lays the used inputs of n rows out as columns, eight rows at a time.
func (v *vector) transpose(columns, rows []float32, n int) {
	const stride = simd.BlockRows
	width, r := v.flat.forest.Inputs, 0
	for ; r+8 <= n; r += 8 {
		x0, x1, x2, x3 := rows[:width], rows[width:][:width], rows[2*width:][:width], rows[3*width:][:width]
		x4, x5, x6, x7 := rows[4*width:][:width], rows[5*width:][:width], rows[6*width:][:width], rows[7*width:][:width]
		for i, input := range v.used {
			c := (*[8]float32)(columns[i*stride+r:])
			c[0], c[1], c[2], c[3] = x0[input], x1[input], x2[input], x3[input]
			c[4], c[5], c[6], c[7] = x4[input], x5[input], x6[input], x7[input]
		}
		rows = rows[8*width:]
	}
	for ; r < n; r++ {
		for i, input := range v.used {
			columns[i*stride+r] = rows[input]
		}
		rows = rows[width:]
	}
}

// few computes rows one by one.
func (v *vector) few(dst []float64, rows []float32, s *scratch) {
	f := v.flat.forest
	if v.groups == 0 {
		v.flat.margins(dst, rows, s)
		return
	}
	values := s.floats(v.groups * simd.RowLanes)
	for ; len(rows) > 0; dst, rows = dst[f.Outputs:], rows[f.Inputs:] {
		if v.dense {
			copy(s.row[:], rows[:f.Inputs])
		} else {
			for i, input := range v.used {
				s.row[i] = rows[input]
			}
		}
		v.level.Row(v.lanes, v.groups, &s.row, len(v.used), values)
		copy(dst[:f.Outputs], f.Base)
		v.sum(dst, values)
	}
}

// sum adds what each tree gave, in their order.
func (v *vector) sum(dst []float64, values []float32) {
	outputs := v.flat.outputs
	if len(v.flat.base) == 1 { // the sum stays in a register
		sum := dst[0]
		for _, value := range values[:len(outputs)] {
			sum += float64(value)
		}
		dst[0] = sum
		return
	}
	for i, out := range outputs {
		dst[out] += float64(values[i])
	}
}
