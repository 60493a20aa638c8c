package cicflow

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/feature"
	"mlids/internal/testdata"
)

// TestNumber: what is printed is the shortest text that reads back as the same bits, as strconv finds it.
func TestNumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	check := func(v float64) {
		text := string(appendNumber(nil, v))
		if want := strconv.FormatFloat(v, 'f', -1, 64); text != want && !math.IsInf(v, 0) {
			t.Fatalf("%x was printed as %s, want %s", v, text, want)
		}
		back, err := strconv.ParseFloat(text, 64)
		if err != nil || back != v && !(math.IsNaN(v) && math.IsNaN(back)) {
			t.Fatalf("%v was printed as %s", v, text)
		}
	}
	special := []float64{0, 1, -1, 9, 10, 99, 100, 999, 1000, 1 << 53, -1 << 60, 0.1, 1e300, 5e-324, 1e21, 0.5, 1.5, 1.0 / 64, 9.5}
	for _, v := range append(special, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 1e-7, 1<<52-0.5, 1<<52+0.5) {
		check(v)
		check(math.Nextafter(v, 0))
		check(math.Nextafter(v, math.Inf(1)))
	}
	for range 50_000 {
		check(math.Float64frombits(rng.Uint64()))
		check(float64(rng.IntN(1e6)) / float64(1+rng.IntN(50)))
		check(math.Ldexp(rng.Float64(), rng.IntN(60)-7))
		check(float64(rng.IntN(1e9)) / math.Pow10(rng.IntN(9)))
	}
}

func BenchmarkNumber(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	var values [1024]float64
	for i := range values {
		values[i] = float64(rng.IntN(1e8)) / float64(3+rng.IntN(40))
	}
	numbers := func(text func([]byte, float64) []byte) func(*testing.B) {
		return func(b *testing.B) {
			b.Helper()
			var buf [64]byte
			for i := 0; b.Loop(); i++ {
				text(buf[:0], values[i%len(values)])
			}
		}
	}
	b.Run("this", numbers(appendNumber))
	b.Run("strconv", numbers(func(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }))
}

func TestTime(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var p printer
	for range 10_000 {
		ns := rng.Int64N(4e18)
		if rng.IntN(4) == 0 {
			ns = -ns
		}
		for _, c := range []clock{isoMicros, britain} {
			want := time.Unix(0, ns).UTC().Format(layouts[c])
			if got := string(p.time(nil, ns, c)); got != want {
				t.Fatalf("%d ns: %s, want %s", ns, got, want)
			}
		}
	}
}

// TestInfinite: a model takes the rates of a flow without duration for missing, as in a table.
func TestInfinite(t *testing.T) {
	s := schema(t, "cicflow/2018")
	in, err := s.Resolve([]string{"flow_pkts_s", "flow_byts_s", "dst_port"})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range exampleRow(s).Vector(nil, in) {
		if v == v != (i == 2) {
			t.Errorf("input %d is %v", i, v)
		}
	}
}

// TestCSVIsTheVector reads printed rows as a trainer does and compares them with the live vectors, bit for bit.
func TestCSVIsTheVector(t *testing.T) {
	for _, id := range []string{"cicflow/v4", "cicflow/2018", "cicflow/common"} {
		s := schema(t, id)
		in := append(s.Inputs(true), s.DerivedInputs()...)
		var text bytes.Buffer
		w := NewCSV(&text, s)
		rows := extract(t, Config{Schema: s}, testdata.Path(t, "golden", "mix20k.pcap.gz"), true)
		for i := range rows {
			if err := w.Write(&rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(&text).ReadAll()
		if err != nil || len(records) != len(rows)+1 || len(records[0]) != len(s.Columns)+1 {
			t.Fatalf("%s: %d records for %d rows: %v", id, len(records), len(rows), err)
		}
		for i := range rows {
			for j, v := range rows[i].Vector(nil, in) {
				want, err := parsed(records[i+1], in[j])
				if err != nil || math.Float32bits(want) != math.Float32bits(v) {
					t.Fatalf("%s: row %d: %s is %v, printed as %s", id, i, in[j].Name, v, records[i+1][in[j].Column])
				}
			}
		}
	}
}

// parsed is the value of an input in a printed row.
func parsed(record []string, in feature.Input) (float32, error) {
	v, err := strconv.ParseFloat(record[in.Column], 64)
	if err != nil || in.Over == 0 {
		return feature.Float32(v), err
	}
	over, err := strconv.ParseFloat(record[in.Over-1], 64)
	return feature.Quotient(feature.Float32(v), feature.Float32(over)), err
}

// exampleRow is a row with numbers that JSON has no way to write.
func exampleRow(s *feature.Schema) *Row {
	r := &Row{
		Key: mlids.FlowKey{
			Src: mlids.AddrFrom4([4]byte{172, 16, 0, 9}), Dst: mlids.AddrFrom4([4]byte{10, 0, 0, 1}),
			SrcPort: 443, DstPort: 50000, Proto: 6,
		},
		First: 1518595200_000001000, Reason: mlids.EndFIN, Values: make([]float64, len(s.Columns)),
	}
	r.Wire = r.Key
	i, _ := s.Index("flow_pkts_s")
	r.Values[i] = math.Inf(1)
	i, _ = s.Index("flow_byts_s")
	r.Values[i] = math.NaN()
	return r
}

func TestWriterCSV(t *testing.T) {
	for id, want := range map[string][3]string{
		"cicflow/v4":   {"172.16.0.9-10.0.0.1-443-50000-6,172.16.0.9,", "2018-02-14 08:00:00.000001", ",NeedManualLabel\n"},
		"cicflow/2018": {"172.16.0.9-10.0.0.1-443-50000-6,172.16.0.9,", ",14/02/2018 08:00:00,", ",No Label\n"},
	} {
		var text strings.Builder
		s := schema(t, id)
		w := NewCSV(&text, s)
		r := exampleRow(s)
		_ = w.Write(r)
		r.Label = `DoS, "slow"`
		_ = w.Write(r)
		_ = w.Flush()
		got := text.String()
		for _, part := range append(want[:], "Flow ID,Src IP,", ",Label\n", ",NaN,Infinity,", `,"DoS, ""slow"""`+"\n") {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %q in\n%s", id, part, got)
			}
		}
	}
}

func TestWriterJSON(t *testing.T) {
	var text bytes.Buffer
	s := schema(t, "cicflow/v4")
	w := NewJSON(&text, s)
	r := exampleRow(s)
	r.Label = `a "b"`
	_ = w.Write(r)
	_ = w.Flush()
	var got map[string]any
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, text.String())
	}
	for k, v := range map[string]any{
		"src_ip": "172.16.0.9", "flow_pkts_s": nil, "label": `a "b"`, "end_reason": "fin", "fwd_iat_tot": 0.0,
		"timestamp": "2018-02-14 08:00:00.000001",
	} {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	if id, _ := got["community_id"].(string); !strings.HasPrefix(id, "1:") || len(got) != len(s.Columns)+3 {
		t.Errorf("%d keys, community id %q", len(got), id)
	}
}
