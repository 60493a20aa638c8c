package capture

import (
	"context"
	"io"
	"os"
	"testing"

	"mlids"
)

// BenchmarkFile reads and decodes the capture that MLIDS_BENCH_PCAP names.
func BenchmarkFile(b *testing.B) {
	path := os.Getenv("MLIDS_BENCH_PCAP")
	if path == "" {
		b.Skip("needs a large capture: set MLIDS_BENCH_PCAP")
	}
	b.ReportAllocs()
	var packets, bytes uint64
	for b.Loop() {
		src, err := Open(path, FileConfig{})
		if err != nil {
			b.Fatal(err)
		}
		dec := NewDecoder(DecoderConfig{})
		var ports uint64
		if err := Run(context.Background(), src, dec, func(p *mlids.Packet) error {
			ports += uint64(p.DstPort)
			return nil
		}); err != nil && err != io.EOF {
			b.Fatal(err)
		}
		if err := src.Close(); err != nil {
			b.Fatal(err)
		}
		packets += dec.Counters().Packets
		bytes += dec.Counters().Bytes
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "pkts/s")
	b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
}
