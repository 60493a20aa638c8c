package capture_test

import (
	"bytes"
	"context"
	"fmt"

	"mlids"
	"mlids/capture"
)

// A capture of one frame: an echo request over raw IP.
var ping = []byte{
	0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0,
	10, 0, 0, 0, 5, 0, 0, 0, 28, 0, 0, 0, 28, 0, 0, 0,
	0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
	8, 0, 0, 0, 0, 7, 0, 1,
}

func ExampleRun() {
	src := capture.NewFile("ping.pcap", bytes.NewReader(ping))
	dec := capture.NewDecoder(capture.DecoderConfig{})
	err := capture.Run(context.Background(), src, dec, func(p *mlids.Packet) error {
		fmt.Println(p.Time, p.Src, p.Dst, p.Proto, p.ICMPType, p.ICMPID)
		return nil
	})
	fmt.Println(dec.Counters().Decoded, "decoded, error", err)
	// Output:
	// 10000005000 192.0.2.1 192.0.2.2 1 8 7
	// 1 decoded, error <nil>
}

func ExampleNewFile_truncated() {
	src := capture.NewFile("ping.pcap", bytes.NewReader(ping[:50]))
	var f capture.Frame
	fmt.Println(src.Next(context.Background(), &f))
	// Output:
	// ping.pcap: packet 1: offset 24: record ends after 26 of 44 bytes: truncated capture
}

func ExampleFilter() {
	src, err := capture.Filter(capture.NewFile("ping.pcap", bytes.NewReader(ping)), "icmp and src net 192.0.2.0/24")
	if err != nil {
		fmt.Println(err)
		return
	}
	var f capture.Frame
	fmt.Println(src.Next(context.Background(), &f), len(f.Data))
	// Output:
	// <nil> 28
}
