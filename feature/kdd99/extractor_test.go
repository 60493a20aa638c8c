package kdd99

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/feature"
	"mlids/internal/testdata"
)

func TestSchemaIsRefused(t *testing.T) {
	for _, s := range []*feature.Schema{nil, {Name: "cicflow", Version: "v4"}, {Name: "kdd99", Version: "1"}} {
		if _, err := New(Config{Schema: s}, func(*Row) {}); !errors.Is(err, ErrSchema) {
			t.Errorf("got %v, want ErrSchema", err)
		}
	}
}

// addr is 10.0.0.n.
func addr(n byte) mlids.Addr { return mlids.AddrFrom4([4]byte{10, 0, 0, n}) }

// echo is an ICMP message at second s.
func echo(s float64, kind uint8, src, dst byte, size uint32) mlids.Packet {
	return mlids.Packet{
		Time: int64(s * 1e9), Src: addr(src), Dst: addr(dst), Proto: mlids.ProtoICMP, ICMPType: kind, Header: 8, PayloadLen: size,
	}
}

// datagram is a UDP packet at second s.
func datagram(s float64, src, dst byte, sport, dport uint16, size uint32) mlids.Packet {
	return mlids.Packet{
		Time: int64(s * 1e9), Src: addr(src), Dst: addr(dst), Proto: mlids.ProtoUDP, SrcPort: sport, DstPort: dport,
		Header: 8, PayloadLen: size,
	}
}

// printed prints rows as the data's files have them.
func printed(rows []Row) string {
	var b []byte
	for i := range rows {
		b = append(rows[i].AppendCSV(b), '\n')
	}
	return string(b)
}

// TestSmurf compares a flood of echo replies with the rows that the data have of one.
func TestSmurf(t *testing.T) {
	rows := extract(t, Config{}, func(add func(*mlids.Packet)) {
		for i := range 600 {
			p := echo(float64(i)*0.001, 0, byte(i%200+2), 1, 1024)
			add(&p)
		}
	})
	want := "0,icmp,ecr_i,SF,1032,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,511,511,0.00,0.00,0.00,0.00,1.00,0.00,0.00," +
		"255,255,1.00,0.00,1.00,0.00,0.00,0.00,0.00,0.00\n"
	if got := printed(rows[599:]); got != want || len(rows) != 600 {
		t.Errorf("%d rows, the last one\n%s, want\n%s", len(rows), got, want)
	}
}

// TestNeptune compares a SYN flood over many ports with the data's rows of one.
func TestNeptune(t *testing.T) {
	rows := extract(t, Config{}, func(add func(*mlids.Packet)) {
		for i := range 600 {
			p := mlids.Packet{
				Time: int64(i) * 1e7, Src: addr(7), Dst: addr(1), SrcPort: uint16(1000 + i), DstPort: uint16(i/20 + 600),
				Proto: mlids.ProtoTCP, Flags: mlids.SYN, Header: 20,
			}
			add(&p)
		}
	})
	want := "0,tcp,private,S0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,201,20,1.00,1.00,0.00,0.00,0.10,0.05,0.00," +
		"255,20,0.08,0.05,0.00,0.00,1.00,1.00,0.00,0.00\n"
	if got := printed(rows[599:]); got != want || len(rows) != 600 {
		t.Errorf("%d rows, the last one\n%s, want\n%s", len(rows), got, want)
	}
}

// TestUDP checks conversations, their time-out and both ways of naming their state.
func TestUDP(t *testing.T) {
	packets := []mlids.Packet{
		datagram(0, 1, 2, 1234, 53, 30), datagram(0.5, 2, 1, 53, 1234, 90), datagram(3.9, 1, 2, 1234, 53, 30),
		datagram(70, 1, 2, 1234, 53, 31), // 66 s later: another conversation
	}
	got := printed(extract(t, Config{}, each(packets)))
	if !strings.Contains(got, "3,udp,domain_u,SF,60,90,") || !strings.Contains(got, "0,udp,domain_u,SF,31,0,") {
		t.Errorf("got\n%s", got)
	}
	got = printed(extract(t, Config{Rules: Gure()}, each(packets)))
	if !strings.Contains(got, "3.900000,udp,domain_u,SF,60,90,") || !strings.Contains(got, "0.000000,udp,domain_u,S0,31,0,") {
		t.Errorf("by gureKddcup got\n%s", got)
	}
}

// fragment makes p a fragment from offset on.
func fragment(p mlids.Packet, offset uint16, size uint32) mlids.Packet {
	p.Fragment, p.FirstFrag, p.FragOffset, p.PayloadLen = true, offset == 0, offset/8, size
	if offset > 0 {
		p.Header = 0
	}
	return p
}

