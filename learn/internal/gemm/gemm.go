// Package gemm multiplies small dense matrices of float32. On amd64 with AVX2 or AVX-512 a tile of the product stays in
// registers while kernels written by asm/main.go run along the inner dimension; elsewhere plain loops do.
//
// Each element of a product is a sum in the order of the inner dimension, so it does not depend on how a product is
// shared out. Kernels round once per step where plain loops round twice: results differ in the last bits.
package gemm

//go:generate go -C asm run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg gemm

// Lanes is what the number of columns of products must be a multiple of.
const Lanes = 16

// Pad rounds a number of columns up to a multiple of Lanes.
func Pad(n int) int { return (n + Lanes - 1) / Lanes * Lanes }

// Matrix is a view of values: element i, j is Data[i*Row+j*Col].
type Matrix struct {
	Data     []float32
	Row, Col int // strides
}

// Add adds the product of a, m×k, and b, k×n, to c, m×n. Rows of b and c lie together (Col 1), and n is a multiple of
// Lanes. Matrices that are too short for that make it panic, as an index would.
func Add(c, a, b Matrix, m, n, k int) {
	if m == 0 || n == 0 || k == 0 {
		return
	}
	_ = c.Data[(m-1)*c.Row+n-1]
	_ = a.Data[(m-1)*a.Row+(k-1)*a.Col]
	_ = b.Data[(k-1)*b.Row+n-1]
	done := tiles(c, a, b, m, n, k)
	plain(c, a, b, done, m, n, k)
}

// plain computes the rows lo to m.
func plain(c, a, b Matrix, lo, m, n, k int) {
	for i := lo; i < m; i++ {
		to := c.Data[i*c.Row:][:n]
		for p := range k {
			f := a.Data[i*a.Row+p*a.Col]
			if f == 0 {
				continue
			}
			from := b.Data[p*b.Row:][:n]
			for j, v := range from {
				to[j] += f * v
			}
		}
	}
}
