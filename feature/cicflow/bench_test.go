package cicflow

import (
	"io"
	"os"
	"testing"

	"mlids"
	"mlids/capture"
)

// BenchmarkFile turns the capture named by MLIDS_BENCH_PCAP into CSV of cicflow/v4.
func BenchmarkFile(b *testing.B) {
	path := os.Getenv("MLIDS_BENCH_PCAP")
	if path == "" {
		b.Skip("set MLIDS_BENCH_PCAP to a capture")
	}
	s := schema(b, "cicflow/v4")
	var packets, flows int
	for b.Loop() {
		w := NewCSV(io.Discard, s)
		x, err := New(Config{Schema: s}, func(r *Row) { _ = w.Write(r); flows++ })
		if err != nil {
			b.Fatal(err)
		}
		src, err := capture.Open(path, capture.FileConfig{})
		if err != nil {
			b.Fatal(err)
		}
		dec := capture.NewDecoder(capture.DecoderConfig{})
		if err := capture.Run(b.Context(), src, dec, func(p *mlids.Packet) error { x.Add(p); packets++; return nil }); err != nil {
			b.Fatal(err)
		}
		x.Flush()
		src.Close()
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds()/1e6, "Mpkt/s")
	b.ReportMetric(float64(flows)/b.Elapsed().Seconds()/1e3, "kflow/s")
}
