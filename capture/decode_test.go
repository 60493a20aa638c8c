package capture

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mlids"
)

// decode decodes one whole frame.
func decode(cfg DecoderConfig, link LinkType, frame []byte) (mlids.Packet, Reason) {
	var p mlids.Packet
	reason := NewDecoder(cfg).Decode(&Frame{Data: frame, Time: 5, WireLen: uint32(len(frame)), Link: link}, &p)
	return p, reason
}

// udpFields are those of a UDP packet from port 1 to 2 with the payload "hi".
func udpFields(frame []byte, more func(p *mlids.Packet)) mlids.Packet {
	p := mlids.Packet{
		Time: 5, WireLen: uint32(len(frame)), CaptureLen: uint32(len(frame)), Proto: mlids.ProtoUDP, TTL: 64,
		Src: mlids.AddrFrom4(testSrc4), Dst: mlids.AddrFrom4(testDst4), SrcPort: 1, DstPort: 2,
		IPLen: 30, IPHeader: 20, Header: 8, PayloadLen: 2, Payload: []byte("hi"),
	}
	if more != nil {
		more(&p)
	}
	return p
}

// asIPv6 changes fields to those of the same packet in IPv6 with extension headers of so many bytes.
func asIPv6(extensions int) func(p *mlids.Packet) {
	return func(p *mlids.Packet) {
		p.Src, p.Dst = testSrc6, testDst6
		p.IPHeader = uint16(40 + extensions)
		p.IPLen = uint32(40 + extensions + 10)
	}
}

