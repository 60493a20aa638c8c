package capture

import (
	"encoding/binary"

	"mlids"
)

// Builders for the frames of tests. Lengths and checksums are right; tests that want them wrong overwrite them.

var (
	testSrc4 = [4]byte{10, 0, 0, 1}
	testDst4 = [4]byte{10, 0, 0, 2}
	testSrc6 = [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 1}
	testDst6 = [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: 2}
)

func cat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

func ethernetFrame(kind uint16, payload []byte) []byte {
	return cat([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, u16(kind), payload)
}

// vlanFrame puts a tag into an Ethernet frame.
func vlanFrame(kind, id uint16, frame []byte) []byte {
	return cat(frame[:12], u16(kind), u16(id), frame[12:])
}

// ipv4Packet has 20 bytes of header, the usual addresses and identification 1. It fills in the checksum of TCP and UDP.
func ipv4Packet(proto byte, payload []byte) []byte {
	return ipv4Part(proto, 1, 0, withSum(proto, testSrc4[:], testDst4[:], payload))
}

// ipv4Part is a packet or fragment with this word of flags and offset.
func ipv4Part(proto byte, id, place uint16, payload []byte) []byte {
	h := cat([]byte{0x45, 0}, u16(uint16(20+len(payload))), u16(id), u16(place), []byte{64, proto, 0, 0}, testSrc4[:], testDst4[:])
	binary.BigEndian.PutUint16(h[10:], ^sum(0, h))
	return append(h, payload...)
}

func ipv6Packet(next byte, payload []byte) []byte {
	return cat([]byte{0x60, 0, 0, 0}, u16(uint16(len(payload))), []byte{next, 64}, testSrc6[:], testDst6[:],
		withSum(next, testSrc6[:], testDst6[:], payload))
}

// withSum fills in the checksum of a transport header.
func withSum(proto byte, src, dst, payload []byte) []byte {
	at := map[byte]int{mlids.ProtoTCP: 16, mlids.ProtoUDP: 6, mlids.ProtoICMP: 2, mlids.ProtoICMPv6: 2}[proto]
	if at == 0 || len(payload) < at+2 {
		return payload
	}
	out := cat(payload)
	binary.BigEndian.PutUint16(out[at:], 0)
	pseudo := cat(src, dst, u32(uint32(len(out))), u32(uint32(proto)))
	if proto == mlids.ProtoICMP {
		pseudo = nil
	}
	binary.BigEndian.PutUint16(out[at:], ^sum(uint32(sum(0, pseudo)), out))
	return out
}

func tcpPacket(src, dst uint16, flags mlids.TCPFlags, options, payload []byte) []byte {
	return cat(u16(src), u16(dst), u32(100), u32(200), []byte{byte(20+len(options)) << 2, byte(flags)}, u16(1024), u16(0), u16(3),
		options, payload)
}

func udpPacket(src, dst uint16, payload []byte) []byte {
	return cat(u16(src), u16(dst), u16(uint16(8+len(payload))), u16(0), payload)
}

func icmpPacket(kind, code byte, id uint16, payload []byte) []byte {
	return cat([]byte{kind, code, 0, 0}, u16(id), u16(1), payload)
}
