package capture

import (
	"encoding/binary"
	"testing"

	"mlids"
)

func TestTunnels(t *testing.T) {
	in4 := ipv4Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi")))
	in6 := ipv6Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi")))
	ether := ethernetFrame(etherIPv4, in4)
	gre := func(flags, kind uint16, rest ...[]byte) []byte {
		return ipv4Packet(protoGRE, cat(u16(flags), u16(kind), cat(rest...)))
	}
	over := func(port uint16, rest ...[]byte) []byte {
		return ipv4Packet(mlids.ProtoUDP, udpPacket(9999, port, cat(rest...)))
	}
	gtp := func(flags byte, rest ...[]byte) []byte {
		return over(portGTP, []byte{0x30 | flags, 0xff, 0, 30, 0, 0, 0, 1}, cat(rest...))
	}
	tests := []struct {
		name  string
		frame []byte
	}{
		{"IP in IP", ipv4Packet(protoIPIP, in4)},
		{"IPv4 in IPv6", ipv6Packet(protoIPIP, in4)},
		{"6in4", ipv4Packet(proto6in4, in6)},
		{"GRE", gre(0, etherIPv4, in4)},
		{"GRE with checksum, key, sequence", gre(0xb000, etherIPv6, make([]byte, 12), in6)},
		{"GRE, Ethernet", gre(0, 0x6558, ether)},
		{"GRE, PPTP", gre(0x3081, 0x880b, make([]byte, 4), make([]byte, 8), []byte{0xff, 3, 0, 0x21}, in4)},
		{"GRE, PPTP compressed", gre(0x3001, 0x880b, make([]byte, 8), []byte{0x57}, in6)},
		{"ERSPAN", gre(0x1000, 0x88be, make([]byte, 4), make([]byte, 8), ether)},
		{"GTP-U", gtp(0, in4)},
		{"GTP-U, sequence number", gtp(2, make([]byte, 4), in6)},
		{"GTP-U, extension", gtp(4, []byte{0, 0, 0, 0x85}, []byte{1, 0x10, 9, 0}, in4)},
		{"VXLAN", over(portVXLAN, []byte{8, 0, 0, 0, 0, 0, 1, 0}, ether)},
		{"VXLAN of Linux", over(portVXLAN0, []byte{8, 0, 0, 0, 0, 0, 1, 0}, ether)},
		{"Teredo", over(portTeredo, in6)},
		{"Teredo, origin", over(portTeredo, make([]byte, 8), in6)},
		{"Teredo, authentication and origin", over(portTeredo, []byte{0, 1, 1, 2}, make([]byte, 12), make([]byte, 8), in6)},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			frame := vlanFrame(etherVLAN, 7, ethernetFrame(kindOf(c.frame), c.frame))
			outer, reason := decode(DecoderConfig{}, LinkEthernet, frame)
			if reason != Decoded || outer.DstPort == 2 {
				t.Errorf("outer: %v, %+v", reason, outer)
			}
			p, reason := decode(DecoderConfig{Decapsulate: true}, LinkEthernet, frame)
			if reason != Decoded || p.SrcPort != 1 || p.DstPort != 2 || string(p.Payload) != "hi" {
				t.Errorf("inner: %v, %+v", reason, p)
			}
			if p.VLAN != 7 || p.WireLen != outer.WireLen || p.Time != outer.Time || int(p.IPLen) > len(in6) {
				t.Errorf("inner: what is the frame's: %+v", p)
			}
			cutEverywhere(t, frame)
		})
	}
}

// kindOf is the EtherType of an IP packet.
func kindOf(packet []byte) uint16 {
	if packet[0]>>4 == 6 {
		return etherIPv6
	}
	return etherIPv4
}

// cutEverywhere decodes a frame cut off at each byte, as captured and as sent.
func cutEverywhere(t *testing.T, frame []byte) {
	t.Helper()
	d := NewDecoder(DecoderConfig{Decapsulate: true, Checksums: true})
	var p mlids.Packet
	for keep := range frame {
		for _, wire := range []int{keep, len(frame)} {
			d.Decode(&Frame{Data: frame[:keep], WireLen: uint32(wire), Link: LinkEthernet}, &p)
			if len(p.Payload) > int(p.PayloadLen) {
				t.Errorf("%d bytes kept: %d captured of %d bytes of payload", keep, len(p.Payload), p.PayloadLen)
			}
		}
	}
}

// What only seems to be a tunnel stays what it is.
func TestTunnelsThatAreNone(t *testing.T) {
	for name, frame := range map[string][]byte{
		"GTP control":    ipv4Packet(17, udpPacket(2152, 2152, []byte{0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0})),
		"VXLAN flag":     ipv4Packet(17, udpPacket(1, portVXLAN, make([]byte, 60))),
		"Teredo bubble":  ipv4Packet(17, udpPacket(1, portTeredo, []byte("short"))),
		"GRE version 2":  ipv4Packet(protoGRE, cat(u16(2), u16(etherIPv4), ipv4Packet(17, udpPacket(1, 2, nil)))),
		"GRE routing":    ipv4Packet(protoGRE, cat(u16(0x4000), u16(etherIPv4), ipv4Packet(17, udpPacket(1, 2, nil)))),
		"GRE, cut":       ipv4Packet(protoGRE, u16(0)),
		"GTP loop":       ipv4Packet(17, udpPacket(1, portGTP, cat([]byte{0x34, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, make([]byte, 64)))),
		"GTP long chain": ipv4Packet(17, udpPacket(1, portGTP, cat([]byte{0x34, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, manyExtensions()))),
		"IPIP of noise":  ipv4Packet(protoIPIP, []byte("noise that is no packet")),
	} {
		d := NewDecoder(DecoderConfig{Decapsulate: true})
		var p mlids.Packet
		reason := d.Decode(&Frame{Data: frame, WireLen: uint32(len(frame)), Link: LinkRaw}, &p)
		if outer := binary.BigEndian.Uint16(frame[2:]); reason != Decoded || p.IPLen != uint32(outer) || d.Counters().Tunnelled != 0 {
			t.Errorf("%s: %v, %+v", name, reason, p)
		}
	}
}

func manyExtensions() []byte {
	var b []byte
	for range 100 {
		b = append(b, 1, 0, 0, 0x85)
	}
	return b
}
