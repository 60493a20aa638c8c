package kdd99

import (
	"testing"

	"mlids"
)

func TestServices(t *testing.T) {
	s, gure := newServices(false), newServices(true)
	for _, c := range []struct {
		p          mlids.Packet
		want, gure string
	}{
		{mlids.Packet{Proto: mlids.ProtoTCP, SrcPort: 40000, DstPort: 80}, "http", "http"},
		{mlids.Packet{Proto: mlids.ProtoTCP, SrcPort: 20, DstPort: 2662}, "ftp_data", "ftp_data"},
		{mlids.Packet{Proto: mlids.ProtoTCP, SrcPort: 20, DstPort: 25}, "smtp", "smtp"},
		{mlids.Packet{Proto: mlids.ProtoTCP, DstPort: 6010}, "X11", "X11"},
		{mlids.Packet{Proto: mlids.ProtoTCP, DstPort: 500}, "private", "other"},
		{mlids.Packet{Proto: mlids.ProtoTCP, DstPort: 3389}, "other", "other"},
		{mlids.Packet{Proto: mlids.ProtoTCP, DstPort: 60000}, "other", "private"},
		{mlids.Packet{Proto: mlids.ProtoTCP, DstPort: 53}, "domain", "domain"},
		{mlids.Packet{Proto: mlids.ProtoUDP, DstPort: 53}, "domain_u", "domain_u"},
		{mlids.Packet{Proto: mlids.ProtoUDP, DstPort: 69}, "tftp_u", "tftp_u"},
		{mlids.Packet{Proto: mlids.ProtoUDP, DstPort: 123}, "ntp_u", "ntp_u"},
		{mlids.Packet{Proto: mlids.ProtoUDP, DstPort: 161}, "private", "other"},
		{mlids.Packet{Proto: mlids.ProtoUDP, DstPort: 5353}, "other", "other"},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 8}, "eco_i", "eco_i"},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 0}, "ecr_i", "ecr_i"},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 3, ICMPCode: 1}, "urh_i", "urh_i"},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 3, ICMPCode: 3}, "urp_i", "urp_i"},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 5}, "red_i", "red_i"},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 11}, "tim_i", "tim_i"},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 13}, "icmp", "icmp"},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 128}, "eco_i", "eco_i"},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 129}, "ecr_i", "ecr_i"},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 1, ICMPCode: 4}, "urp_i", "urp_i"},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 1}, "urh_i", "urh_i"},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 3}, "tim_i", "tim_i"},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 137}, "red_i", "red_i"},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 135}, "icmp", "icmp"},
	} {
		if got := s.of(&c.p).String(); got != c.want {
			t.Errorf("protocol %d, ports %d and %d, ICMP %d/%d: %s, want %s",
				c.p.Proto, c.p.SrcPort, c.p.DstPort, c.p.ICMPType, c.p.ICMPCode, got, c.want)
		}
		if got := gure.of(&c.p).String(); got != c.gure {
			t.Errorf("by gureKddcup, protocol %d, port %d: %s, want %s", c.p.Proto, c.p.DstPort, got, c.gure)
		}
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct {
		payload string
		server  bool
		want    Service
		ok      bool
	}{
		{"GET / HTTP/1.1\r\n", false, HTTP, true},
		{"GET /\r\n", false, Other, false},
		{"SSH-2.0-OpenSSH_9.6\r\n", true, SSH, true},
		{"220 mail ESMTP\r\n", true, SMTP, true},
		{"220 FTP server\r\n", true, FTP, true},
		{"220 FTP server\r\n", false, Other, false},
		{"+OK ready\r\n", true, POP3, true},
		{"NICK bot\r\n", false, IRC, true},
		{"\xff\xfd\x18", true, Telnet, true},
		{"", false, Other, false},
	} {
		if got, ok := shown([]byte(c.payload), c.server); got != c.want || ok != c.ok {
			t.Errorf("%q: %s %v, want %s %v", c.payload, got, ok, c.want, c.ok)
		}
	}
}

// TestServiceNames compares the names with the schema's, and looks for ports in two services.
func TestServiceNames(t *testing.T) {
	for i, want := range schema(t).Columns[serviceColumn].Categories {
		if got := Service(i).String(); got != want {
			t.Errorf("service %d is %s, want %s", i, got, want)
		}
	}
	if got := Service(200).String(); got != "other" {
		t.Errorf("unknown service is %s", got)
	}
	last := uint16(0)
	for _, r := range tcpPorts {
		if r.from <= last || r.to < r.from {
			t.Errorf("ports %d to %d are out of order", r.from, r.to)
		}
		last = r.to
	}
}

// TestServiceByPayload gives a web server on an odd port away.
func TestServiceByPayload(t *testing.T) {
	rows := extract(t, Config{}, each(dialogue(8080, "> GET / HTTP/1.1\r\n\r\n", "< HTTP/1.1 200 OK\r\n\r\n")))
	if len(rows) != 1 || rows[0].Service != HTTP || value(t, &rows[0], "logged_in") != 1 {
		t.Errorf("got %+v", rows)
	}
}
