package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"mlids"
)

// readAll reads and decodes a file that may be anything. What comes out must be consistent, and the error one of ours.
func readAll(t *testing.T, file, buffer []byte) {
	t.Helper()
	src := NewFile("x", bytes.NewReader(file))
	src.b.buf = buffer
	defer src.Close()
	dec := NewDecoder(DecoderConfig{Decapsulate: true, Checksums: true})
	var f Frame
	var p mlids.Packet
	for {
		err := src.Next(t.Context(), &f)
		if err != nil {
			known := endOf(err) == nil
			for _, want := range []error{ErrFormat, ErrTruncated, ErrLength, ErrCorrupt} {
				known = known || errors.Is(err, want)
			}
			if !known {
				t.Errorf("unexpected error: %v", err)
			}
			return
		}
		if len(f.Data) > MaxFrame || uint64(f.WireLen) < uint64(len(f.Data)) {
			t.Fatalf("frame of %d bytes, %d on the wire", len(f.Data), f.WireLen)
		}
		consistent(t, dec.Decode(&f, &p), &f, &p)
	}
}

// consistent checks what must be true of any decoded packet.
func consistent(t *testing.T, reason Reason, f *Frame, p *mlids.Packet) {
	t.Helper()
	if reason >= numReasons {
		t.Errorf("reason %d", reason)
	}
	if reason != Decoded {
		return
	}
	if len(p.Payload) > int(p.PayloadLen) || uint32(len(p.Payload)) > p.CaptureLen || p.FirstFrag && !p.Fragment {
		t.Errorf("%+v", p)
	}
	if uint32(p.IPHeader)+uint32(p.Header)+p.PayloadLen != p.IPLen {
		t.Errorf("lengths do not add up: %+v", p)
	}
}

func FuzzPcap(f *testing.F) {
	udp := ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi"))))
	for _, order := range []byteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, magic := range []uint32{0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34} {
			f.Add(pcapFile(order, magic, LinkEthernet, udp, udp[:20]))
		}
	}
	buffer := make([]byte, blockSize)
	f.Fuzz(func(t *testing.T, file []byte) { readAll(t, file, buffer) })
}

func FuzzPcapng(f *testing.F) {
	udp := ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi"))))
	for _, order := range []byteOrder{binary.LittleEndian, binary.BigEndian} {
		w := &ngBuilder{order: order}
		w.section().face(LinkEthernet, 0, w.option(optTimeResolve, 0x8a), w.option(optTimeOffset, w.u64(7)...), w.option(optEnd)).
			enhanced(0, 1, 50, udp).obsolete(0, 2, udp).block(5, []byte("stats")).simple(40, udp)
		f.Add(w.out)
	}
	buffer := make([]byte, blockSize)
	f.Fuzz(func(t *testing.T, file []byte) { readAll(t, file, buffer) })
}

func FuzzDecode(f *testing.F) {
	udp := udpPacket(1, portGTP, cat([]byte{0x34, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, ipv4Packet(6, tcpPacket(1, 2, 0, nil, nil))))
	teredo := ipv4Packet(17, udpPacket(portTeredo, 9, ipv6Packet(58, icmpPacket(128, 0, 1, nil))))
	f.Add(uint32(LinkEthernet), uint32(90), vlanFrame(etherVLAN, 7, ethernetFrame(etherIPv4, ipv4Packet(17, udp))))
	f.Add(uint32(LinkRaw), uint32(0), teredo)
	f.Add(uint32(LinkIPv6), uint32(0), fragment6(extDestination, 9, 1, cat([]byte{58, 0, 1, 4, 0, 0, 0, 0}, icmpPacket(128, 0, 77, nil))))
	f.Add(uint32(LinkEthernet), uint32(0), ethernetFrame(etherMPLS, cat([]byte{0, 2, 1, 64}, teredo)))
	f.Add(uint32(LinkRaw), uint32(0), ipv4Packet(protoGRE, cat(u16(0xb000), u16(0x6558), make([]byte, 12), ethernetFrame(etherIPv4, teredo))))
	f.Add(uint32(LinkSLL2), uint32(0), cat(u16(etherPPPoE), make([]byte, 18), []byte{0x11, 0, 0, 1, 0, 32, 0, 0x21}, teredo))
	dec := NewDecoder(DecoderConfig{Decapsulate: true, Checksums: true})
	f.Fuzz(func(t *testing.T, link, wire uint32, data []byte) {
		if len(data) > MaxFrame {
			return
		}
		frame := Frame{Data: data, WireLen: max(wire, uint32(len(data))), Link: LinkType(link)}
		var p mlids.Packet
		consistent(t, dec.Decode(&frame, &p), &frame, &p)
	})
}