func TestDecodeLinks(t *testing.T) {
	ip4 := ipv4Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi")))
	ip6 := ipv6Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi")))
	ether := ethernetFrame(etherIPv4, ip4)
	vlan := func(id uint16) func(*mlids.Packet) { return func(p *mlids.Packet) { p.VLAN = id } }
	sll := make([]byte, 14)
	label, bottom := []byte{0, 1, 0x00, 64}, []byte{0, 2, 0x01, 64}
	tests := []struct {
		name  string
		link  LinkType
		frame []byte
		more  func(*mlids.Packet)
	}{
		{"Ethernet", LinkEthernet, ether, nil},
		{"Ethernet with padding", LinkEthernet, cat(ether, make([]byte, 16)), nil},
		{"Ethernet, IPv6", LinkEthernet, cat(ethernetFrame(etherIPv6, ip6), make([]byte, 4)), asIPv6(0)},
		{"VLAN", LinkEthernet, vlanFrame(etherVLAN, 0xe007, ether), vlan(7)},
		{"VLAN with priority only", LinkEthernet, vlanFrame(etherVLAN, 0xe000, ether), nil},
		{"802.1ad", LinkEthernet, vlanFrame(etherService, 9, vlanFrame(etherVLAN, 7, ether)), vlan(9)},
		{"QinQ of old", LinkEthernet, vlanFrame(etherQinQ, 9, vlanFrame(etherVLAN, 7, ether)), vlan(9)},
		{"MPLS", LinkEthernet, ethernetFrame(etherMPLS, cat(bottom, ip4)), nil},
		{"MPLS, two labels", LinkEthernet, ethernetFrame(etherMPLSMany, cat(label, bottom, ip6)), asIPv6(0)},
		{"MPLS pseudowire", LinkEthernet, ethernetFrame(etherMPLS, cat(bottom, make([]byte, 4), ether)), nil},
		{"PPPoE", LinkEthernet, ethernetFrame(etherPPPoE, cat([]byte{0x11, 0, 0, 1, 0, 32, 0, 0x21}, ip4)), nil},
		{"PPPoE, IPv6", LinkEthernet, ethernetFrame(etherPPPoE, cat([]byte{0x11, 0, 0, 1, 0, 52, 0, 0x57}, ip6)), asIPv6(0)},
		{"raw", LinkRaw, ip4, nil},
		{"raw, BSD", LinkRawBSD, ip6, asIPv6(0)},
		{"raw, OpenBSD", LinkRawOpen, ip4, nil},
		{"IPv4", LinkIPv4, ip4, nil},
		{"IPv6", LinkIPv6, ip6, asIPv6(0)},
		{"null, little-endian", LinkNull, cat([]byte{2, 0, 0, 0}, ip4), nil},
		{"null, big-endian", LinkNull, cat([]byte{0, 0, 0, 2}, ip4), nil},
		{"null, macOS", LinkNull, cat([]byte{30, 0, 0, 0}, ip6), asIPv6(0)},
		{"loop", LinkLoop, cat([]byte{0, 0, 0, 24}, ip6), asIPv6(0)},
		{"cooked", LinkSLL, cat(sll, u16(etherIPv4), ip4), nil},
		{"cooked, VLAN", LinkSLL, cat(sll, u16(etherVLAN), u16(7), u16(etherIPv4), ip4), vlan(7)},
		{"cooked v2", LinkSLL2, cat(u16(etherIPv6), make([]byte, 18), ip6), asIPv6(0)},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			got, reason := decode(DecoderConfig{Checksums: true}, c.link, c.frame)
			if reason != Decoded {
				t.Fatalf("ignored: %v", reason)
			}
			if diff := cmp.Diff(udpFields(c.frame, c.more), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeTransport(t *testing.T) {
	tests := []struct {
		name    string
		ip6     bool
		proto   byte
		payload []byte
		want    mlids.Packet
	}{
		{"TCP", false, mlids.ProtoTCP, tcpPacket(80, 99, mlids.SYN|mlids.ACK, nil, nil),
			mlids.Packet{SrcPort: 80, DstPort: 99, Flags: mlids.SYN | mlids.ACK, Seq: 100, Ack: 200, Window: 1024, Urgent: 3, Header: 20}},
		{"TCP with options", true, mlids.ProtoTCP, tcpPacket(80, 99, mlids.PSH, make([]byte, 12), []byte("abc")),
			mlids.Packet{SrcPort: 80, DstPort: 99, Flags: mlids.PSH, Seq: 100, Ack: 200, Window: 1024, Urgent: 3, Header: 32, PayloadLen: 3, Payload: []byte("abc")}},
		{"UDP without checksum", false, mlids.ProtoUDP, udpPacket(7, 8, nil), mlids.Packet{SrcPort: 7, DstPort: 8, Header: 8}},
		{"echo", false, mlids.ProtoICMP, icmpPacket(8, 0, 77, []byte("ping")),
			mlids.Packet{ICMPType: 8, ICMPID: 77, Header: 8, PayloadLen: 4, Payload: []byte("ping")}},
		{"time stamp reply", false, mlids.ProtoICMP, icmpPacket(14, 0, 77, nil), mlids.Packet{ICMPType: 14, ICMPID: 77, Header: 8}},
		{"unreachable", false, mlids.ProtoICMP, icmpPacket(3, 1, 77, nil), mlids.Packet{ICMPType: 3, ICMPCode: 1, Header: 8}},
		{"echo, IPv6", true, mlids.ProtoICMPv6, icmpPacket(128, 0, 77, nil), mlids.Packet{ICMPType: 128, ICMPID: 77, Header: 8}},
		{"echo reply, IPv6", true, mlids.ProtoICMPv6, icmpPacket(129, 0, 78, nil), mlids.Packet{ICMPType: 129, ICMPID: 78, Header: 8}},
		{"neighbour", true, mlids.ProtoICMPv6, icmpPacket(135, 0, 77, make([]byte, 16)),
			mlids.Packet{ICMPType: 135, Header: 8, PayloadLen: 16, Payload: make([]byte, 16)}},
		{"ICMP of 4 bytes", false, mlids.ProtoICMP, []byte{8, 0, 0xf7, 0xff}, mlids.Packet{ICMPType: 8, Header: 4}},
		{"SCTP", false, mlids.ProtoSCTP, cat(u16(5), u16(6), make([]byte, 8), []byte("chunk")),
			mlids.Packet{SrcPort: 5, DstPort: 6, Header: 12, PayloadLen: 5, Payload: []byte("chunk")}},
		{"another", false, 89, []byte("ospf"), mlids.Packet{PayloadLen: 4, Payload: []byte("ospf")}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			frame := ipv4Packet(c.proto, c.payload)
			if c.ip6 {
				frame = ipv6Packet(c.proto, c.payload)
			}
			got, reason := decode(DecoderConfig{Checksums: true}, LinkRaw, frame)
			want := c.want
			want.Time, want.TTL, want.Proto = 5, 64, c.proto
			want.WireLen, want.CaptureLen, want.IPLen = uint32(len(frame)), uint32(len(frame)), uint32(len(frame))
			want.Src, want.Dst, want.IPHeader = mlids.AddrFrom4(testSrc4), mlids.AddrFrom4(testDst4), 20
			if c.ip6 {
				want.Src, want.Dst, want.IPHeader = testSrc6, testDst6, 40
			}
			if want.Payload == nil {
				want.Payload = []byte{}
			}
			if diff := cmp.Diff(want, got); diff != "" || reason != Decoded {
				t.Errorf("%v %s", reason, diff)
			}
		})
	}
}

func TestDecodeIPv4Options(t *testing.T) {
	udp := udpPacket(1, 2, []byte("hi"))
	frame := ipv4Part(mlids.ProtoUDP, 1, 0, cat([]byte{1, 1, 1, 0}, udp))
	frame[0] = 0x46
	got, reason := decode(DecoderConfig{}, LinkRaw, frame)
	want := udpFields(frame, func(p *mlids.Packet) { p.IPHeader, p.IPLen = 24, 34 })
	if diff := cmp.Diff(want, got); diff != "" || reason != Decoded {
		t.Errorf("%v %s", reason, diff)
	}
}

func TestDecodeIPv6Extensions(t *testing.T) {
	udp := udpPacket(1, 2, []byte("hi"))
	options := func(next byte) []byte { return []byte{next, 0, 1, 4, 0, 0, 0, 0} }
	long := func(next byte) []byte { return append([]byte{next, 1}, make([]byte, 14)...) }
	auth := func(next byte) []byte { return append([]byte{next, 4}, make([]byte, 22)...) }
	atomic := func(next byte) []byte { return []byte{next, 0, 0, 0, 0, 0, 0, 9} }
	tests := []struct {
		name string
		next byte
		ext  []byte
	}{
		{"hop by hop", extHopByHop, options(17)},
		{"routing, destination", extRouting, cat(long(extDestination), options(17))},
		{"authentication", extAuth, auth(17)},
		{"atomic fragment", extFragment, atomic(17)},
		{"mobility, HIP, shim6", extMobility, cat(options(extHIP), options(extShim6), options(17))},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			frame := ipv6Packet(c.next, cat(c.ext, udp))
			got, reason := decode(DecoderConfig{}, LinkIPv6, frame)
			if diff := cmp.Diff(udpFields(frame, asIPv6(len(c.ext))), got); diff != "" || reason != Decoded {
				t.Errorf("%v %s", reason, diff)
			}
		})
	}
	endless := ipv6Packet(extDestination, cat(options(extDestination), make([]byte, 0)))
	for range 20 {
		endless = append(endless, options(extDestination)...)
	}
	endless[5] = byte(len(endless) - 40)
	if _, reason := decode(DecoderConfig{}, LinkIPv6, endless); reason != Nested {
		t.Errorf("endless chain: %v", reason)
	}
}

