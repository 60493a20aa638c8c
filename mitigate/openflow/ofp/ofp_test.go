package ofp

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// message makes an empty message of a type.
func message(t Type) Message {
	switch t {
	case TypeHello:
		return &Hello{}
	case TypeError:
		return &Error{}
	case TypeEchoRequest, TypeEchoReply:
		return &Echo{Reply: t == TypeEchoReply}
	case TypeFeaturesRequest, TypeGetConfigRequest, TypeBarrierRequest, TypeBarrierReply:
		return &Empty{Of: t}
	case TypeFeaturesReply:
		return &Features{}
	case TypeGetConfigReply, TypeSetConfig:
		return &Config{Reply: t == TypeGetConfigReply}
	case TypePacketIn:
		return &PacketIn{}
	case TypeFlowRemoved:
		return &FlowRemoved{}
	case TypePortStatus:
		return &PortStatus{}
	case TypePacketOut:
		return &PacketOut{}
	case TypeFlowMod:
		return &FlowMod{}
	case TypeMultipartRequest:
		return &MultipartRequest{}
	case TypeMultipartReply:
		return &MultipartReply{}
	case TypeRoleRequest, TypeRoleReply:
		return &RoleMessage{Reply: t == TypeRoleReply}
	case TypeMeterMod:
		return &MeterMod{}
	}
	return nil
}

// record makes an empty record of a part.
func record(p Part) interface {
	Record
	Append([]byte) []byte
} {
	switch p {
	case PartDescription:
		return &Description{}
	case PartFlows:
		return &FlowStats{}
	case PartAggregate:
		return &Aggregate{}
	case PartPortStats:
		return &PortStats{}
	case PartMeterStats:
		return &MeterStats{}
	case PartMeterConfig:
		return &MeterConfig{}
	case PartMeterFeatures:
		return &MeterFeatures{}
	case PartPorts:
		return &Port{}
	}
	return nil
}

// sameValue compares messages; empty and absent slices are the same on the wire.
func sameValue() cmp.Options {
	return cmp.Options{
		cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	}
}

// golden is one message that went between Open vSwitch and a controller, or ovs-ofctl.
type golden struct {
	name string
	raw  []byte
}

func goldens(tb testing.TB) []golden {
	tb.Helper()
	f, err := os.Open("testdata/openvswitch.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var list []golden
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, text, ok := strings.Cut(lines.Text(), ": ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		raw, err := hex.DecodeString(text)
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		list = append(list, golden{name, raw})
	}
	return list
}

func TestGoldens(t *testing.T) {
	seen := map[Type]bool{}
	parts := map[Part]bool{}
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			h, body, err := NewReader(bytes.NewReader(g.raw)).Next()
			if err != nil {
				t.Fatal(err)
			}
			m := message(h.Type)
			if err := m.Decode(body); err != nil {
				t.Fatal(err)
			}
			seen[h.Type] = true
			again := Append(nil, h.XID, m)
			switch m := m.(type) {
			case *PortStatus: // features of the port are left out
				sameAgain(t, m, &PortStatus{}, again)
				return
			case *FlowMod: // ovs-ofctl writes fields in another order
				sameAgain(t, m, &FlowMod{}, again)
				if strings.HasPrefix(g.name, "ovs-ofctl") {
					return
				}
			case *MultipartReply:
				parts[m.Of] = true
				sameRecords(t, m)
			}
			if !bytes.Equal(again, g.raw) {
				t.Errorf("written again as\n%x, want\n%x\n%+v", again, g.raw, m)
			}
		})
	}
	for ty := range typeNames {
		if ty != TypeExperimenter && !seen[ty] {
			t.Errorf("no %v among the captured messages", ty)
		}
	}
	for _, p := range []Part{PartDescription, PartFlows, PartAggregate, PartPortStats, PartMeterStats, PartMeterConfig, PartMeterFeatures, PartPorts} {
		if !parts[p] {
			t.Errorf("no answer of part %d among the captured messages", p)
		}
	}
}

// sameAgain checks that a message written again is read as the same.
func sameAgain(t *testing.T, m, second Message, again []byte) {
	t.Helper()
	if err := second.Decode(again[HeaderSize:]); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(m, second, sameValue()); diff != "" {
		t.Error(diff)
	}
}

