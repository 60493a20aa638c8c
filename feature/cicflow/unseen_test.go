package cicflow

import (
	"math"
	"slices"
	"testing"

	"mlids"
)

// udp is a datagram at a second.
func udp(at float64, payload int) *mlids.Packet {
	return &mlids.Packet{Time: int64(at * 1e9), Src: client, Dst: server, SrcPort: 5000, DstPort: 7777, Proto: mlids.ProtoUDP, PayloadLen: uint32(payload), Header: 8}
}

// Packets that a switch counted make the row that they would have made: in all columns that the built-in model reads, but for
// what rounding of times to microseconds does.
func TestUnseen(t *testing.T) {
	var all, some []*mlids.Packet
	for i := range 4001 { // a packet each millisecond; shown is the first half second
		p := udp(1+float64(i)/1000, 512)
		all = append(all, p)
		if i <= 500 {
			some = append(some, p)
		}
	}
	for _, s := range []struct {
		at float64
		n  uint32
	}{{2, 500}, {3, 1000}, {4, 1000}, {5, 1000}} {
		p := udp(s.at, 512)
		p.Unseen = s.n
		some = append(some, p)
	}
	for _, id := range []string{"cicflow/common", "cicflow/2018"} {
		want, got := run(t, id, all...), run(t, id, some...)
		if len(want) != 1 || len(got) != 1 {
			t.Fatalf("%s: %d rows, want %d", id, len(got), len(want))
		}
		skipped := []string{"subflow_fwd_pkts", "subflow_fwd_byts", "fwd_byts_b_avg", "fwd_pkts_b_avg", "fwd_blk_rate_avg"}
		for i, c := range schema(t, id).Columns {
			a, b := want[0].Values[i], got[0].Values[i]
			if math.Abs(a-b) > math.Max(1e-6*math.Abs(a), 0.5) && !slices.Contains(skipped, c.Name) {
				t.Errorf("%s: %s is %v, want %v", id, c.Name, b, a)
			}
		}
	}
	first := udp(1, 512)
	first.Unseen = 100
	if rows := run(t, "cicflow/common", first); len(rows) != 1 {
		t.Errorf("%d rows of a flow that only the switch saw", len(rows))
	} else {
		expect(t, schema(t, "cicflow/common"), rows[0], map[string]float64{"tot_fwd_pkts": 100, "totlen_fwd_pkts": 51200})
	}
}
