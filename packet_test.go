package mlids_test

import (
	"testing"

	"mlids"
)

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		p    mlids.Packet
		want bool
	}{
		{mlids.Packet{Proto: mlids.ProtoTCP, Flags: mlids.SYN}, false},
		{mlids.Packet{Proto: mlids.ProtoTCP, Flags: mlids.SYN | mlids.ACK}, true},
		{mlids.Packet{Proto: mlids.ProtoTCP, Flags: mlids.RST | mlids.ACK}, true},
		{mlids.Packet{Proto: mlids.ProtoTCP, Flags: mlids.ACK | mlids.PSH}, false},
		{mlids.Packet{Proto: mlids.ProtoUDP}, false},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 8}, false},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 0}, true},
		{mlids.Packet{Proto: mlids.ProtoICMP, ICMPType: 3, ICMPCode: 3}, true},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 128}, false},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 129}, true},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 1}, true},
		{mlids.Packet{Proto: mlids.ProtoICMPv6, ICMPType: 135}, false},
	} {
		if got := c.p.Answers(); got != c.want {
			t.Errorf("%+v answers: %v, want %v", c.p, got, c.want)
		}
	}
}

func TestPortIsPrintedAsSwitchesDo(t *testing.T) {
	if got := (mlids.Port{Switch: 0x1a, Number: 3}).String(); got != "000000000000001a:3" {
		t.Error(got)
	}
}
