package kdd99

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"mlids"
)

// scan is a port scan at 2,000 connections a second: SYN, and in two of three cases a reset.
func scan(flows int, each func(*mlids.Packet)) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var a, b [4]byte
	for i := range flows {
		binary.BigEndian.PutUint32(a[:], 0x0a000000+rnd.Uint32N(1<<10))
		binary.BigEndian.PutUint32(b[:], 0xc0a80000+uint32(i>>10))
		p := mlids.Packet{
			Time: int64(i) * 500_000, Src: mlids.AddrFrom4(a), Dst: mlids.AddrFrom4(b), Proto: mlids.ProtoTCP,
			SrcPort: uint16(rnd.Uint32()), DstPort: uint16(i), Flags: mlids.SYN, Seq: rnd.Uint32(), Header: 20, WireLen: 60,
		}
		each(&p)
		if i%3 != 0 {
			p.Time += 100_000
			p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
			p.Flags = mlids.RST | mlids.ACK
			each(&p)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	const flows = 100_000
	packets := 0
	b.ReportAllocs()
	for b.Loop() {
		w := NewCSV(io.Discard, schema(b))
		x := extractor(b, Config{}, func(r *Row) { _ = w.Write(r) })
		scan(flows, x.Add)
		x.Flush()
		packets += int(x.Stats().Packets)
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}

// BenchmarkFile reads the capture that MLIDS_BENCH_PCAP names and writes CSV, once.
func BenchmarkFile(b *testing.B) {
	path := os.Getenv("MLIDS_BENCH_PCAP")
	if path == "" {
		b.Skip("MLIDS_BENCH_PCAP names no capture")
	}
	var packets, rows int
	for b.Loop() {
		w := NewCSV(io.Discard, schema(b))
		x := extractor(b, Config{}, func(r *Row) { rows++; _ = w.Write(r) })
		readPackets(b, path, false, func(p *mlids.Packet) { packets++; x.Add(p) })
		x.Flush()
	}
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/1e6, "MB")
}

// TestSteadyStateDoesNotAllocate sends packets of open connections, some of them with text.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	x := extractor(t, Config{}, func(*Row) {})
	packets := conversation(t)
	for range 20 {
		for _, p := range packets {
			x.Add(&p)
		}
	}
	text := packets[len(packets)-1]
	if n := testing.AllocsPerRun(1000, func() {
		text.Seq += text.PayloadLen
		text.Time += 1e6
		x.Add(&text)
	}); n > 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

// conversation is the beginning of an HTTP connection.
func conversation(tb testing.TB) []mlids.Packet {
	tb.Helper()
	var list []mlids.Packet
	d := dialogue(80, "> GET / HTTP/1.1\r\n\r\n", "< HTTP/1.1 200 OK\r\n\r\nbody", "> GET /a HTTP/1.1\r\n\r\n")
	for _, p := range d[:len(d)-2] { // without its end
		p.Payload = bytes.Clone(p.Payload)
		list = append(list, p)
	}
	return list
}
