package capture

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"mlids"
)

// benchFrames are a mix like that of a network's edge: short acknowledgements and full segments, a third in IPv6.
func benchFrames() [][]byte {
	var frames [][]byte
	for n := range 999 {
		size := []int{0, 1400, 500}[n%3]
		tcp := tcpPacket(uint16(1024+n), 443, mlids.ACK, make([]byte, 12), make([]byte, size))
		frame := ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoTCP, tcp))
		if n%3 == 2 {
			frame = ethernetFrame(etherIPv6, ipv6Packet(mlids.ProtoTCP, tcp))
		}
		frames = append(frames, frame)
	}
	return frames
}

func BenchmarkDecode(b *testing.B) {
	frames := benchFrames()
	dec := NewDecoder(DecoderConfig{})
	var p mlids.Packet
	var f Frame
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		data := frames[n%len(frames)]
		f = Frame{Data: data, Time: int64(n), WireLen: uint32(len(data)), Link: LinkEthernet}
		dec.Decode(&f, &p)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pkts/s")
}

// BenchmarkFile reads and decodes the capture that MLIDS_BENCH_PCAP names, else one in memory.
func BenchmarkFile(b *testing.B) {
	open := func() (*File, error) { return Open(os.Getenv("MLIDS_BENCH_PCAP"), FileConfig{}) }
	if os.Getenv("MLIDS_BENCH_PCAP") == "" {
		var frames [][]byte
		for range 50 {
			frames = append(frames, benchFrames()...)
		}
		file := pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, frames...)
		open = func() (*File, error) { return NewFile("memory", bytes.NewReader(file)), nil }
	}
	b.ReportAllocs()
	var total Counters
	for b.Loop() {
		src, err := open()
		if err != nil {
			b.Fatal(err)
		}
		dec := NewDecoder(DecoderConfig{})
		if err := Run(b.Context(), src, dec, func(*mlids.Packet) error { return nil }); err != nil {
			b.Fatal(err)
		}
		if err := src.Close(); err != nil {
			b.Fatal(err)
		}
		total.Packets += dec.Counters().Packets
		total.Bytes += dec.Counters().Bytes
	}
	b.ReportMetric(float64(total.Packets)/b.Elapsed().Seconds(), "pkts/s")
	b.ReportMetric(float64(total.Bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
}

func TestNoAllocationPerPacket(t *testing.T) {
	frames := benchFrames()
	w := little().section().face(LinkEthernet, 0)
	for _, f := range frames {
		w.enhanced(0, 1, uint32(len(f)), f)
	}
	for name, file := range map[string][]byte{
		"pcap":   pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkEthernet, frames...),
		"pcapng": w.out,
	} {
		src := NewFile(name, bytes.NewReader(file))
		dec := NewDecoder(DecoderConfig{Checksums: true, Decapsulate: true})
		var f Frame
		var p mlids.Packet
		allocs := testing.AllocsPerRun(len(frames)-10, func() {
			if err := src.Next(t.Context(), &f); err != nil {
				t.Fatal(err)
			}
			dec.Decode(&f, &p)
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations per packet", name, allocs)
		}
	}
}
