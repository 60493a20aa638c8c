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

// BenchmarkFile turns the capture named by MLIDS_BENCH_PCAP into CSV of cicflow/v4, on one goroutine, and with reading and
// decoding, and printing, on goroutines of their own.
func BenchmarkFile(b *testing.B) {
	b.Run("one", func(b *testing.B) { benchmarkFile(b, false) })
	b.Run("three", func(b *testing.B) { benchmarkFile(b, true) })
}

func benchmarkFile(b *testing.B, beside bool) {
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
		emit, wait := func(r *Row) { _ = w.Write(r); flows++ }, func() {}
		if beside {
			relay := flow.NewRelay(func(dst, src *Row) { src.MoveTo(dst) }, emit)
			emit, wait = relay.Add, relay.Close
		}
		x, err := New(Config{Schema: s}, emit)
		if err != nil {
			b.Fatal(err)
		}
		src, err := capture.Open(path, capture.FileConfig{Ahead: beside})
		if err != nil {
			b.Fatal(err)
		}
		dec := capture.NewDecoder(capture.DecoderConfig{})
		if err := capture.Run(b.Context(), src, dec, func(p *mlids.Packet) error { x.Add(p); packets++; return nil }); err != nil {
			b.Fatal(err)
		}
		x.Flush()
		wait()
		src.Close()
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds()/1e6, "Mpkt/s")
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err == nil {
		b.ReportMetric(float64(use.Utime.Nano()+use.Stime.Nano()-before)/float64(packets), "cpu-ns/pkt")
	}
	b.ReportMetric(float64(flows)/b.Elapsed().Seconds()/1e3, "kflow/s")
}
