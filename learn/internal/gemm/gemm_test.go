package gemm

import (
	"math"
	"math/rand/v2"
	"testing"
)

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func TestKernelsAgreeWithPlainLoops(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, d := range [][3]int{{1, 16, 1}, {8, 32, 5}, {9, 48, 7}, {13, 16, 33}, {64, 64, 122}, {12, 80, 2}, {5, 16, 0}} {
		m, n, k := d[0], d[1], d[2]
		for name, a := range map[string]Matrix{
			"rows":    {Data: random(r, m*(k+3)), Row: k + 3, Col: 1},
			"columns": {Data: random(r, m*k+1), Row: 1, Col: m},
		} {
			b := Matrix{Data: random(r, k*(n+16)), Row: n + 16, Col: 1}
			start := random(r, m*n)
			got := Matrix{Data: append([]float32(nil), start...), Row: n, Col: 1}
			want := Matrix{Data: append([]float32(nil), start...), Row: n, Col: 1}
			Add(got, a, b, m, n, k)
			plain(want, a, b, 0, m, n, k)
			for i := range want.Data {
				if math.Abs(float64(got.Data[i]-want.Data[i])) > 1e-4 {
					t.Fatalf("%d×%d×%d, a by %s: element %d is %v, want %v", m, n, k, name, i, got.Data[i], want.Data[i])
				}
			}
		}
	}
}

func TestMatricesThatAreTooShort(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a kernel ran past the end of its matrix")
		}
	}()
	x := Matrix{Data: make([]float32, 100), Row: 16, Col: 1}
	Add(x, x, x, 8, 16, 8)
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	const m, n, k = 64, 64, 128
	c, x, y := Matrix{random(r, m*n), n, 1}, Matrix{random(r, m*k), k, 1}, Matrix{random(r, k*n), n, 1}
	for b.Loop() {
		Add(c, x, y, m, n, k)
	}
	b.ReportMetric(2*m*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
}
