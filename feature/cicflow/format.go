package cicflow

import (
	"math"
	"strconv"
	"time"

	"mlids"
)

// printer writes times; it remembers the date.
type printer struct {
	day dayText
}

// appendNumber appends v in its shortest decimal form that reads back as the same float64. What is not a number or
// infinite is spelled as in Java and Python.
func appendNumber(b []byte, v float64) []byte {
	if i := int64(v); float64(i) == v && i > -1<<53 && i < 1<<53 {
		return appendInt(b, i)
	}
	switch {
	case v > 1.0/64 && v < 1<<53:
		return appendFraction(b, v)
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 1):
		return append(b, "Infinity"...)
	case math.IsInf(v, -1):
		return append(b, "-Infinity"...)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// appendFraction appends a v between 1/64 and 2^53 that is not whole, several times as fast as strconv: by Steele and
// White's free-format algorithm (PLDI 1990), which is exact here in 64 bits. Every digit of the whole part counts; those
// behind the point end as soon as no other float64 is as near.
func appendFraction(b []byte, v float64) []byte {
	bits := math.Float64bits(v)
	mantissa := bits & (1<<52 - 1)
	if mantissa == 0 { // the next lower number is nearer than the next higher one
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	point := 1075 - uint(bits>>52) // bits of the mantissa behind the point, at most 58
	whole := (mantissa | 1<<52) >> point
	b = append(appendInt(b, int64(whole)), '.')

	one := uint64(2) << point
	rest := (mantissa|1<<52)<<1 - whole*one // in units of half the distance to the next number
	near := uint64(1) - mantissa&1          // halfway reads back as the even mantissa
	for half := uint64(1); ; {
		rest, half = rest*10, half*10
		digit := rest >> (point + 1)
		rest &= one - 1
		low, high := rest < half+near, rest+half+near > one
		if low || high {
			if high && (!low || 2*rest+digit&1 > one) { // of two that are equally near, the even one
				digit++
			}
			return append(b, byte('0'+digit))
		}
		b = append(b, byte('0'+digit))
	}
}

// appendInt is strconv.AppendInt with a short way for small numbers, of which rows have most.
func appendInt(b []byte, i int64) []byte {
	switch {
	case uint64(i) < 10:
		return append(b, byte('0'+i))
	case uint64(i) < 100:
		return append(b, byte('0'+i/10), byte('0'+i%10))
	case uint64(i) < 1000:
		return append(b, byte('0'+i/100), byte('0'+i/10%10), byte('0'+i%10))
	}
	return strconv.AppendInt(b, i, 10)
}

// clock is how a dialect prints times.
type clock uint8

const (
	isoMicros clock = iota // 2006-01-02 15:04:05.000000
	britain                // 02/01/2006 15:04:05
)

var layouts = [...]string{isoMicros: "2006-01-02 15:04:05.000000", britain: "02/01/2006 15:04:05"}

// dayText remembers the date of a day.
type dayText struct {
	day   int64
	clock clock
	text  []byte
}

const secondsPerDay = 24 * 60 * 60

// time appends a time (ns since the epoch) in UTC.
func (p *printer) time(b []byte, ns int64, c clock) []byte {
	sec := ns / 1e9
	if ns < 0 {
		return time.Unix(0, ns).UTC().AppendFormat(b, layouts[c])
	}
	d := &p.day
	if day := sec / secondsPerDay; d.text == nil || day != d.day || c != d.clock {
		d.day, d.clock = day, c
		d.text = time.Unix(sec, 0).UTC().AppendFormat(d.text[:0], layouts[c][:len("2006-01-02 ")])
	}
	b = append(b, d.text...)
	s := sec % secondsPerDay
	b = twoDigits(b, s/3600)
	b = twoDigits(append(b, ':'), s/60%60)
	b = twoDigits(append(b, ':'), s%60)
	if c == isoMicros {
		us := ns % 1e9 / 1000
		b = twoDigits(append(b, '.'), us/10000)
		b = twoDigits(b, us/100%100)
		b = twoDigits(b, us%100)
	}
	return b
}

func twoDigits(b []byte, v int64) []byte { return append(b, byte('0'+v/10), byte('0'+v%10)) }

// appendAddr appends an address.
func appendAddr(b []byte, a *mlids.Addr) []byte {
	if !a.Is4() {
		return a.Netip().AppendTo(b)
	}
	for i, octet := range a[12:] {
		if i > 0 {
			b = append(b, '.')
		}
		b = appendInt(b, int64(octet))
	}
	return b
}

// appendID appends a flow's id: addresses, ports, protocol.
func appendID(b []byte, k *mlids.FlowKey) []byte {
	b = append(appendAddr(b, &k.Src), '-')
	b = append(appendAddr(b, &k.Dst), '-')
	b = append(appendInt(b, int64(k.SrcPort)), '-')
	b = append(appendInt(b, int64(k.DstPort)), '-')
	return appendInt(b, int64(k.Proto))
}

// signedOrder turns k so that the lower address comes first, as the tool of 2018 compared them: byte by byte as signed numbers.
func signedOrder(k mlids.FlowKey) mlids.FlowKey {
	for i := range k.Src {
		if a, b := int8(k.Src[i]), int8(k.Dst[i]); a != b {
			if a > b {
				return k.Reverse()
			}
			return k
		}
	}
	return k
}
