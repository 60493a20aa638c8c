//go:build !amd64

package simd

// Detect is Scalar: there are kernels for amd64 only.
func Detect() Level { return Scalar }

// block, row and dense are not reached at level Scalar.
func (l Level) block(int, []uint32, int, []float32, []float64, int) {}

func (l Level) row([]uint32, int, *[RowInputs]float32, int, []float32) {}

func (l Level) dense([]float64, []float64, []float64) {}
