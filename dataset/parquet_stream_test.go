package dataset_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"mlids/dataset"
	"mlids/feature"
)

// streamSchema has a column of each kind; headed files of it begin with a header.
func streamSchema(tb testing.TB, headed bool) *feature.Schema {
	tb.Helper()
	s, err := feature.New(feature.Schema{
		Name: "t", Version: "1", Headed: headed, Label: []string{"label"},
		Columns: []feature.Column{
			{Name: "who", Header: "Who", Kind: feature.Text}, {Name: "us", Kind: feature.Integer},
			{Name: "rate", Kind: feature.Real}, {Name: "proto", Kind: feature.Category, Categories: []string{"tcp", "udp"}},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// parquetRows are the rows of a file, after a check of its columns' names.
func parquetRows(tb testing.TB, file []byte, columns string) []parquet.Row {
	tb.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, c := range f.Root().Columns() {
		names = append(names, c.Name())
	}
	if got := strings.Join(names, " "); got != columns {
		tb.Errorf("columns %s, want %s", got, columns)
	}
	var all []parquet.Row
	for _, g := range f.RowGroups() {
		rows, batch := g.Rows(), make([]parquet.Row, 100)
		for err == nil {
			var n int
			n, err = rows.ReadRows(batch)
			for _, row := range batch[:n] {
				all = append(all, row.Clone())
			}
		}
		if !errors.Is(err, io.EOF) {
			tb.Fatal(err)
		}
		err = rows.Close()
	}
	return all
}

// Numbers are as exact as in the text, which float32 would not be.
func TestStreamParquet(t *testing.T) {
	text := "Who,us,rate,proto,Label\n" +
		"a-b,119999999,0.1,tcp,\"x, y\"\n" +
		",9007199254740993,NaN,udp,\n" +
		"c,-1,Infinity,,z\n"
	var file bytes.Buffer
	if err := dataset.StreamParquet(t.Context(), &file, strings.NewReader(text), streamSchema(t, true), "flows"); err != nil {
		t.Fatal(err)
	}
	rows := parquetRows(t, file.Bytes(), "Who us rate proto label")
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	r := rows[0]
	if string(r[0].ByteArray()) != "a-b" || r[1].Int64() != 119999999 || r[2].Double() != 0.1 || string(r[3].ByteArray()) != "tcp" || string(r[4].ByteArray()) != "x, y" {
		t.Errorf("the first row is %+v", r)
	}
	r = rows[1]
	if !r[0].IsNull() || r[1].Int64() != 9007199254740993 || !math.IsNaN(r[2].Double()) || !r[4].IsNull() {
		t.Errorf("the second row is %+v", r)
	}
	if r = rows[2]; r[1].Int64() != -1 || !math.IsInf(r[2].Double(), 1) || !r[3].IsNull() {
		t.Errorf("the third row is %+v", r)
	}
}

// Without rows there is a file without rows, with header or without; many rows come in groups.
func TestStreamParquetSizes(t *testing.T) {
	const many = 40_000
	for name, c := range map[string]struct {
		text, columns string
		headed        bool
		rows          int
	}{
		"nothing":     {"", "Who us rate proto", false, 0},
		"header only": {"Who,us,rate,proto,Label\n", "Who us rate proto label", true, 0},
		"no header":   {"a,1,2,tcp\n", "Who us rate proto", false, 1},
		"many":        {strings.Repeat("a,1,2.5,tcp,l\n", many), "Who us rate proto label", false, many},
	} {
		var file bytes.Buffer
		if err := dataset.StreamParquet(t.Context(), &file, strings.NewReader(c.text), streamSchema(t, c.headed), "flows"); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if rows := parquetRows(t, file.Bytes(), c.columns); len(rows) != c.rows {
			t.Errorf("%s: %d rows, want %d", name, len(rows), c.rows)
		}
	}
}

func TestStreamParquetRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"a,1,2,tcp\na,1,2\n":     "flows:2: malformed input: 3 fields, want 4",
		"a,1.5,2,tcp\n":          "flows:1: wrong value: column 2",
		"a,1,x,tcp\n":            "column 3",
		"a,\"1,2,tcp\n":          "flows:1",
		"a,1,2,tcp,l,m\na,1,2\n": "6 fields, want 5",
	} {
		err := dataset.StreamParquet(t.Context(), io.Discard, strings.NewReader(text), streamSchema(t, false), "flows")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want %q", text, err, says)
		}
	}
}
