package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// whole writes a count with commas: 494,021.
func whole(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// weight writes a count that may have a fraction.
func weight(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return whole(int(v))
	}
	return number(v)
}

// percent writes a share, never rounding what is not all to 100% or what is not nothing to 0%.
func percent(v float64) string {
	switch {
	case v != v:
		return "–"
	case v == 0 || v == 1:
		return fmt.Sprintf("%.0f%%", v*100)
	case v < 0.0001 && v > 0:
		return "<0.01%"
	case v > 0.9999 && v < 1:
		return ">99.99%"
	case v < 0.01 || v > 0.99:
		return fmt.Sprintf("%.2f%%", v*100)
	}
	return fmt.Sprintf("%.1f%%", v*100)
}

// exact writes a share that was chosen: 1%, 0.1%.
func exact(v float64) string { return strconv.FormatFloat(v*100, 'g', 6, 64) + "%" }

// number writes a value with four significant digits; large ones with a letter (12.3 k, 4.56 M).
func number(v float64) string {
	switch a := math.Abs(v); {
	case v != v:
		return "–"
	case a >= 1e15:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 1e9:
		return digits(v/1e9, 3) + " G"
	case a >= 1e6:
		return digits(v/1e6, 3) + " M"
	case a >= 1e4:
		return digits(v/1e3, 3) + " k"
	}
	return digits(v, 4)
}

// digits writes a number with so many significant digits, without an exponent when that is readable.
func digits(v float64, n int) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', n, 64)
}

// fixed writes a figure between 0 and 1 with four digits.
func fixed(v float64) string {
	if v != v {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// third writes a figure with three digits behind the point.
func third(v float64) string { return strconv.FormatFloat(v+0, 'f', 3, 64) }

// plural is "1 row" or "3 rows".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return whole(n) + " " + noun + "s"
}

// list names some of many.
func list(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// base is a source's name without its folders.
func base(source string) string {
	name := source[strings.LastIndexAny(source, "/\\")+1:]
	if name == "" {
		return source
	}
	return name
}
