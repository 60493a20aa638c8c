package feature_test

import (
	"math"
	"testing"

	"mlids/feature"
)

func TestFloat32(t *testing.T) {
	nan := math.Float32bits(feature.Float32(math.NaN()))
	for _, test := range []struct {
		in   float64
		want float32
	}{
		{0.1, 0.1}, {-0.5, -0.5}, {math.Copysign(0, -1), 0}, {1e300, math.MaxFloat32}, {-1e300, -math.MaxFloat32},
		{16777217, 16777216}, {math.MaxFloat32, math.MaxFloat32},
	} {
		if got := feature.Float32(test.in); math.Float32bits(got) != math.Float32bits(test.want) {
			t.Errorf("Float32(%v) = %v, want %v", test.in, got, test.want)
		}
	}
	for _, in := range []float64{math.Inf(1), math.Inf(-1), math.Copysign(math.NaN(), -1)} {
		if got := math.Float32bits(feature.Float32(in)); got != nan {
			t.Errorf("Float32(%v) has bits %x, want those of the one NaN, %x", in, got, nan)
		}
	}
}

func TestQuotient(t *testing.T) {
	nan := float32(math.NaN())
	for _, test := range []struct{ a, b, want float32 }{
		{3, 4, 0.75}, {5, 0, 0}, {0, 0, 0}, {-1, 2, -0.5}, {0, -2, 0}, {nan, 2, nan}, {2, nan, nan}, {nan, 0, nan}, {math.MaxFloat32, 1e-30, nan},
	} {
		if got := feature.Quotient(test.a, test.b); math.Float32bits(got) != math.Float32bits(feature.Float32(float64(test.want))) {
			t.Errorf("Quotient(%v, %v) = %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

func TestRatiosOfUnknownColumns(t *testing.T) {
	_, err := feature.New(feature.Schema{
		Name: "x", Version: "1", Columns: []feature.Column{{Name: "a"}}, Ratios: []feature.Ratio{{Column: "a", Over: "b"}},
	})
	if err == nil {
		t.Error("a ratio over a column that is not there was taken")
	}
}
