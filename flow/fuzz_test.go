package flow

import (
	"encoding/binary"
	"testing"
	"time"

	"mlids"
)

// FuzzTable feeds packets made of bytes: few hosts and ports, so that flows meet, and times that leap to and fro.
func FuzzTable(f *testing.F) {
	f.Add([]byte{}, uint8(0))
	f.Add([]byte("\x00\x01\x06\x02\x10\x00\x00\x01\x06\x12\x11\x00\x80\x01\x11\x00\x7f\xff"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, limits uint8) {
		cfg := Config{
			MaxFlows: 1 + int(limits&7), Idle: time.Duration(limits>>3&3) * time.Second,
			Active: time.Duration(limits>>5&3) * 3 * time.Second,
		}
		h := &counter{tcp: limits&0x80 != 0}
		table := New(cfg, h)
		packets, now := 0, int64(0)
		for ; len(data) >= 6; data = data[6:] {
			p := fuzzPacket(data, &now)
			table.Add(p)
			packets++
			if open := table.Stats().Open; open > cfg.MaxFlows {
				t.Fatalf("%d flows are open, %d allowed", open, cfg.MaxFlows)
			}
		}
		table.Flush()
		counted := 0
		for _, e := range h.ends {
			counted += e.packets
		}
		if s := table.Stats(); counted != packets || s.Open != 0 || s.Flows != uint64(len(h.ends)) || table.index.n != 0 {
			t.Fatalf("%d packets in, %d counted: %+v, %d in the index", packets, counted, s, table.index.n)
		}
	})
}

// fuzzPacket makes a packet of six bytes.
func fuzzPacket(b []byte, now *int64) *mlids.Packet {
	step := int64(int16(binary.LittleEndian.Uint16(b[4:])))
	if b[3]&1 != 0 {
		step <<= 40 // hours
	} else {
		step <<= 20 // milliseconds
	}
	*now += step
	p := udp(0, b[0]&3, b[0]>>2&3, uint16(b[1]&3), uint16(b[1]>>2&3))
	p.Time = *now
	p.Proto = [...]uint8{mlids.ProtoUDP, mlids.ProtoTCP, mlids.ProtoICMP, mlids.ProtoICMPv6, 47}[int(b[2])%5]
	p.Flags, p.ICMPType, p.ICMPID = mlids.TCPFlags(b[3]), b[3]&31, uint16(b[1]>>6)
	p.Seq, p.Ack = uint32(b[1]), uint32(b[2])
	return p
}
