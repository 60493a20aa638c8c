package kdd99

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"mlids/feature"
	"mlids/flow"
)

// AppendCSV appends the row as the data's files have it: 41 columns, categories by name, rates with two decimals, then
// the label if there is one. There is no line end.
func (r *Row) AppendCSV(dst []byte) []byte {
	for i := range r.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.AppendValue(dst, i)
	}
	if r.Label != "" {
		dst = appendField(append(dst, ','), r.Label)
	}
	return dst
}

// AppendValue appends the text of column i.
func (r *Row) AppendValue(dst []byte, i int) []byte {
	v := r.Values[i]
	switch r.rules.kinds[i] {
	case feature.Category:
		return append(dst, r.rules.schema.Columns[i].Categories[int(v)]...)
	case feature.Real:
		return r.appendShare(dst, v)
	}
	switch {
	case i == 0 && r.rules.fractional:
		return strconv.AppendFloat(dst, v, 'f', 6, 64)
	case v < 10:
		return append(dst, byte('0'+int(v)))
	}
	return strconv.AppendInt(dst, int64(v), 10)
}

// appendShare appends a number from 0 to 1.
func (r *Row) appendShare(dst []byte, v float64) []byte {
	if r.rules.decimals != 2 {
		return strconv.AppendFloat(dst, v, 'f', r.rules.decimals, 64)
	}
	n := int(v*100 + 0.5)
	return append(dst, byte('0'+n/100), '.', byte('0'+n/10%10), byte('0'+n%10))
}

// appendField quotes a field where CSV needs it.
func appendField(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// AppendJSON appends the row as one JSON object: who and when (times in UTC), the columns under their names, the label if
// there is one, end_reason and community_id. There is no line end.
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
	dst = append(dst, `",`...)
	for i, key := range r.rules.keys {
		dst = append(dst, key...)
		if r.rules.kinds[i] == feature.Category {
			dst = append(r.AppendValue(append(dst, '"'), i), '"')
		} else {
			dst = r.AppendValue(dst, i)
		}
		dst = append(dst, ',')
	}
	if r.Label != "" {
		quoted, _ := json.Marshal(r.Label) // a string has no way to fail
		dst = append(append(append(dst, `"label":`...), quoted...), ',')
	}
	dst = append(append(dst, `"end_reason":"`...), r.Reason.String()...)
	dst = append(append(dst, `","community_id":"`...), flow.CommunityID(r.Key, 0)...)
	return append(dst, `"}`...)
}
