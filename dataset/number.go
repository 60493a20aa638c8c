package dataset

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"

	"mlids/feature"
)

// missing is the one NaN that stands for a missing value, so that equal rows have equal bits.
var missing = feature.Float32(math.NaN())

// pow10 are the powers of ten that float64 holds exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// ParseNumber reads a number as every reader of this package does: see the package's documentation. It reports false for
// text that is not a number, a truth value or one of the words for missing and infinite.
func ParseNumber(text []byte) (float32, bool) {
	if v, n, ok := scanNumber(text, 0); ok && n == len(text) {
		return v, true
	}
	return parseWord(bytes.TrimSpace(text))
}

// scanNumber reads the decimal number at text[i:], JSON's grammar plus leading zeros. It returns the position behind it.
func scanNumber(text []byte, i int) (v float32, next int, ok bool) {
	mantissa, exponent := uint64(0), 0
	negative := i < len(text) && text[i] == '-'
	if negative {
		i++
	}
	first := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		mantissa = mantissa*10 + uint64(text[i]-'0')
	}
	digits := i - first
	if digits == 0 {
		return 0, i, false
	}
	if i < len(text) && text[i] == '.' {
		i++
		fraction := i
		for ; i < len(text) && text[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(text[i]-'0')
		}
		exponent = fraction - i
		if exponent == 0 {
			return 0, i, false
		}
		digits -= exponent
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		e, n, good := scanExponent(text, i+1)
		if !good {
			return 0, n, false
		}
		exponent, i = exponent+e, n
	}
	f, ok := decimal(mantissa, exponent, digits)
	if !ok {
		f, _ = strconv.ParseFloat(string(text[first:i]), 64) // out of range gives +Inf, as a float64 holds it
	}
	if negative {
		f = -f
	}
	return feature.Float32(f), i, true
}

// decimal is mantissa × 10^exponent, correctly rounded; false when that takes more than one operation.
func decimal(mantissa uint64, exponent, digits int) (float64, bool) {
	switch {
	case digits > 19 || exponent < -22 || exponent > 22:
		return 0, false
	case mantissa > 1<<53:
		if exponent < -19 || exponent >= 0 {
			return 0, false
		}
		return divide(mantissa, -exponent), true
	case exponent < 0: // both numbers are exact in float64
		return float64(mantissa) / pow10[-exponent], true
	default:
		return float64(mantissa) * pow10[exponent], true
	}
}

// divide is m/10ᵏ, correctly rounded, for m > 0 and 0 < k < 20: the 17 digits of a float64 that Java and Python print. The
// quotient is taken to 63 bits or more, with a last bit that is set for all that is below it, and then rounded once.
func divide(m uint64, k int) float64 {
	d := uint64(pow10[k])
	zerosM, zerosD := bits.LeadingZeros64(m), bits.LeadingZeros64(d)
	m <<= zerosM
	q, rest := bits.Div64(m>>1, m<<63, d<<zerosD)
	if rest != 0 {
		q |= 1
	}
	return float64(q) * math.Float64frombits(uint64(1023-63+zerosD-zerosM)<<52)
}

// scanExponent reads what follows the e of a number; beyond ±100,000 it stops counting.
func scanExponent(text []byte, i int) (exponent, next int, ok bool) {
	negative := false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		negative = text[i] == '-'
		i++
	}
	first := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		exponent = min(exponent*10+int(text[i]-'0'), 100_000)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, i, i > first
}

// parseWord reads the rarer forms of a number, without spaces around it.
func parseWord(text []byte) (float32, bool) {
	if isMissing(text) {
		return missing, true
	}
	bare := bytes.TrimPrefix(text, []byte("+"))
	if len(bare) < len(text) && bytes.HasPrefix(bare, []byte("-")) {
		return 0, false
	}
	if v, n, ok := scanNumber(bare, 0); ok && n == len(bare) {
		return v, true
	}
	switch {
	case bytes.EqualFold(text, []byte("true")):
		return 1, true
	case bytes.EqualFold(text, []byte("false")):
		return 0, true
	}
	return parsePoint(bare)
}

// parsePoint reads numbers that start or end with their decimal point: ".5", "5.", "5.e3".
func parsePoint(text []byte) (float32, bool) {
	if !bytes.Contains(text, []byte(".")) || len(text) < 2 {
		return 0, false
	}
	for _, c := range text {
		if c-'0' > 9 && !bytes.ContainsRune([]byte("+-.eE"), rune(c)) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return feature.Float32(f), true
}

// isMissing reports whether text stands for no value, or for an infinite one.
func isMissing(text []byte) bool {
	switch string(text) {
	case "", "NaN", "nan", "NAN", "-nan", "NA", "N/A", "null", "NULL", "None", "<NA>":
		return true
	}
	return isInfinite(text)
}

// isInfinite reports whether text is one of the words for infinity.
func isInfinite(text []byte) bool {
	text = bytes.TrimPrefix(bytes.TrimPrefix(bytes.TrimSpace(text), []byte("+")), []byte("-"))
	return bytes.EqualFold(text, []byte("infinity")) || bytes.EqualFold(text, []byte("inf"))
}
