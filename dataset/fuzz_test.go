package dataset_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"

	"mlids/dataset"
)

// tight are limits that a fuzzer reaches.
var tight = dataset.Limits{Rows: 1000, Columns: 64, Record: 4096, Memory: 1 << 20}

// sane checks what holds of every table.
func sane(t *testing.T, table *dataset.Table, err error) {
	t.Helper()
	if err != nil {
		for _, known := range []error{dataset.ErrSyntax, dataset.ErrColumn, dataset.ErrValue, dataset.ErrLimit, dataset.ErrLabel} {
			if errors.Is(err, known) {
				return
			}
		}
		t.Fatalf("error without sentinel: %v", err)
	}
	for i, column := range table.Columns {
		if column != nil && len(column) != table.Len() || table.Text[i] != nil && len(table.Text[i]) != table.Len() {
			t.Fatalf("column %d has %d values, %d texts for %d rows", i, len(column), len(table.Text[i]), table.Len())
		}
		for _, v := range column {
			if math.IsInf(float64(v), 0) {
				t.Fatal("an infinity came through")
			}
		}
	}
	if table.Label != nil && len(table.Label) != table.Len() {
		t.Fatalf("%d labels for %d rows", len(table.Label), table.Len())
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		asCSV, awkward, "\uFEFFpkts,rate,proto\r\n\"1\",\"\"\"\",6,,\r\n", ",pkts,rate,proto\n0,1,2,3\n,pkts,rate,proto\n", "1,2,3,4,5,6,7,a,b\n", "\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o := dataset.Options{Limits: tight, Extra: true, Text: true}
		table, err := dataset.ReadCSV(t.Context(), bytes.NewReader(text), small(t), o)
		sane(t, table, err)
		if err != nil {
			return
		}
		var again strings.Builder
		if err := dataset.WriteCSV(&again, table); err != nil {
			t.Fatal(err)
		}
		if len(text) > 0 && text[0] == 0x1f {
			return
		}
		slow, err := dataset.ReadCSV(t.Context(), iotest.HalfReader(bytes.NewReader(text)), small(t), o)
		if err != nil {
			t.Fatalf("other pieces, other result: %v", err)
		}
		if d := equalTables(slow, table); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, s := range splitForms {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := dataset.ReadSplit(t.Context(), bytes.NewReader(text), small(t), dataset.Options{Limits: tight})
		sane(t, table, err)
		d, notMade := dataset.NewSplitDecoder(small(t), small(t).Inputs(false), tight)
		if notMade != nil {
			t.Fatal(notMade)
		}
		rows, bad := d.Decode(text)
		if err == nil && (bad != nil || rows.N != table.Len() || len(rows.X) != 6*rows.N) {
			t.Fatalf("table of %d rows; decoder: %v, %v", table.Len(), rows, bad)
		}
		if bad != nil {
			return
		}
		for i := range rows.N {
			if raw := rows.Raw(i); raw[0] != '[' || raw[len(raw)-1] != ']' {
				t.Fatalf("row %d is %q", i, raw)
			}
		}
		if again, err := d.Decode(text); err != nil || again.N != rows.N {
			t.Fatalf("the second time: %v", err)
		}
		python := bytes.Contains(text, []byte("NaN")) || bytes.Contains(text, []byte("Infinity"))
		bom := bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("\uFEFF"))
		if !python && !bom && !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
			t.Fatal("this is not JSON")
		}
	})
}

func FuzzRecords(f *testing.F) {
	for _, s := range []string{asRecords, `{"pkts":1,"rate":null,"proto":"x","y":"\u0000"}`, `[{},{"pkts":[]}]`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := dataset.ReadRecords(t.Context(), bytes.NewReader(text), small(t), dataset.Options{Limits: tight})
		sane(t, table, err)
		d, notMade := dataset.NewRecordDecoder(small(t), small(t).Inputs(false), tight)
		if notMade != nil {
			t.Fatal(notMade)
		}
		rows, bad := d.Decode(text)
		if err == nil && (bad != nil || rows.N != table.Len() || len(rows.X) != 6*rows.N) {
			t.Fatalf("table of %d rows; decoder: %v, %v", table.Len(), rows, bad)
		}
	})
}

func FuzzParquet(f *testing.F) {
	f.Add(parquetBytes(f, asCSV))
	f.Fuzz(func(t *testing.T, file []byte) {
		table, err := readParquet(t, file, dataset.Options{Limits: tight, Extra: true, Text: true})
		sane(t, table, err)
	})
}

func FuzzClasses(f *testing.F) {
	f.Add("attack,class\nbenign,a\n*,b\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := dataset.ReadClasses(strings.NewReader(text), "c")
		if err == nil && len(c.Names) < 2 {
			t.Fatalf("classes are %q", c.Names)
		}
	})
}