// TestFragments compares the attacks teardrop and pod, and honest fragments, with the data's rows.
func TestFragments(t *testing.T) {
	udp, ping := datagram(0, 1, 2, 1, 700, 0), echo(0, 0, 1, 2, 0)
	for _, c := range []struct {
		name    string
		packets []mlids.Packet
		want    string
	}{
		{"teardrop", []mlids.Packet{fragment(udp, 0, 28), fragment(udp, 24, 4)}, "0,udp,private,SF,28,0,0,1,"},
		{"pod", []mlids.Packet{fragment(ping, 0, 1472), fragment(ping, 1480, 1480), fragment(ping, 65120, 1000)}, "0,icmp,ecr_i,SF,1480,0,0,1,"},
		{"honest", []mlids.Packet{fragment(udp, 0, 1472), fragment(udp, 1480, 1000)}, "0,udp,private,SF,2472,0,0,0,"},
	} {
		if got := printed(extract(t, Config{}, each(c.packets))); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s, want %s …", c.name, got, c.want)
		}
	}
}

// TestBytesBySequence counts what is sent again once, what the capture lost too, and lying numbers not at all.
func TestBytesBySequence(t *testing.T) {
	base := dialogue(3306, "> 0123456789", "> abcdefghij", "< answer")
	clone := func(i int, change func(*mlids.Packet)) []mlids.Packet {
		out := append([]mlids.Packet(nil), base...)
		change(&out[i])
		return out
	}
	again := append(append([]mlids.Packet(nil), base[:5]...), base[3:]...)
	for _, c := range []struct {
		name     string
		packets  []mlids.Packet
		src, dst float64
	}{
		{"as it is", base, 20, 6},
		{"sent again", again, 20, 6},
		{"lost", append(append([]mlids.Packet(nil), base[:3]...), base[4:]...), 20, 6},
		{"lost at the end", append(append([]mlids.Packet(nil), base[:4]...), base[5:]...), 20, 6},
		{"out of order", append(append(append([]mlids.Packet(nil), base[:3]...), base[4], base[3]), base[5:]...), 20, 6},
		{"wild number", clone(4, func(p *mlids.Packet) { p.Seq += 1 << 30 }), 20, 6},
		{"payload in a reset", append(append([]mlids.Packet(nil), base[:6]...), func() mlids.Packet {
			p := base[5]
			p.Flags, p.Seq = mlids.RST, p.Seq+1000
			return p
		}()), 20, 6},
	} {
		rows := extract(t, Config{}, each(c.packets))
		if len(rows) != 1 || rows[0].Values[4] != c.src || rows[0].Values[5] != c.dst {
			t.Errorf("%s: got\n%s, want %v and %v bytes", c.name, printed(rows), c.src, c.dst)
		}
	}
}

// TestChecksumIsObeyed drops a damaged packet as its receiver does: the answer is not seen, the damage is.
func TestChecksumIsObeyed(t *testing.T) {
	packets := dialogue(23)[:2]
	packets[1].BadChecksum = true
	packets[1].Flags = mlids.RST
	rows := extract(t, Config{}, each(packets))
	if len(rows) != 1 || rows[0].Flag != S0 || value(t, &rows[0], "wrong_fragment") != 1 {
		t.Errorf("got\n%s", printed(rows))
	}
}

func TestLandAndUrgent(t *testing.T) {
	p := mlids.Packet{Src: addr(1), Dst: addr(1), SrcPort: 23, DstPort: 23, Proto: mlids.ProtoTCP, Flags: mlids.SYN | mlids.URG}
	rows := extract(t, Config{}, each([]mlids.Packet{p}))
	if value(t, &rows[0], "land") != 1 || value(t, &rows[0], "urgent") != 1 {
		t.Errorf("got\n%s", printed(rows))
	}
}

// TestEnds checks when connections end, and why.
func TestEnds(t *testing.T) {
	done := dialogue(80, "> GET / HTTP/1.0\r\n\r\n", "< HTTP/1.0 200 OK\r\n\r\n")
	open := done[:5]
	for _, c := range []struct {
		name    string
		packets []mlids.Packet
		after   time.Duration
		reason  mlids.EndReason
		rows    int
	}{
		{"closed", done, 6 * time.Second, mlids.EndFIN, 1},
		{"closed, waiting for late packets", done, 4 * time.Second, mlids.EndFIN, 0},
		{"attempt", done[:1], 6 * time.Second, mlids.EndIdle, 1},
		{"attempt, waiting for the answer", done[:1], 4 * time.Second, mlids.EndIdle, 0},
		{"open", open, 299 * time.Second, mlids.EndIdle, 0},
		{"silent", open, 301 * time.Second, mlids.EndIdle, 1},
	} {
		var reasons []mlids.EndReason
		x := extractor(t, Config{}, func(r *Row) { reasons = append(reasons, r.Reason) })
		each(c.packets)(x.Add)
		x.Advance(c.packets[len(c.packets)-1].Time + int64(c.after))
		if len(reasons) != c.rows || c.rows > 0 && reasons[0] != c.reason {
			t.Errorf("%s: ended by %v after %v, want %d times %v", c.name, reasons, c.after, c.rows, c.reason)
		}
	}
}

// TestReopen uses the ports of a closed connection again within its time-out.
func TestReopen(t *testing.T) {
	first, second := dialogue(80, "> a"), dialogue(80, "> bc")
	for i := range second {
		second[i].Time += 1e9
		second[i].Seq += 77777
		second[i].Ack += 77777
	}
	rows := extract(t, Config{}, each(append(first, second...)))
	if len(rows) != 2 || rows[0].Flag != SF || rows[1].Values[4] != 2 {
		t.Errorf("got\n%s", printed(rows))
	}
}

