package api

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"mlids"
	"mlids/feature"
	"mlids/notify"
)

// facts finds in the rows of a table who spoke with whom and how much, as far as the client sent it. It keeps the places of the
// columns while requests repeat them.
type facts struct {
	schema *feature.Schema
	header []byte // text of the columns that fill is for
	fill   []func(*mlids.Alert, string)
}

// factColumns are the columns of schemas that an alert has a place for.
func factColumns() map[string]func(*mlids.Alert, string) {
	upTo := func(most float64, put func(*mlids.Alert, uint64)) func(*mlids.Alert, string) {
		return func(a *mlids.Alert, cell string) {
			if v, err := strconv.ParseFloat(cell, 64); err == nil && v > 0 && v <= most {
				put(a, uint64(v))
			}
		}
	}
	number := func(put func(*mlids.Alert, uint64)) func(*mlids.Alert, string) { return upTo(1<<53-1, put) }
	return map[string]func(*mlids.Alert, string){
		"src_ip":          func(a *mlids.Alert, cell string) { a.Src, _ = netip.ParseAddr(cell) },
		"dst_ip":          func(a *mlids.Alert, cell string) { a.Dst, _ = netip.ParseAddr(cell) },
		"src_port":        upTo(math.MaxUint16, func(a *mlids.Alert, v uint64) { a.SrcPort = uint16(v) }),
		"dst_port":        upTo(math.MaxUint16, func(a *mlids.Alert, v uint64) { a.DstPort = uint16(v) }),
		"protocol":        upTo(math.MaxUint8, func(a *mlids.Alert, v uint64) { a.Proto = uint8(v) }),
		"tot_fwd_pkts":    number(func(a *mlids.Alert, v uint64) { a.FwdPackets = v }),
		"tot_bwd_pkts":    number(func(a *mlids.Alert, v uint64) { a.BwdPackets = v }),
		"totlen_fwd_pkts": number(func(a *mlids.Alert, v uint64) { a.FwdBytes = v }),
		"totlen_bwd_pkts": number(func(a *mlids.Alert, v uint64) { a.BwdBytes = v }),
		"src_bytes":       number(func(a *mlids.Alert, v uint64) { a.FwdBytes = v }),
		"dst_bytes":       number(func(a *mlids.Alert, v uint64) { a.BwdBytes = v }),
	}
}

// prepare finds the columns.
func (f *facts) prepare(s *feature.Schema, columns []byte) {
	if f.schema == s && bytes.Equal(f.header, columns) {
		return
	}
	f.schema, f.header, f.fill = s, f.header[:0], nil
	var names []string
	if len(columns) > smallBody || json.Unmarshal(columns, &names) != nil {
		return
	}
	f.header = append(f.header, columns...)
	known := factColumns()
	for i, name := range names {
		if column, ok := s.Index(name); ok {
			name = s.Columns[column].Name
		} else { // a column of another version of the schema
			name = strings.ReplaceAll(strings.ToLower(name), " ", "_")
		}
		if put := known[name]; put != nil {
			f.fill = append(f.fill, make([]func(*mlids.Alert, string), i+1-len(f.fill))...)
			f.fill[i] = put
		}
	}
}

// read puts what a row tells into an alert. Cells that are wrong, which the model did not read, tell nothing.
func (f *facts) read(a *mlids.Alert, row []byte) {
	for i, cell := range notify.Cells(row) {
		if i >= len(f.fill) {
			return
		}
		if put := f.fill[i]; put != nil {
			put(a, string(bytes.Trim(cell, `"`)))
		}
	}
}