// sameRecords checks that records written again are read as the same.
func sameRecords(t *testing.T, m *MultipartReply) {
	t.Helper()
	err := Records(m.Body, Record(record(m.Of)), func(r Record) error {
		b := r.(interface{ Append([]byte) []byte }).Append(nil)
		second := record(m.Of)
		if n, err := second.next(b); err != nil || n != len(b) {
			t.Errorf("read again %d of %d bytes: %v", n, len(b), err)
		}
		if diff := cmp.Diff(r, Record(second), sameValue()); diff != "" {
			t.Errorf("part %d read again:\n%s", m.Of, diff)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMatchRoundTrip(t *testing.T) {
	p := netip.MustParsePrefix
	for name, m := range map[string]Match{
		"empty": {},
		"tcp": {
			Set:    HasInPort | HasEthDst | HasEthSrc | HasEthType | HasVLAN | HasProto | HasSrcPort | HasDstPort,
			InPort: 7, EthDst: MAC{1, 2, 3, 4, 5, 6}, EthSrc: MAC{6, 5, 4, 3, 2, 1}, EthType: EthIPv4, VLAN: VLANPresent | 5, Proto: protoTCP,
			SrcPort: 1, DstPort: 65535, Src: p("10.0.0.1/32"), Dst: p("10.0.0.0/9"),
		},
		"udp":   {Set: HasEthType | HasProto | HasDstPort, EthType: EthIPv6, Proto: protoUDP, DstPort: 53, Dst: p("fd00::/8"), Src: p("fd00::1/128")},
		"sctp":  {Set: HasEthType | HasProto | HasSrcPort, EthType: EthIPv4, Proto: protoSCTP, SrcPort: 2905},
		"icmp":  {Set: HasEthType | HasProto | HasICMPType | HasICMPCode, EthType: EthIPv4, Proto: protoICMP, ICMPType: 8, ICMPCode: 1},
		"icmp6": {Set: HasEthType | HasProto | HasICMPType | HasICMPCode, EthType: EthIPv6, Proto: protoICMPv6, ICMPType: 128},
		"all":   {Set: HasEthType, EthType: EthIPv4, Src: p("0.0.0.0/0")},
		"arp": {
			Set: HasEthType | HasARPOp, EthType: EthARP, ARPOp: 1, ARPSrc: netip.MustParseAddr("10.0.0.1"), ARPDst: netip.MustParseAddr("10.0.0.2"),
		},
	} {
		var got Match
		b := appendMatch(nil, &m)
		if n, err := got.decode(b); err != nil || n != len(b) || n%8 != 0 || got != m {
			t.Errorf("%s: read %d of %d bytes, %v\n got %+v\nwant %+v", name, n, len(b), err, got, m)
		}
	}
}

func TestForeignMatch(t *testing.T) {
	for name, text := range map[string]string{
		"mask of an Ethernet address": "00010014 8000 07 0c 010203040506 010000000000 00000000",
		"mask with holes":             "00010016 80000a020800 80001708 0a000001ff00ff00 0000",
		"other class":                 "0001000c 0001 00 04 00000001 00000000",
		"field not used":              "00010010 8000 04 08 0000000000000001",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(name, err)
		}
		var m Match
		if _, err := m.decode(b[:min(len(b), padded(int(be.Uint16(b[2:]))))]); err != nil || m.Set&HasOther == 0 {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestBadMatches(t *testing.T) {
	for name, text := range map[string]string{
		"short":                "0001",
		"not OXM":              "0000000400000000",
		"length too small":     "0001000300000000",
		"length too large":     "0001000900000000",
		"field cut off":        "0001000a8000000400010000000000000",
		"wrong size":           "0001000a80000002000100000000000000",
		"UDP port of TCP":      "00010019 80000a020800 8000140106 80001e020035 00000000000000",
		"IPv6 of IPv4":         "00010012 80000a020800 800034 04 0a000001 000000000000",
		"address with no type": "0001000c 800016040a000001 00000000",
	} {
		text = strings.ReplaceAll(text, " ", "")
		b, err := hex.DecodeString(text[:len(text)&^1])
		if err != nil {
			t.Fatal(name, err)
		}
		var m Match
		if _, err := m.decode(b); !errors.Is(err, ErrLength) && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, error %v", name, m, err)
		}
	}
}

func TestReader(t *testing.T) {
	hello := Append(nil, 1, &Hello{Versions: 1 << Version})
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"nothing":        {nil, io.EOF},
		"half a header":  {hello[:5], io.ErrUnexpectedEOF},
		"half a message": {hello[:10], io.ErrUnexpectedEOF},
		"length 7":       {[]byte{4, 0, 0, 7, 0, 0, 0, 0}, ErrLength},
		"version 1":      {[]byte{1, 10, 0, 8, 0, 0, 0, 0}, ErrVersion},
		"type 30":        {[]byte{4, 30, 0, 8, 0, 0, 0, 0}, ErrMalformed},
		"HTTP":           {[]byte("GET / HTTP/1.1\r\n\r\n"), ErrVersion},
	} {
		if _, _, err := NewReader(bytes.NewReader(c.bytes)).Next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	r := NewReader(bytes.NewReader(append(bytes.Clone(hello), hello...)))
	for i := range 2 {
		if h, body, err := r.Next(); err != nil || h.Type != TypeHello || len(body) != 8 {
			t.Errorf("message %d: %+v, %x, %v", i, h, body, err)
		}
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last message: %v", err)
	}
}

func TestHelloVersions(t *testing.T) {
	for name, c := range map[string]struct {
		version uint8
		bitmap  uint32
		want    bool
	}{
		"1.3 alone": {4, 0, true}, "1.0": {1, 0, false}, "1.5, older ones too": {6, 0, true},
		"bitmap with it": {6, 1<<6 | 1<<4, true}, "bitmap without": {6, 1<<6 | 1<<1, false},
	} {
		m := Hello{Versions: c.bitmap}
		if got := m.Speaks(Header{Version: c.version}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestErrorText(t *testing.T) {
	e := Error{Of: ErrorFlowMod, Code: CodeTableFull, Data: Append(nil, 9, &FlowMod{})}
	if got, want := e.Error(), "flow-mod failed (code 1) in answer to flow-mod"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzMessage(f *testing.F) {
	for _, g := range goldens(f) {
		if len(g.raw) < 600 {
			f.Add(g.raw)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		for {
			h, body, err := r.Next()
			if err != nil {
				return
			}
			checkMessage(t, h, body)
		}
	})
}

// checkMessage reads a body that may be anything, and what was written from it once more.
func checkMessage(t *testing.T, h Header, body []byte) {
	t.Helper()
	m := message(h.Type)
	if m == nil {
		return
	}
	if err := m.Decode(body); err != nil {
		if !errors.Is(err, ErrLength) && !errors.Is(err, ErrMalformed) {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	if reply, ok := m.(*MultipartReply); ok && record(reply.Of) != nil {
		_ = Records(reply.Body, Record(record(reply.Of)), func(r Record) error {
			_ = r.(interface{ Append([]byte) []byte }).Append(nil)
			return nil
		})
	}
	again := Append(nil, h.XID, m)
	second := message(h.Type)
	if err := second.Decode(again[HeaderSize:]); err != nil {
		t.Fatalf("%+v was written as %x: %v", m, again, err)
	}
	third := Append(nil, h.XID, second)
	if !bytes.Equal(again, third) {
		t.Errorf("written differently\n%x\n%x", again, third)
	}
}

func BenchmarkPacketIn(b *testing.B) {
	raw := Append(nil, 1, &PacketIn{Buffer: NoBuffer, TotalLen: 98, Match: Match{Set: HasInPort, InPort: 3}, Data: make([]byte, 98)})
	var m PacketIn
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Decode(raw[HeaderSize:]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkFlowMod(b *testing.B) {
	m := FlowMod{
		Match: Match{
			Set: HasInPort | HasEthDst | HasEthSrc | HasEthType | HasVLAN | HasProto | HasSrcPort | HasDstPort, EthType: EthIPv4, Proto: protoTCP,
			Src: netip.MustParsePrefix("10.0.0.1/32"), Dst: netip.MustParsePrefix("10.0.0.2/32"),
		},
		Instructions: Instructions{Apply: []Action{{Port: 1}}},
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = Append(buf[:0], 1, &m)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