// What segmentation offload and jumbograms leave in length fields.
func TestDecodeLengthsBeyondTheHeader(t *testing.T) {
	data := make([]byte, 70_000)
	tcp := tcpPacket(1, 2, mlids.ACK, nil, data)
	v4 := ipv4Packet(mlids.ProtoTCP, tcp)
	v4[2], v4[3] = 0, 0
	v6 := ipv6Packet(mlids.ProtoTCP, tcp)
	v6[4], v6[5] = 0, 0
	jumbo := ipv6Packet(extHopByHop, cat([]byte{6, 0, 0xc2, 4}, u32(uint32(8+len(tcp))), tcp, []byte("padding")))
	jumbo[4], jumbo[5] = 0, 0
	for name, frame := range map[string][]byte{"IPv4": v4, "IPv6": v6, "jumbo payload": jumbo} {
		p, reason := decode(DecoderConfig{}, LinkRaw, frame)
		if reason != Decoded || p.PayloadLen != 70_000 || len(p.Payload) != 70_000 || p.BadLength {
			t.Errorf("%s: %v, payload %d of %d, bad length %v", name, reason, len(p.Payload), p.PayloadLen, p.BadLength)
		}
	}
}

func TestDecodeSnapped(t *testing.T) {
	whole := ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(1, 2, make([]byte, 100))))
	var p mlids.Packet
	d := NewDecoder(DecoderConfig{Checksums: true})
	for keep := range len(whole) + 1 {
		reason := d.Decode(&Frame{Data: whole[:keep], WireLen: uint32(len(whole)), Link: LinkEthernet}, &p)
		want := Decoded
		if keep < 14+20+8 {
			want = TruncatedHeader
		}
		if reason != want || p.BadLength || p.BadChecksum {
			t.Errorf("%d bytes kept: %v, want %v: %+v", keep, reason, want, p)
		}
		if reason == Decoded && (p.PayloadLen != 100 || len(p.Payload) != keep-42) {
			t.Errorf("%d bytes kept: payload %d of %d", keep, len(p.Payload), p.PayloadLen)
		}
	}
}

