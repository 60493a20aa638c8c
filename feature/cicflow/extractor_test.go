package cicflow

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"mlids"
	"mlids/feature"
)

var client, server = mlids.AddrFrom4([4]byte{10, 0, 0, 1}), mlids.AddrFrom4([4]byte{10, 0, 0, 2})

// tcp is a segment between client and server; a negative port of the client's means that it comes from the server.
func tcp(at float64, port int, flags mlids.TCPFlags, seq uint32, payload int) *mlids.Packet {
	p := &mlids.Packet{
		Time: int64(at * 1e9), Src: client, Dst: server, SrcPort: uint16(port), DstPort: 80, Proto: mlids.ProtoTCP,
		Flags: flags, Seq: seq, PayloadLen: uint32(payload), Header: 20, Window: 1000,
	}
	if port < 0 {
		p.Src, p.Dst, p.SrcPort, p.DstPort, p.Window = server, client, 80, uint16(-port), 500
	}
	return p
}

// run extracts rows of packets.
func run(t *testing.T, id string, packets ...*mlids.Packet) []Row {
	t.Helper()
	return runWith(t, Config{Schema: schema(t, id)}, packets...)
}

func runWith(t *testing.T, cfg Config, packets ...*mlids.Packet) []Row {
	t.Helper()
	var rows []Row
	x, err := New(cfg, func(r *Row) {
		c := *r
		c.Values = slices.Clone(r.Values)
		rows = append(rows, c)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		x.Add(p)
	}
	x.Flush()
	return rows
}

// expect compares some columns of a row.
func expect(t *testing.T, s *feature.Schema, r Row, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		i, ok := s.Index(name)
		if !ok || r.Values[i] != v {
			t.Errorf("%s is %v, want %v", name, r.Values[i], v)
		}
	}
}

const (
	F = mlids.FIN
	S = mlids.SYN
	R = mlids.RST
	A = mlids.ACK
	P = mlids.PSH
)

// TestV4Life: late packets stay with a closed connection, a SYN begins the next.
func TestV4Life(t *testing.T) {
	rows := run(t, "cicflow/v4",
		tcp(0, 9, S, 1, 0), tcp(1, -9, S|A, 1, 0), tcp(2, 9, F|A, 2, 0), tcp(3, -9, F|A, 2, 0), tcp(4, 9, A, 3, 0),
		tcp(5, -9, R, 3, 0), tcp(6, 9, S, 77, 0), tcp(7, -9, R|A, 0, 0))
	s := schema(t, "cicflow/v4")
	if len(rows) != 2 || rows[0].Reason != mlids.EndFIN || rows[1].Reason != mlids.EndRST {
		t.Fatalf("%d rows: %+v", len(rows), rows)
	}
	expect(t, s, rows[0], map[string]float64{
		"tot_fwd_pkts": 3, "tot_bwd_pkts": 3, "fin_flag_cnt": 2, "rst_flag_cnt": 1, "bwd_rst_flags": 1, "flow_duration": 5e6,
	})
	expect(t, s, rows[1], map[string]float64{"tot_fwd_pkts": 1, "tot_bwd_pkts": 1, "syn_flag_cnt": 1})
}

// TestV4Continued: a connection cut after 120 s keeps its direction, its age and its memory of packets, whether the next
// packet cuts it or the cut was long ago.
func TestV4Continued(t *testing.T) {
	for _, later := range []float64{121, 1000} {
		other := tcp(later-0.5, 10, S, 1, 0)
		rows := run(t, "cicflow/v4", tcp(0, 9, S, 1, 0), tcp(100, -9, A, 5, 10), other, tcp(later, -9, A, 5, 10))
		s := schema(t, "cicflow/v4")
		if len(rows) != 3 {
			t.Fatalf("%d rows", len(rows))
		}
		last := rows[slices.IndexFunc(rows, func(r Row) bool { return r.First == int64(later*1e9) })]
		if last.Key.Src != client {
			t.Errorf("a flow from %s, want one from the client", last.Key.Src)
		}
		expect(t, s, last, map[string]float64{
			"tot_fwd_pkts": 0, "tot_bwd_pkts": 1, "bwd_tcp_retrans_count": 1, "total_connection_flow_time": later * 1e6,
			"flow_byts_s": -1, "bwd_seg_size_min": 20,
		})
		if rows[0].Reason != mlids.EndActive {
			t.Errorf("the first ended for %s", rows[0].Reason)
		}
	}
}

