package kdd99

import "mlids"

// dialogue makes the packets of a TCP connection to a port in which both sides say lines: "> " the client, "< " the
// server. It is opened and closed properly.
func dialogue(port uint16, lines ...string) []mlids.Packet {
	t := &talk{port: port, seq: [2]uint32{1000, 5000}}
	t.say(0, mlids.SYN, "")
	t.say(1, mlids.SYN|mlids.ACK, "")
	t.say(0, mlids.ACK, "")
	for _, l := range lines {
		side := 0
		if l[0] == '<' {
			side = 1
		}
		t.say(side, mlids.ACK|mlids.PSH, l[2:])
	}
	t.say(0, mlids.FIN|mlids.ACK, "")
	t.say(1, mlids.FIN|mlids.ACK, "")
	return t.packets
}

type talk struct {
	port    uint16
	seq     [2]uint32
	packets []mlids.Packet
}

func (t *talk) say(side int, flags mlids.TCPFlags, text string) {
	client, server := mlids.AddrFrom4([4]byte{10, 0, 0, 1}), mlids.AddrFrom4([4]byte{10, 0, 0, 2})
	p := mlids.Packet{
		Time: 1e18 + int64(len(t.packets))*1e7, Src: client, Dst: server, SrcPort: 40000, DstPort: t.port,
		Proto: mlids.ProtoTCP, Flags: flags, Seq: t.seq[side], Ack: t.seq[1-side], Header: 20,
		Payload: []byte(text), PayloadLen: uint32(len(text)),
	}
	if side == 1 {
		p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	}
	t.seq[side] += p.PayloadLen
	if flags&(mlids.SYN|mlids.FIN) != 0 {
		t.seq[side]++
	}
	t.packets = append(t.packets, p)
}

// each hands packets out one by one.
func each(packets []mlids.Packet) func(func(*mlids.Packet)) {
	return func(add func(*mlids.Packet)) {
		for i := range packets {
			add(&packets[i])
		}
	}
}
