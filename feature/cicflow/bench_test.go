package cicflow

import (
	"io"
	"os"
	"syscall"
	"testing"

	"mlids"
	"mlids/capture"
	"mlids/flow"
)

// BenchmarkFile turns the capture named by MLIDS_BENCH_PCAP into CSV of cicflow/v4, on one goroutine and on two.
func BenchmarkFile(b *testing.B) {
	b.Run("one", func(b *testing.B) { benchmarkFile(b, func(s flow.Sink) flow.Sink { return s }) })
	b.Run("two", func(b *testing.B) {
		benchmarkFile(b, func(s flow.Sink) flow.Sink { return flow.NewRelay(s, false) })
	})
}

func benchmarkFile(b *testing.B, via func(flow.Sink) flow.Sink) {
	b.Helper()
	path := os.Getenv("MLIDS_BENCH_PCAP")
	if path == "" {
		b.Skip("set MLIDS_BENCH_PCAP to a capture")
	}
	s := schema(b, "cicflow/v4")
	var packets, flows int
	var start syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &start)
	before := start.Utime.Nano() + start.Stime.Nano()
	for b.Loop() {
		w := NewCSV(io.Discard, s)
		extractor, err := New(Config{Schema: s}, func(r *Row) { _ = w.Write(r); flows++ })
		if err != nil {
			b.Fatal(err)
		}
		x := via(extractor)
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
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err == nil {
		b.ReportMetric(float64(use.Utime.Nano()+use.Stime.Nano()-before)/float64(packets), "cpu-ns/pkt")
	}
	b.ReportMetric(float64(flows)/b.Elapsed().Seconds()/1e3, "kflow/s")
}
