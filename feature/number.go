package feature

import "math"

// missing is the one NaN that stands for a missing value, so that equal rows have equal bits.
var missing = float32(math.NaN())

// Quotient is the value of a ratio: 0 where the divisor is 0, as rates and means of nothing are in flows; missing where
// either number is, or the result is too large for float32.
func Quotient(a, b float32) float32 {
	if b == 0 && a == a {
		return 0
	}
	if q := a / b; q-q == 0 {
		return q + 0 // -0 + 0 is 0
	}
	return missing
}

// Float32 rounds a number the way tables and models hold it, live and in training alike: NaN and infinities are missing
// (pandas writes both as null), what is too large for float32 becomes ±[math.MaxFloat32], negative zero becomes zero.
func Float32(v float64) float32 {
	switch {
	case math.Abs(v) <= math.MaxFloat32:
		return float32(v) + 0 // -0 + 0 is 0
	case v-v != 0: // NaN or infinite
		return missing
	case v < 0:
		return -math.MaxFloat32
	}
	return math.MaxFloat32
}
