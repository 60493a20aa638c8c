package kdd99

import (
	"strconv"
	"time"

	"mlids/feature"
)

// AppendCSV appends the row as the data's files have it: 41 columns without a header, categories by name, rates with two
// decimals, then the label if there is one. There is no line end.
func (r *Row) AppendCSV(dst []byte) []byte {
	for i := range r.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.AppendValue(dst, i)
	}
	if r.Label != "" {
		dst = append(append(dst, ','), r.Label...)
	}
	return dst
}

// AppendValue appends the text of column i.
func (r *Row) AppendValue(dst []byte, i int) []byte {
	c, v := &r.rules.schema.Columns[i], r.Values[i]
	switch {
	case c.Kind == feature.Category:
		return append(dst, c.Categories[int(v)]...)
	case i == 0 && r.rules.fractional:
		return strconv.AppendFloat(dst, v, 'f', 6, 64)
	case c.Kind == feature.Real && r.rules.decimals == 2:
		return appendHundredths(dst, v)
	case c.Kind == feature.Real:
		return strconv.AppendFloat(dst, v, 'f', r.rules.decimals, 64)
	}
	return strconv.AppendInt(dst, int64(v), 10)
}

// appendHundredths appends a share from 0 to 1 with two decimals.
func appendHundredths(dst []byte, v float64) []byte {
	n := int(v*100 + 0.5)
	return append(dst, byte('0'+n/100), '.', byte('0'+n/10%10), byte('0'+n%10))
}

// AppendJSON appends the row as one JSON object: who and when, then the columns under their names. There is no line end.
func (r *Row) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"src_ip":"`...)
	dst = r.Key.Src.Netip().AppendTo(dst)
	dst = append(dst, `","src_port":`...)
	dst = strconv.AppendUint(dst, uint64(r.Key.SrcPort), 10)
	dst = append(dst, `,"dst_ip":"`...)
	dst = r.Key.Dst.Netip().AppendTo(dst)
	dst = append(dst, `","dst_port":`...)
	dst = strconv.AppendUint(dst, uint64(r.Key.DstPort), 10)
	dst = append(dst, `,"start":"`...)
	dst = time.Unix(0, r.First).UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","end":"`...)
	dst = time.Unix(0, r.Last).UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","reason":"`...)
	dst = append(append(dst, r.Reason.String()...), '"')
	for i, c := range r.rules.schema.Columns {
		dst = append(append(append(dst, `,"`...), c.Name...), `":`...)
		if c.Kind == feature.Category {
			dst = append(r.AppendValue(append(dst, '"'), i), '"')
		} else {
			dst = r.AppendValue(dst, i)
		}
	}
	if r.Label != "" {
		dst = append(dst, `,"label":`...)
		dst = strconv.AppendQuote(dst, r.Label)
	}
	return append(dst, '}')
}
