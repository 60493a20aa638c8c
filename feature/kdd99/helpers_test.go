package kdd99

import (
	"slices"
	"testing"

	"mlids"
	"mlids/capture"
	"mlids/feature"
)

func schema(tb testing.TB) *feature.Schema {
	tb.Helper()
	all, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := all.Find("kdd99/1")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// extractor makes an extractor with the default rules and times where cfg has none.
func extractor(tb testing.TB, cfg Config, emit func(*Row)) *Extractor {
	tb.Helper()
	cfg.Schema = schema(tb)
	x, err := New(cfg, emit)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

// readPackets runs a capture through the decoder.
func readPackets(tb testing.TB, path string, checksums bool, each func(*mlids.Packet)) {
	tb.Helper()
	src, err := capture.Open(path, capture.FileConfig{})
	if err != nil {
		tb.Fatal(err)
	}
	defer src.Close()
	dec := capture.NewDecoder(capture.DecoderConfig{Checksums: checksums})
	if err := capture.Run(tb.Context(), src, dec, func(p *mlids.Packet) error { each(p); return nil }); err != nil {
		tb.Fatal(err)
	}
}

// extract gives copies of all rows of packets.
func extract(tb testing.TB, cfg Config, packets func(each func(*mlids.Packet))) []Row {
	tb.Helper()
	var rows []Row
	x := extractor(tb, cfg, func(r *Row) {
		c := *r
		c.Values = slices.Clone(r.Values)
		rows = append(rows, c)
	})
	packets(x.Add)
	x.Flush()
	return rows
}

// extractFile gives all rows of a capture.
func extractFile(tb testing.TB, cfg Config, path string) []Row {
	tb.Helper()
	return extract(tb, cfg, func(each func(*mlids.Packet)) { readPackets(tb, path, false, each) })
}

// value is a column of a row by name.
func value(tb testing.TB, r *Row, name string) float64 {
	tb.Helper()
	i, ok := schema(tb).Index(name)
	if !ok {
		tb.Fatalf("no column %s", name)
	}
	return r.Values[i]
}
