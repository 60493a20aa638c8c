package gemm

import "golang.org/x/sys/cpu"

// tiles computes as many rows as kernels can, and returns their number.
func tiles(c, a, b Matrix, m, n, k int) int {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return 0
	}
	done := 0
	if cpu.X86.HasAVX512F {
		for ; done+8 <= m; done += 8 {
			j := 0
			for ; j+32 <= n; j += 32 {
				tile512(k, &a.Data[done*a.Row], 4*a.Row, 4*a.Col, &b.Data[j], 4*b.Row, &c.Data[done*c.Row+j], 4*c.Row)
			}
			if j < n {
				narrow(c, a, b, done, j, k)
				narrow(c, a, b, done+4, j, k)
			}
		}
	}
	for ; done+4 <= m; done += 4 {
		for j := 0; j < n; j += 16 {
			narrow(c, a, b, done, j, k)
		}
	}
	return done
}

// narrow computes a tile of 4 rows and 16 columns.
func narrow(c, a, b Matrix, i, j, k int) {
	tile256(k, &a.Data[i*a.Row], 4*a.Row, 4*a.Col, &b.Data[j], 4*b.Row, &c.Data[i*c.Row+j], 4*c.Row)
}