func TestDecodeIgnoresAndFlags(t *testing.T) {
	udp := udpPacket(1, 2, []byte("hi"))
	ip4 := ipv4Packet(mlids.ProtoUDP, udp)
	with := func(frame []byte, at int, v ...byte) []byte {
		out := cat(frame)
		copy(out[at:], v)
		return out
	}
	tags := ethernetFrame(etherIPv4, ip4)
	for range 9 {
		tags = vlanFrame(etherVLAN, 1, tags)
	}
	labels := make([]byte, 200)
	tests := []struct {
		name  string
		link  LinkType
		frame []byte
		want  Reason
	}{
		{"ARP", LinkEthernet, ethernetFrame(etherARP, make([]byte, 28)), ARP},
		{"RARP", LinkEthernet, ethernetFrame(etherRARP, make([]byte, 28)), ARP},
		{"spanning tree", LinkEthernet, ethernetFrame(38, make([]byte, 38)), LLC},
		{"LLDP", LinkEthernet, ethernetFrame(0x88cc, make([]byte, 38)), NotIP},
		{"PPPoE, LCP", LinkEthernet, ethernetFrame(etherPPPoE, cat([]byte{0x11, 0, 0, 1, 0, 2, 0xc0, 0x21}, ip4)), NotIP},
		{"MPLS, unknown", LinkEthernet, ethernetFrame(etherMPLS, []byte{0, 0, 1, 0, 0xf0, 0}), NotIP},
		{"802.11", 105, ip4, UnknownLink},
		{"no frame at all", LinkEthernet, nil, BadLength},
		{"AppleTalk", LinkNull, []byte{16, 0, 0, 0, 1, 2}, NotIP},
		{"raw of no version", LinkRaw, with(ip4, 0, 0x25), BadVersion},
		{"IPv6 in IPv4's place", LinkIPv4, with(ip4, 0, 0x65), BadVersion},
		{"IPv4 in IPv6's place", LinkIPv6, with(make([]byte, 40), 0, 0x45), BadVersion},
		{"IPv4 header of 16 bytes", LinkRaw, with(ip4, 0, 0x44), BadLength},
		{"IPv4 header beyond the packet", LinkRaw, with(ip4, 0, 0x4f), BadLength},
		{"IPv4 length of 19", LinkRaw, with(ip4, 2, 0, 19), BadLength},
		{"IPv4 without room for UDP", LinkRaw, with(ip4, 2, 0, 27), BadLength},
		{"TCP header of 16 bytes", LinkRaw, ipv4Packet(6, with(tcpPacket(1, 2, 0, nil, nil), 12, 0x40)), BadLength},
		{"TCP header beyond the packet", LinkRaw, ipv4Packet(6, with(tcpPacket(1, 2, 0, nil, nil), 12, 0xf0)), BadLength},
		{"extension beyond the packet", LinkIPv6, ipv6Packet(extHopByHop, []byte{17, 200, 0, 0, 0, 0, 0, 0}), BadLength},
		{"half an extension", LinkIPv6, ipv6Packet(extHopByHop, []byte{17, 0, 0}), BadLength},
		{"nine VLAN tags", LinkEthernet, tags, Nested},
		{"fifty labels", LinkEthernet, ethernetFrame(etherMPLS, labels), Nested},
		{"short cooked", LinkSLL, make([]byte, 15), BadLength},
		{"short cooked v2", LinkSLL2, make([]byte, 19), BadLength},
		{"short SCTP", LinkRaw, ipv4Packet(mlids.ProtoSCTP, make([]byte, 11)), BadLength},
	}
	for _, c := range tests {
		if _, got := decode(DecoderConfig{}, c.link, c.frame); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for name, frame := range map[string][]byte{
		"IPv4 longer than its frame": with(ip4, 2, 1, 0),
		"UDP longer than its packet": with(ip4, 24, 1, 0),
		"UDP of 7 bytes":             with(ip4, 24, 0, 7),
		"IPv6 longer than its frame": with(ipv6Packet(17, udp), 4, 1, 0),
	} {
		if p, reason := decode(DecoderConfig{}, LinkRaw, frame); reason != Decoded || !p.BadLength || p.SrcPort != 1 {
			t.Errorf("%s: %v, %+v", name, reason, p)
		}
	}
}

func TestDecodeChecksums(t *testing.T) {
	packets := map[string][]byte{
		"IPv4 header": ipv4Packet(89, []byte("x")),
		"TCP":         ipv4Packet(mlids.ProtoTCP, tcpPacket(1, 2, mlids.ACK, nil, []byte("odd"))),
		"UDP":         ipv4Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi"))),
		"ICMP":        ipv4Packet(mlids.ProtoICMP, icmpPacket(8, 0, 1, []byte("hi"))),
		"UDP, IPv6":   ipv6Packet(mlids.ProtoUDP, udpPacket(1, 2, []byte("hi"))),
		"ICMPv6":      ipv6Packet(mlids.ProtoICMPv6, icmpPacket(128, 0, 1, []byte("hi"))),
	}
	for name, frame := range packets {
		if p, _ := decode(DecoderConfig{Checksums: true}, LinkRaw, frame); p.BadChecksum {
			t.Errorf("%s: right, but called wrong", name)
		}
		at := len(frame) - 1
		if name == "IPv4 header" {
			at = 8
		}
		frame[at] ^= 0x10
		if p, _ := decode(DecoderConfig{Checksums: true}, LinkRaw, frame); !p.BadChecksum {
			t.Errorf("%s: wrong, but not noticed", name)
		}
		if p, _ := decode(DecoderConfig{}, LinkRaw, frame); p.BadChecksum {
			t.Errorf("%s: checked without being asked for", name)
		}
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{Decoded.String(): true}
	for _, r := range Reasons() {
		if name := r.String(); name == "" || seen[name] {
			t.Errorf("reason %d is called %q", r, name)
		}
		seen[r.String()] = true
	}
	if Reason(200).String() != "unknown" || LinkSLL2.String() != "linux-cooked-2" || LinkType(7).String() != "link-type-7" {
		t.Error("unnamed numbers")
	}
}
