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
	for r := range n {
		row := rows[r*f.Inputs : (r+1)*f.Inputs]
		column := columns[r:]
		for i, input := range v.used {
			column[i*stride] = row[input]
		}
	}
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

// few computes rows one by one.
func (v *vector) few(dst []float64, rows []float32, s *scratch) {
	f := v.flat.forest
	if v.groups == 0 {
		v.flat.margins(dst, rows, s)
		return
	}
	values := s.floats(v.groups * simd.RowLanes)
	for ; len(rows) > 0; dst, rows = dst[f.Outputs:], rows[f.Inputs:] {
		row := rows[:f.Inputs]
		for i, input := range v.used {
			s.row[i] = row[input]
		}
		v.level.Row(v.lanes, v.groups, &s.row, len(v.used), values)
		copy(dst[:f.Outputs], f.Base)
		for i, out := range v.flat.outputs {
			dst[out] += float64(values[i])
		}
	}
}
