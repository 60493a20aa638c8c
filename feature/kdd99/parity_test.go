package kdd99_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"mlids"
	"mlids/capture"
	"mlids/dataset"
	"mlids/feature"
	"mlids/feature/kdd99"
	"mlids/internal/testdata"
)

func schema(tb testing.TB) *feature.Schema {
	tb.Helper()
	all, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := all.Find("kdd99/1")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// read runs a capture through an extractor.
func read(tb testing.TB, cfg kdd99.Config, path string, emit func(*kdd99.Row)) {
	tb.Helper()
	x, err := kdd99.New(cfg, emit)
	if err != nil {
		tb.Fatal(err)
	}
	src, err := capture.Open(path, capture.FileConfig{})
	if err != nil {
		tb.Fatal(err)
	}
	defer src.Close()
	dec := capture.NewDecoder(capture.DecoderConfig{})
	if err := capture.Run(tb.Context(), src, dec, func(p *mlids.Packet) error { x.Add(p); return nil }); err != nil {
		tb.Fatal(err)
	}
	x.Flush()
}

// TestPrintedRowsGiveTheSameVectors prints rows, reads them as a trainer does, and compares with the live vectors, bit by
// bit.
func TestPrintedRowsGiveTheSameVectors(t *testing.T) {
	s := schema(t)
	inputs := s.Inputs(false)
	for _, rules := range []kdd99.Rules{kdd99.KDD99(), kdd99.Gure()} {
		var live []float32
		var text bytes.Buffer
		w := kdd99.NewCSV(&text, s)
		w.Unlabelled = "normal."
		for _, file := range [][]string{{"zeek-btest", "wikipedia.pcap"}, {"chrissanders", "synscan.pcapng"}, {"mikelhpdatke", "normal.pcap"}} {
			path := testdata.Path(t, append([]string{"pcap"}, file...)...)
			read(t, kdd99.Config{Schema: s, Rules: rules}, path, func(r *kdd99.Row) {
				live = r.Vector(live, inputs)
				if err := w.Write(r); err != nil {
					t.Fatal(err)
				}
			})
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		table, err := dataset.ReadCSV(t.Context(), &text, s, dataset.Options{})
		if err != nil {
			t.Fatal(err)
		}
		printed, err := table.AppendRows(nil, inputs, 0, table.Len())
		if err != nil {
			t.Fatal(err)
		}
		same := slices.EqualFunc(live, printed, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
		if !same || table.Len() < 1000 {
			t.Errorf("%d live numbers differ from %d printed ones of %d rows", len(live), len(printed), table.Len())
		}
	}
}

// TestJSON reads a line back.
func TestJSON(t *testing.T) {
	s := schema(t)
	var text bytes.Buffer
	w := kdd99.NewJSON(&text)
	read(t, kdd99.Config{Schema: s}, testdata.Path(t, "pcap", "zeek-btest", "http-vlan-0.pcap"), func(r *kdd99.Row) {
		r.Label = `odd "label"`
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"service": "http", "flag": "SF", "src_bytes": 136.0, "dst_bytes": 5007.0, "same_srv_rate": 1.0, "end_reason": "fin",
		"dst_port": 80.0, "label": `odd "label"`, "src_ip": "141.142.228.5", "dst_ip": "192.150.187.43",
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	if len(got) != 41+9 {
		t.Errorf("%d members, want 50", len(got))
	}
}

// TestSameTwice reads a capture twice: the rows and their order are the same.
func TestSameTwice(t *testing.T) {
	path := testdata.Path(t, "pcap", "mikelhpdatke", "normal.pcap")
	var out [2][]byte
	for i := range out {
		read(t, kdd99.Config{Schema: schema(t)}, path, func(r *kdd99.Row) { out[i] = append(r.AppendJSON(out[i]), '\n') })
	}
	if !bytes.Equal(out[0], out[1]) || len(out[0]) == 0 {
		t.Error("the same capture gives other rows")
	}
}

// A telnet connection is refused: SYN, then RST.
func ExampleNew() {
	all, err := feature.Schemas()
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := all.Find("kdd99")
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := kdd99.New(kdd99.Config{Schema: s}, func(r *kdd99.Row) {
		fmt.Printf("%s\n", r.AppendCSV(nil))
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	a, b := mlids.AddrFrom4([4]byte{10, 0, 0, 1}), mlids.AddrFrom4([4]byte{10, 0, 0, 2})
	x.Add(&mlids.Packet{Src: a, Dst: b, SrcPort: 40000, DstPort: 23, Proto: mlids.ProtoTCP, Flags: mlids.SYN})
	x.Add(&mlids.Packet{Src: b, Dst: a, SrcPort: 23, DstPort: 40000, Proto: mlids.ProtoTCP, Flags: mlids.RST, Time: 1e6})
	x.Flush()
	// Output:
	// 0,tcp,telnet,REJ,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,0.00,0.00,1.00,1.00,1.00,0.00,0.00,1,1,1.00,0.00,1.00,0.00,0.00,0.00,1.00,1.00
}
