package kdd99

import (
	"testing"

	"mlids"
)

// What a switch counted and nobody saw adds bytes to a flow of UDP, messages to a flood of ICMP, and nothing to TCP, whose
// sequence numbers tell.
func TestUnseen(t *testing.T) {
	rows := extract(t, Config{}, func(each func(*mlids.Packet)) {
		for _, p := range []mlids.Packet{datagram(1, 1, 2, 5000, 7777, 100), datagram(2, 1, 2, 5000, 7777, 100), echo(3, 8, 1, 2, 56)} {
			each(&p)
		}
		for _, p := range []mlids.Packet{datagram(4, 1, 2, 5000, 7777, 100), echo(5.5, 8, 1, 2, 56)} {
			p.Unseen = 1000
			each(&p)
		}
		p := datagram(6, 1, 2, 5000, 80, 100)
		p.Proto, p.Unseen = mlids.ProtoTCP, 50
		each(&p)
	})
	if len(rows) != 1+mostUnseen+1 {
		t.Fatalf("%d rows", len(rows))
	}
	last := &rows[len(rows)-1]
	if got := value(t, last, "src_bytes"); got != 1002*100 || last.Key.Proto != mlids.ProtoUDP {
		t.Errorf("%v bytes in the flow, want 100200", got)
	}
	if got := value(t, &rows[len(rows)-2], "count"); got != mostUnseen {
		t.Errorf("the flood counts %v, want %d", got, mostUnseen)
	}
}