// TestForgottenWindows has a history too short for a silent connection: its counts are kept.
func TestForgottenWindows(t *testing.T) {
	var last Row
	x := extractor(t, Config{History: minHistory}, func(r *Row) { last = *r })
	each(dialogue(80, "> a")[:4])(x.Add)
	for i := range 3000 {
		p := echo(1e9+float64(i)/1e4, 8, 3, 4, 0)
		x.Add(&p)
	}
	x.Flush()
	if s := x.Stats(); s.Forgotten != 1 || last.Service != HTTP || last.Values[22] != 1 || last.Values[28] != 1 {
		t.Errorf("%d forgotten, last row %s", s.Forgotten, last.AppendCSV(nil))
	}
}

// TestStats counts what came in and out.
func TestStats(t *testing.T) {
	rows := 0
	x := extractor(t, Config{}, func(*Row) { rows++ })
	each(dialogue(80, "> a"))(x.Add)
	ping, sctp := echo(1e9+1, 8, 1, 2, 0), mlids.Packet{Time: 1e18 + 2e9, Proto: mlids.ProtoSCTP}
	x.Add(&ping)
	x.Add(&sctp)
	x.Flush()
	s := x.Stats()
	if s.Packets != 8 || s.Flows != 2 || s.Open != 0 || s.Ignored != 1 || s.Ended[mlids.EndFIN] != 1 || rows != 2 {
		t.Errorf("%+v, %d rows", s, rows)
	}
}

// TestInspectorsAreBounded opens more texts than there are inspectors.
func TestInspectorsAreBounded(t *testing.T) {
	var p inspectors
	for range maxInspectors {
		if p.take(ftpDialog) == 0 {
			t.Fatal("refused too early")
		}
	}
	if p.take(ftpDialog) != 0 || p.denied != 1 {
		t.Error("no bound")
	}
	p.give(5)
	if p.take(httpDialog) != 5 || p.at(5).dialog != httpDialog {
		t.Error("an inspector given back is not lent again")
	}
}

// TestEveryCaptureFullSize reads all captures by both rules: each row has all columns, in their ranges. Floods take gureKddcup's
// unbounded window long, so that sees the beginning of each only.
func TestEveryCaptureFullSize(t *testing.T) {
	testdata.FullSize(t)
	const beginning = 3000
	s := schema(t)
	err := filepath.WalkDir(testdata.Path(t, "pcap"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, ".pcap") && !strings.HasSuffix(path, ".cap") {
			return err
		}
		data := extractor(t, Config{}, func(r *Row) { checkRow(t, s, r) })
		gure := extractor(t, Config{Rules: Gure()}, func(r *Row) { checkRow(t, s, r) })
		n := 0
		readPackets(t, path, false, func(p *mlids.Packet) {
			data.Add(p)
			if n++; n <= beginning {
				gure.Add(p)
			}
		})
		data.Flush()
		gure.Flush()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkRow(t *testing.T, s *feature.Schema, r *Row) {
	t.Helper()
	if len(r.Values) != columns {
		t.Fatalf("%d columns", len(r.Values))
	}
	for i, c := range s.Columns {
		v := r.Values[i]
		bad := v < 0 || v != v || c.Kind == feature.Real && v > 1 || c.Kind == feature.Flag && v > 1
		if bad || c.Kind == feature.Category && int(v) >= len(c.Categories) {
			t.Errorf("%s is %v", c.Name, v)
		}
	}
}

// FuzzExtractor makes packets of any bytes.
func FuzzExtractor(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Add([]byte{6, 1, 2, 3, 21, 2, 9, 9, 9, 0, 6, 2, 1, 21, 3, 18, 8, 8, 8, 1})
	s := schema(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := New(Config{Schema: s, MaxFlows: 8, History: 1}, func(r *Row) { checkRow(t, s, r) })
		if err != nil {
			t.Fatal(err)
		}
		for now := int64(1e18); len(b) >= 10; b = b[10:] {
			now += (int64(b[6]) - 8) * 1e8
			p := mlids.Packet{
				Time: now, Proto: [...]uint8{6, 6, 6, 17, 1, 58, 132}[b[0]%7], Src: addr(b[1] % 3), Dst: addr(b[2] % 3),
				SrcPort: uint16(b[3]), DstPort: uint16(b[4]), Flags: mlids.TCPFlags(b[5]), Seq: uint32(b[7]) << (b[8] % 25),
				ICMPType: b[4], Fragment: b[9]&1 != 0, FirstFrag: b[9]&2 != 0, FragOffset: uint16(b[8]) << 5,
				BadChecksum: b[9]&4 != 0, BadLength: b[9]&8 != 0, PayloadLen: uint32(b[8]) << (b[9] >> 4), Header: 8,
			}
			p.Payload = b[:min(len(b), int(p.PayloadLen))]
			x.Add(&p)
		}
		x.Flush()
	})
}