// TestSooner: a sensor's shorter time-outs end flows early and keep the connection's direction.
func TestSooner(t *testing.T) {
	cfg := Config{Schema: schema(t, "cicflow/v4"), Idle: 30 * time.Second, Linger: 2 * time.Second}
	rows := runWith(t, cfg, tcp(0, 9, S, 1, 0), tcp(1, -9, R|A, 1, 0), tcp(1, 10, S, 1, 0), tcp(8, -9, R, 1, 0), tcp(50, 11, S, 1, 0))
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%s:%d %s", r.Key.Src, r.Key.SrcPort, r.Reason))
	}
	want := []string{"10.0.0.1:9 rst", "10.0.0.1:10 idle", "10.0.0.1:9 idle", "10.0.0.1:11 end"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestV4SYNACK: a capture that misses the SYN still knows who opened.
func TestV4SYNACK(t *testing.T) {
	rows := run(t, "cicflow/v4", tcp(0, -9, S|A, 1, 0), tcp(1, 9, A, 1, 0))
	if len(rows) != 1 || rows[0].Key.Src != client || rows[0].Wire.Src != server || rows[0].Wire.SrcPort != 80 {
		t.Errorf("got %+v", rows)
	}
}

// TestV4ID: ids keep naming the side first that spoke first on these ports, whoever begins later flows.
func TestV4ID(t *testing.T) {
	ping := func(at float64, fromServer bool, kind, code uint8) *mlids.Packet {
		p := tcp(at, 0, 0, 0, 0)
		if fromServer {
			p.Src, p.Dst = p.Dst, p.Src
		}
		p.Proto, p.ICMPType, p.ICMPCode, p.SrcPort, p.DstPort = mlids.ProtoICMP, kind, code, 0, 0
		return p
	}
	for name, packets := range map[string][]*mlids.Packet{
		"closed and opened from the other side": {tcp(0, 9, S, 1, 0), tcp(1, -9, R|A, 1, 0), tcp(2, -9, S, 5, 0)},
		"the same after the time-out":           {tcp(0, 9, S, 1, 0), tcp(1, -9, R|A, 1, 0), tcp(500, -9, S, 5, 0)},
		"another message":                       {ping(0, false, 8, 0), ping(1, true, 3, 3)},
		"silence":                               {ping(0, false, 8, 0), tcp(300, 99, S, 1, 0), ping(301, true, 8, 0)},
		"cut by the next packet":                {ping(0, false, 8, 0), ping(121, true, 8, 0)},
	} {
		rows := run(t, "cicflow/v4", packets...)
		last := rows[slices.IndexFunc(rows, func(r Row) bool { return r.Key.Src == server })]
		first := rows[slices.IndexFunc(rows, func(r Row) bool { return r.First == 0 })]
		if got, want := last.id(false), first.Key; got != want {
			t.Errorf("%s: the id names %+v, want %+v", name, got, want)
		}
	}
}

// Test2018 has the peculiarities of that dialect.
func Test2018(t *testing.T) {
	rows := run(t, "cicflow/2018",
		tcp(0, 9, S|P, 1, 10), tcp(1, -9, S|A, 1, 20), tcp(2, 9, A, 2, 30), tcp(3, 9, F|A, 2, 0), // ends it
		tcp(4, -9, F|A, 2, 0), tcp(5, 9, A, 3, 0), // another flow, from the server
		tcp(6, 11, S, 1, 0)) // one packet is none
	s := schema(t, "cicflow/2018")
	if len(rows) != 2 || rows[0].Reason != mlids.EndFIN || rows[1].Key.Src != server {
		t.Fatalf("%d rows: %+v", len(rows), rows)
	}
	expect(t, s, rows[0], map[string]float64{
		"tot_fwd_pkts": 3, "fin_flag_cnt": 0, "syn_flag_cnt": 1, "psh_flag_cnt": 1, "ack_flag_cnt": 0, "fwd_psh_flags": 1,
		"pkt_len_mean": 14, "pkt_size_avg": 17.5, "down_up_ratio": 0, "fwd_act_data_pkts": 1, "init_bwd_win_byts": 500,
		"subflow_fwd_pkts": 3, "subflow_bwd_byts": 20,
	})
}

// Test2018Continued: a flow goes on in its direction after 120 s, but its first packet counts forward even when it goes backward.
func Test2018Continued(t *testing.T) {
	for _, later := range []float64{121, 1000} {
		back := tcp(later, -9, A|P, 1, 40)
		back.Window = 77
		rows := run(t, "cicflow/2018", tcp(0, 9, S, 1, 0), tcp(1, -9, A, 5, 10), tcp(later-0.5, 10, S, 1, 0), back,
			tcp(later+1, -9, A, 9, 60), tcp(later+3, 9, A, 9, 0))
		if len(rows) != 2 {
			t.Fatalf("%d rows", len(rows))
		}
		if r := rows[1]; r.Key.Src != client || r.Wire.Src != server {
			t.Errorf("a flow from %s, its first packet from %s", r.Key.Src, r.Wire.Src)
		}
		expect(t, schema(t, "cicflow/2018"), rows[1], map[string]float64{
			"tot_fwd_pkts": 2, "tot_bwd_pkts": 1, "totlen_fwd_pkts": 40, "totlen_bwd_pkts": 60, "init_fwd_win_byts": 77,
			"fwd_psh_flags": 1, "fwd_act_data_pkts": 0, "fwd_iat_tot": 3e6, "bwd_iat_tot": 0, "fwd_header_len": 40,
		})
	}
}

// TestICMP: request and reply are one flow, other messages another; cicflow/2018 knows no protocol.
func TestICMP(t *testing.T) {
	icmp := func(at float64, fromServer bool, kind, code uint8) *mlids.Packet {
		p := tcp(at, 0, 0, 0, 56)
		if fromServer {
			p.Src, p.Dst = p.Dst, p.Src
		}
		p.Proto, p.ICMPType, p.ICMPCode, p.SrcPort, p.DstPort, p.Header = mlids.ProtoICMP, kind, code, 0, 0, 8
		return p
	}
	packets := []*mlids.Packet{icmp(0, false, 8, 0), icmp(1, true, 0, 0), icmp(2, true, 3, 1)}
	rows := run(t, "cicflow/v4", packets...)
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	expect(t, schema(t, "cicflow/v4"), rows[0], map[string]float64{
		"protocol": 1, "icmp_type": 8, "icmp_code": 0, "totlen_fwd_pkts": 0, "total_connection_flow_time": 0,
	})
	if rows[0].Wire.SrcPort != 8<<8 {
		t.Errorf("wire key %+v", rows[0].Wire)
	}
	rows = run(t, "cicflow/2018", packets...)
	if len(rows) != 1 {
		t.Fatalf("%d rows of 2018", len(rows))
	}
	expect(t, schema(t, "cicflow/2018"), rows[0], map[string]float64{"protocol": 0, "init_fwd_win_byts": -1, "tot_bwd_pkts": 2})
}

func TestSchemas(t *testing.T) {
	if _, err := New(Config{Schema: schema(t, "kdd99")}, nil); !errors.Is(err, ErrSchema) {
		t.Errorf("kdd99: %v", err)
	}
	s := schema(t, "cicflow/common")
	rows := run(t, "cicflow/common", tcp(0, 9, S, 1, 0), tcp(2, -9, S|A, 1, 7))
	if len(rows) != 1 || len(rows[0].Values) != len(s.Columns) {
		t.Fatalf("%d rows", len(rows))
	}
	expect(t, s, rows[0], map[string]float64{"totlen_bwd_pkts": 7, "flow_duration": 2e6, "fwd_header_len": 20})
}

// TestNoAllocations: neither packets nor rows cost memory once the tables have grown.
func TestNoAllocations(t *testing.T) {
	for _, id := range []string{"cicflow/v4", "cicflow/2018"} {
		s := schema(t, id)
		w := NewCSV(discard{}, s)
		x, err := New(Config{Schema: s, Timeout: time.Second}, func(r *Row) { _ = w.Write(r) })
		if err != nil {
			t.Fatal(err)
		}
		p := tcp(0, 9, A, 1, 5)
		round := func() {
			for i := range 2000 {
				p.Time += 1e6
				p.SrcPort, p.Seq = uint16(i%40), uint32(i)
				x.Add(p)
			}
		}
		round()
		if n := testing.AllocsPerRun(5, round); n > 5 {
			t.Errorf("%s: %v allocations for 2000 packets", id, n)
		}
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// FuzzExtractor: no packets make it fail, and no packet gets lost.
func FuzzExtractor(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"))
	schemas := []*feature.Schema{schema(f, "cicflow/v4"), schema(f, "cicflow/2018")}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, s := range schemas {
			w := NewCSV(discard{}, s)
			counted, fed := 0, 0
			x, err := New(Config{Schema: s, MaxFlows: 5}, func(r *Row) {
				counted += int(r.Values[8] + r.Values[9])
				if len(r.Values) != len(s.Columns) {
					t.Fatalf("%d values for %d columns", len(r.Values), len(s.Columns))
				}
				_ = w.Write(r)
			})
			if err != nil {
				t.Fatal(err)
			}
			now := int64(0)
			for b := data; len(b) >= 8; b = b[8:] {
				now += int64(int8(b[0])) << (b[1] & 63)
				p := tcp(0, int(b[2]&3)-1, mlids.TCPFlags(b[3]), uint32(b[4]), int(b[5])<<(b[5]&15))
				p.Time, p.Proto, p.ICMPType, p.ICMPCode = now, b[6]&31, b[7]&15, b[7]>>4
				p.Fragment, p.FirstFrag = b[1]&64 != 0, b[1]&128 != 0
				x.Add(p)
				fed++
			}
			x.Flush()
			if counted > fed || s.Version == "v4" && counted != fed {
				t.Fatalf("%s: %d packets in, %d counted", s.ID(), fed, counted)
			}
		}
	})
}
