package filter

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

var ethernet = Layout{Proto: 12, Network: 14}

// Programs of expressions are as short as they can be written without an optimizer, and load.
func TestPrograms(t *testing.T) {
	tests := []struct {
		expr  string
		lines int
	}{
		{"", 1}, {"ip", 4}, {"not arp", 4}, {"less 100", 4}, {"vlan", 8}, {"tcp", 14}, {"host 10.0.0.1", 20},
	}
	for _, c := range tests {
		program, err := Compile(c.expr, ethernet, 100)
		if err != nil {
			t.Errorf("%q: %v", c.expr, err)
			continue
		}
		if _, err := bpf.NewVM(program); err != nil {
			t.Errorf("%q: %v", c.expr, err)
		}
		if len(program) > c.lines {
			t.Errorf("%q: %d instructions, expected at most %d", c.expr, len(program), c.lines)
		}
	}
}

// Expressions that mean the same give the same program.
func TestSpellings(t *testing.T) {
	for _, c := range [][]string{
		{"tcp and not port 22", "tcp&&!port 22", " ( tcp ) and (not(port 22))", "tcp and not (port 22)"},
		{"port 80 or port 443", "port 80 or 443", "src or dst port 80 or 443"},
		{"host 10.0.0.1", "10.0.0.1", "src or dst 10.0.0.1", "src or dst host 10.0.0.1"},
		{"net 10.0.0.0/8", "net 10", "net 10.0.0.0 mask 255.0.0.0"},
		{"net 10.1.2.3", "host 10.1.2.3", "net 10.1.2.3/32"},
		{"ip proto 6", `ip proto \tcp`, "ip proto tcp"},
		{"icmp", "ip proto 1"},
		{"portrange 5-9", "portrange 9-5"},
		{"tcp or udp and port 5", "(tcp or udp) and port 5"},
		{"tcp[13] & 2 != 0", "tcp[tcpflags]&tcp-syn!=0", "tcp[0xd:1] & (0x2) != 0x0"},
		{"icmp[icmptype] = icmp-echo", "icmp[0]==8"},
	} {
		want, err := Compile(c[0], ethernet, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, expr := range c[1:] {
			got, err := Compile(expr, ethernet, 1)
			if err != nil || len(got) != len(want) {
				t.Errorf("%q: %v", expr, err)
				continue
			}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%q differs from %q in instruction %d: %v, %v", expr, c[0], i, got[i], want[i])
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for expr, text := range map[string]string{
		"bogus":                                "byte 0: unknown word \"bogus\"",
		"tcp and":                              "byte 7: the expression ends where a term is expected",
		"(tcp":                                 "byte 4: expected ) for the ( at byte 0",
		"tcp)":                                 "byte 3: expected and, or or the end, not \")\"",
		"tcp udp":                              "byte 4: expected and, or or the end, not \"udp\"",
		"port 99999":                           "byte 5: \"99999\" is no port",
		"port 1-2":                             "byte 5: \"1-2\" is no port",
		"port http":                            "byte 5: \"http\" is no port",
		"80":                                   "byte 0: \"80\" needs host, net, port or proto",
		"host example.org":                     "byte 5: \"example.org\" is no IP address",
		"host fe80::1%eth0":                    "is no IP address",
		"net 10.0.0.1/8":                       "byte 4: 10.0.0.1/8 has bits set behind its prefix, the network is 10.0.0.0/8",
		"net 10.0.0.0/33":                      "is no network",
		"net 10.0.0.0 mask 1":                  "expected a mask",
		"net 10.0.0.0 mask":                    "expected a mask",
		"net 1.2.3.4.5":                        "is no network",
		"ip6 host 10.0.0.1":                    "10.0.0.1 is no address of ip6",
		"ip host ::1":                          "::1 is no address of ip",
		"tcp host 10.0.0.1":                    "does not go with host",
		"icmp port 7":                          "does not go with port",
		"src proto 7":                          "does not go with proto",
		"proto 256":                            "is no IP protocol",
		"vlan 4096":                            "is no VLAN id",
		"less much":                            "is no length",
		"tcp[13] & 2":                          "byte 11: expected =, !=",
		"tcp[13] & x = 2":                      "byte 10: \"x\" is no number",
		"tcp[13] & (2|4 = 2":                   "byte 15: expected | or )",
		"tcp[13]":                              "byte 7: expected =, !=",
		"tcp[13 = 2":                           "byte 0: expected a field",
		"tcp[1:3] = 2":                         "byte 0: expected a field",
		"tcp[70000] = 2":                       "byte 0: expected a field",
		"dns[1] = 2":                           "byte 0: expected a field",
		"[":                                    "byte 0: expected a field",
		strings.Repeat("(", 100):               "nested deeper than 64",
		strings.Repeat("not ", 100) + "tcp":    "nested deeper than 64",
		strings.Repeat("tcp or ", 3000) + "ip": "at most 16384",
		strings.Repeat("port 5 or ", 900) + "port 5": "the kernel takes 4096",
	} {
		_, err := Compile(expr, ethernet, 1)
		if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), text) {
			t.Errorf("%.40q: %v, want %q", expr, err, text)
		}
	}
	if _, err := Compile("vlan", Layout{Proto: -1}, 1); !errors.Is(err, ErrSyntax) {
		t.Errorf("vlan without Ethernet: %v", err)
	}
}

// Jumps that are too far for one instruction still arrive.
func TestFarJumps(t *testing.T) {
	expr := "udp and (port 1" + strings.Repeat(" or 2", 60) + " or 53)"
	program, err := Compile(expr, Layout{Proto: -1}, 7)
	if err != nil {
		t.Fatal(err)
	}
	if len(program) < 256 {
		t.Fatalf("%d instructions do not need far jumps", len(program))
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 28)
	packet[0], packet[9] = 0x45, 17
	for port, want := range map[byte]int{1: 7, 2: 7, 53: 7, 54: 0} {
		packet[23] = port
		if got, err := vm.Run(packet); got != want || err != nil {
			t.Errorf("port %d: %d, want %d; %v", port, got, want, err)
		}
	}
	packet[9] = 6
	packet[23] = 53
	if got, _ := vm.Run(packet); got != 0 {
		t.Error("TCP matches udp")
	}
}

// FuzzFilter compiles anything: what compiles is a program that loads and ends.
func FuzzFilter(f *testing.F) {
	for _, expr := range []string{
		"tcp port 80 and not host 10.0.0.1", "vlan 7 or (ip6 net fe80::/10 and udp)", "!(arp||less 60)", "net 10 or 192.168",
		"portrange 1-2 and src and dst net 0.0.0.0/0", "net 1 mask 255", "ip proto \\tcp", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn or udp[4:2]>=100",
	} {
		f.Add(expr, []byte{0x45, 0, 0, 20})
	}
	f.Fuzz(func(t *testing.T, expr string, packet []byte) {
		for _, layout := range []Layout{ethernet, {Proto: -1}, {Proto: 12, Network: 14, Metadata: true}} {
			program, err := Compile(expr, layout, 9)
			if err != nil {
				if !errors.Is(err, ErrSyntax) {
					t.Errorf("%q: %v", expr, err)
				}
				continue
			}
			if _, err := bpf.Assemble(program); err != nil {
				t.Errorf("%q: %v", expr, err)
			}
			if layout.Metadata {
				continue // the machine here has no metadata
			}
			vm, err := bpf.NewVM(program)
			if err != nil {
				t.Fatalf("%q: %v", expr, err)
			}
			if got, err := vm.Run(packet); err != nil || got != 0 && got != 9 {
				t.Errorf("%q: %d, %v", expr, got, err)
			}
		}
	})
}
