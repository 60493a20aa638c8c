package cicflow

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/capture"
	"mlids/feature"
)

var (
	verbose = flag.Int("mismatches", 0, "how many differing cells of each golden file to print")
	write   = flag.Bool("write-goldens", false, "write the tables of docs/goldens.md")
)

// goldenRow is a row of either side as text of identity columns and numbers of the others.
type goldenRow struct {
	key   string // flow id without order, and start time as far as the dialect prints it
	text  []string
	cells []float64
}

// readPackets runs a capture through the decoder.
func readPackets(tb testing.TB, path string, each func(*mlids.Packet)) {
	tb.Helper()
	src, err := capture.Open(path, capture.FileConfig{})
	if err != nil {
		tb.Fatal(err)
	}
	defer src.Close()
	dec := capture.NewDecoder(capture.DecoderConfig{})
	if err := capture.Run(tb.Context(), src, dec, func(p *mlids.Packet) error { each(p); return nil }); err != nil {
		tb.Fatal(err)
	}
}

func schema(tb testing.TB, id string) *feature.Schema {
	tb.Helper()
	all, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := all.Find(id)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// extract gives copies of all rows of a capture. The references do not read IPv6, so it is left out for them.
func extract(tb testing.TB, cfg Config, path string, ipv6 bool) []Row {
	tb.Helper()
	var rows []Row
	x, err := New(cfg, func(r *Row) {
		c := *r
		c.Values = slices.Clone(r.Values)
		rows = append(rows, c)
	})
	if err != nil {
		tb.Fatal(err)
	}
	readPackets(tb, path, func(p *mlids.Packet) {
		if ipv6 || p.Src.Is4() {
			x.Add(p)
		}
	})
	x.Flush()
	return rows
}

// readGolden reads the rows that a reference printed, their cells in the order of the schema.
func readGolden(tb testing.TB, s *feature.Schema, path, layout string, shift time.Duration) []goldenRow {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(data)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			tb.Fatal(err)
		}
	}
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	at := make([]int, len(s.Columns))
	for i := range at {
		at[i] = -1
	}
	for j, h := range records[0] {
		if i, ok := s.Index(h); ok && at[i] < 0 {
			at[i] = j
		}
	}
	rows := make([]goldenRow, 0, len(records)-1)
	for _, rec := range records[1:] {
		row := goldenRow{text: make([]string, len(at)), cells: make([]float64, len(at))}
		for i, j := range at {
			row.cells[i] = math.NaN()
			if j < 0 {
				continue
			}
			row.text[i] = rec[j]
			if v, err := strconv.ParseFloat(rec[j], 64); err == nil {
				row.cells[i] = v
			}
		}
		t, err := time.Parse(layout, row.text[6])
		if err != nil {
			tb.Fatal(err)
		}
		row.key = rowKey(row.text[1], row.text[3], row.text[2], row.text[4], row.text[5], t.Add(shift).Format(layout))
		rows = append(rows, row)
	}
	return rows
}

// rowKey is the same for both directions.
func rowKey(src, dst, sport, dport, proto, when string) string {
	a, b := src+":"+sport, dst+":"+dport
	return fmt.Sprint(min(a, b), " ", max(a, b), " ", proto, " ", when)
}

func ourRow(s *feature.Schema, r *Row, layout string) goldenRow {
	g := goldenRow{cells: r.Values, text: make([]string, len(r.Values))}
	k := r.id(s.Version == "2018")
	g.text[0] = string(appendID(nil, &k))
	src, dst := r.Key.Src.String(), r.Key.Dst.String()
	sport, dport := strconv.Itoa(int(r.Key.SrcPort)), strconv.Itoa(int(r.Key.DstPort))
	when := time.UnixMicro(r.First / 1000).UTC().Format(layout)
	g.text[1], g.text[3] = src, dst
	g.key = rowKey(src, dst, sport, dport, strconv.Itoa(int(r.Key.Proto)), when)
	return g
}

// same compares a cell, numbers bit for bit.
func same(col feature.Column, i int, got, want goldenRow) bool {
	switch col.Kind {
	case feature.Time: // part of the key
		return true
	case feature.Text:
		return got.text[i] == want.text[i]
	}
	a, b := got.cells[i], want.cells[i]
	return a == b || math.IsNaN(a) && math.IsNaN(b)
}

func equalCells(s *feature.Schema, got, want goldenRow) (n int) {
	for i, col := range s.Columns {
		if same(col, i, got, want) {
			n++
		}
	}
	return n
}

// tally is how one dialect compares with its reference over all captures.
type tally struct {
	schema         *feature.Schema
	equal          []int // by column
	rows           int   // matched
	missing, extra []string
}

// compare matches rows by key, those of one key in the order in which most cells agree.
func (t *tally) compare(tb testing.TB, s *feature.Schema, name string, got, want []goldenRow) {
	tb.Helper()
	byKey := map[string][]goldenRow{}
	for _, g := range got {
		byKey[g.key] = append(byKey[g.key], g)
	}
	if t.equal == nil {
		t.schema = s
		t.equal = make([]int, len(s.Columns))
	}
	shown := 0
	for _, w := range want {
		candidates := byKey[w.key]
		if len(candidates) == 0 {
			t.missing = append(t.missing, name+": "+w.key)
			continue
		}
		best := 0
		for i := range candidates {
			if equalCells(s, candidates[i], w) > equalCells(s, candidates[best], w) {
				best = i
			}
		}
		g := candidates[best]
		byKey[w.key] = slices.Delete(candidates, best, best+1)
		t.rows++
		for i, col := range s.Columns {
			if same(col, i, g, w) {
				t.equal[i]++
			} else if shown < *verbose {
				shown++
				tb.Logf("%s: %s: %s: got %v %s, want %v %s", name, w.key, col.Name, g.cells[i], g.text[i], w.cells[i], w.text[i])
			}
		}
	}
	for k, left := range byKey {
		for range left {
			t.extra = append(t.extra, name+": "+k)
		}
	}
	slices.Sort(t.extra)
}
