package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"mlids"
	"mlids/internal/testdata"
)

// filterGolden has for each expression how many packets of each capture tcpdump 4.99.3 finds with it.
const filterGolden = "testdata/filters.csv"

func TestFiltersFindWhatTcpdumpFinds(t *testing.T) {
	root := testdata.Path(t, "pcap")
	raw, err := os.ReadFile(filterGolden)
	if err != nil {
		t.Fatal(err)
	}
	table, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range table[0][1:] {
		file, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		frames, err := collect(t.Context(), NewFile(name, bytes.NewReader(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range table[1:] {
			want := line[i+1]
			if want == "-" { // tcpdump knows no VLAN tags in cooked captures
				continue
			}
			src, err := Filter(&listed{frames: frames}, line[0])
			if err != nil {
				t.Fatal(err)
			}
			found, err := collect(t.Context(), src)
			if err != nil {
				t.Fatal(err)
			}
			if strconv.Itoa(len(found)) != want {
				t.Errorf("%q finds %d packets in %s, tcpdump %s", line[0], len(found), name, want)
			}
		}
	}
}

// Expressions mean the same on each link type.
func TestFilterLinkTypes(t *testing.T) {
	ip4 := ipv4Packet(mlids.ProtoUDP, udpPacket(1, 53, []byte("hi")))
	for link, frame := range map[LinkType][]byte{
		LinkEthernet: ethernetFrame(etherIPv4, ip4),
		LinkRaw:      ip4,
		LinkNull:     cat([]byte{2, 0, 0, 0}, ip4),
		LinkSLL:      cat(make([]byte, 14), u16(etherIPv4), ip4),
		LinkSLL2:     cat(u16(etherIPv4), make([]byte, 18), ip4),
	} {
		for expr, want := range map[string]int{
			"": 1, "ip": 1, "ip6": 0, "arp": 0, "udp port 53": 1, "tcp": 0, "src net 10.0.0.0/8": 1, "dst host 10.0.0.1": 0, "proto 17": 1,
		} {
			src, err := Filter(&listed{frames: []Frame{{Data: frame, Link: link}}}, expr)
			if err != nil {
				t.Fatal(err)
			}
			if found, err := collect(t.Context(), src); err != nil || len(found) != want {
				t.Errorf("%q on %v: %d packets, want %d; %v", expr, link, len(found), want, err)
			}
		}
	}
}

func TestFilterRefusals(t *testing.T) {
	if _, err := Filter(&listed{}, "port 80 and ("); !errors.Is(err, ErrFilter) {
		t.Errorf("bad expression: %v", err)
	}
	file := pcapFile(binary.LittleEndian, 0xa1b2c3d4, LinkRaw, []byte("x"))
	src, err := Filter(NewFile("x", bytes.NewReader(file)), "vlan 7")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collect(t.Context(), src); !errors.Is(err, ErrFilter) {
		t.Errorf("vlan on raw IP: %v", err)
	}
	src, err = Filter(&listed{frames: []Frame{{Link: 105}}}, "tcp")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := collect(t.Context(), src); err != nil || len(found) != 1 {
		t.Errorf("a link type without a layout: %d packets, %v", len(found), err)
	}
}
