package kdd99

import (
	"testing"

	"mlids"
)

// conversations are packets as side and flags, "d" for payload, with the flag that Bro's definitions give.
var conversations = []struct {
	name    string
	packets []string
	want    Flag
}{
	{"a lone SYN", []string{">S"}, S0},
	{"SYN sent again", []string{">S", ">S"}, S0},
	{"refused", []string{">S", "<RA"}, REJ},
	{"half open, refused later", []string{">S", "<SA", "<R"}, RSTR},
	{"half-open scan", []string{">S", "<SA", ">R"}, RSTO},
	{"SYN, then own reset", []string{">S", ">R"}, RSTOS0},
	{"SYN, then FIN", []string{">S", ">F"}, SH},
	{"established, open", []string{">S", "<SA", ">A", ">Ad", "<Ad"}, S1},
	{"established without data", []string{">S", "<SA", ">A"}, S1},
	{"SYN-ACK only answered by nothing", []string{">S", "<SA"}, S1},
	{"closed by the originator", []string{">S", "<SA", ">A", ">FA", "<A"}, S2},
	{"closed by the responder", []string{">S", "<SA", ">A", "<FA", ">A"}, S3},
	{"closed by both", []string{">S", "<SA", ">A", ">Ad", "<Ad", ">FA", "<FA", ">A"}, SF},
	{"reset after both closed", []string{">S", "<SA", ">A", ">FA", "<FA", ">R"}, SF},
	{"closed, then reset by the same side", []string{">S", "<SA", ">A", ">FA", ">R"}, RSTO},
	{"reset after FIN, then the other FIN", []string{">S", "<SA", ">A", ">FA", ">R", "<FA"}, SF},
	{"reset by the originator", []string{">S", "<SA", ">A", ">Ad", ">R"}, RSTO},
	{"reset by the responder", []string{">S", "<SA", ">A", ">Ad", "<R"}, RSTR},
	{"from the middle", []string{">Ad", "<Ad"}, OTH},
	{"from the middle, closed by both", []string{">Ad", "<Ad", ">FA", "<FA"}, SF},
	{"a lone FIN", []string{">F"}, SH},
	{"a lone RST", []string{">R"}, RSTOS0},
	{"a lone ACK", []string{">A"}, OTH},
	{"ACK scan", []string{">A", "<R"}, RSTR},
	{"FIN scan, closed port", []string{">F", "<RA"}, RSTR},
	{"NULL scan, closed port", []string{">", "<RA"}, RSTR},
	{"backscatter", []string{">SA"}, OTH},
	{"backscatter, refused", []string{">SA", "<R"}, REJ},
	{"backscatter, reset", []string{">SA", ">R"}, RSTOS0},
	{"simultaneous open", []string{">S", "<S", ">SA", "<SA"}, S1},
	{"ACK in front of SYN-ACK", []string{">S", "<A", "<SA", ">A"}, S1},
	{"data in answer to a SYN", []string{">S", "<Ad"}, OTH},
	{"SYN behind data", []string{">A", ">S"}, S0},
}

func parse(packet string) (side int, flags mlids.TCPFlags, payload bool) {
	if packet[0] == '<' {
		side = 1
	}
	for _, c := range packet[1:] {
		switch c {
		case 'S':
			flags |= mlids.SYN
		case 'A':
			flags |= mlids.ACK
		case 'F':
			flags |= mlids.FIN
		case 'R':
			flags |= mlids.RST
		case 'd':
			payload = true
		}
	}
	return side, flags, payload
}

func TestFlags(t *testing.T) {
	for _, c := range conversations {
		var s tcpState
		silent := true
		for _, p := range c.packets {
			side, flags, payload := parse(p)
			s.add(side, flags, payload)
			silent = silent && !payload
		}
		if got := s.flag(silent); got != c.want {
			t.Errorf("%s (%v): %s, want %s", c.name, c.packets, got, c.want)
		}
	}
}

func TestOverAndAttempt(t *testing.T) {
	for _, c := range conversations {
		var s tcpState
		for _, p := range c.packets {
			s.add(parse(p))
		}
		reset := c.want == REJ || c.want == RSTO || c.want == RSTR || c.want == RSTOS0
		if got, want := s.over(), reset || c.want == SF; got != want {
			t.Errorf("%s: over %v, want %v", c.name, got, want)
		}
		if c.want == S0 && !s.attempt() {
			t.Errorf("%s: no attempt", c.name)
		}
	}
}

func TestFlagNames(t *testing.T) {
	for i, want := range schema(t).Columns[flagColumn].Categories {
		if got := Flag(i).String(); got != want {
			t.Errorf("flag %d is %s, want %s", i, got, want)
		}
	}
	if got := Flag(200).String(); got != "OTH" {
		t.Errorf("unknown flag is %s", got)
	}
}
