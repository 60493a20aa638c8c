package dataset_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mlids/dataset"
)

// roundTrips writes a table in every format and reads it back.
func roundTrips(t *testing.T, table *dataset.Table, o dataset.Options) map[string]*dataset.Table {
	t.Helper()
	out := map[string]*dataset.Table{}
	for name, write := range map[string]func(io.Writer, *dataset.Table) error{
		"t.csv": dataset.WriteCSV, "t.json": dataset.WriteSplit, "t.parquet": dataset.WriteParquet,
	} {
		path := filepath.Join(t.TempDir(), name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(write(f, table), f.Close()); err != nil {
			t.Fatal(err)
		}
		if out[name], err = dataset.Open(t.Context(), path, table.Schema, o); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// equalTables says how two tables differ.
func equalTables(a, b *dataset.Table) string {
	if a.Len() != b.Len() || !slices.Equal(labels(a), labels(b)) {
		return fmt.Sprintf("%d and %d rows, or labels differ", a.Len(), b.Len())
	}
	for i, c := range a.Schema.Columns {
		if a.Has(i) != b.Has(i) || !same(a.Columns[i], b.Columns[i]) {
			return fmt.Sprintf("column %s differs: %.9v… and %.9v…", c.Name, a.Columns[i][:min(3, a.Len())], b.Columns[i][:min(3, b.Len())])
		}
		if !slices.Equal(a.Text[i], b.Text[i]) {
			return fmt.Sprintf("text of %s differs: %.3q and %.3q", c.Name, a.Text[i], b.Text[i])
		}
	}
	return ""
}

const awkward = "who,when,port,pkts,rate,proto,label\n" +
	"\"a,b\",\"12:00\n\",80,1,0.1,6,\"say \"\"hi\"\"\"\n" +
	",é,,,1e39,,x\n" +
	"\"\r\",\"\u2028\",65535,-1e-30,1e30,tcp,\"\"\n"

func TestRoundTrips(t *testing.T) {
	for _, o := range []dataset.Options{{}, {Extra: true, Text: true}} {
		table := mustCSV(t, awkward, o)
		for name, got := range roundTrips(t, table, o) {
			if err := equalTables(got, table); err != "" {
				t.Errorf("%s: %s", name, err)
			}
		}
	}
}

func TestRoundTripOfEmptyTable(t *testing.T) {
	table := mustCSV(t, "pkts,rate,proto,label\n", dataset.Options{})
	for name, got := range roundTrips(t, table, dataset.Options{}) {
		if err := equalTables(got, table); err != "" || got.Label == nil {
			t.Errorf("%s: %s", name, err)
		}
	}
}

func TestWriteCSV(t *testing.T) {
	var b strings.Builder
	if err := dataset.WriteCSV(&b, mustCSV(t, awkward, dataset.Options{})); err != nil {
		t.Fatal(err)
	}
	want := "Tot Pkts,Pkts/s,Proto,label\n1,0.1,6,\"say \"\"hi\"\"\"\n,3.4028235e+38,,x\n-1e-30,1e+30,unseen,\n"
	if b.String() != want {
		t.Errorf("got %q; want %q", b.String(), want)
	}
}

// Every float32 survives being written and read.
func TestNumbersSurvive(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var text strings.Builder
	text.WriteString("pkts,rate,proto\n")
	var want []float32
	for len(want) < 20_000 {
		v := math.Float32frombits(r.Uint32())
		if v != v || math.IsInf(float64(v), 0) {
			continue
		}
		want = append(want, v)
		fmt.Fprintf(&text, "0,%g,6\n", v)
	}
	table := mustCSV(t, text.String(), dataset.Options{})
	copy(table.Columns[rate], want)
	for name, got := range roundTrips(t, table, dataset.Options{}) {
		if !same(got.Columns[rate], want) {
			t.Errorf("%s: numbers differ", name)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriteErrors(t *testing.T) {
	table := mustCSV(t, "pkts,rate,proto\n"+strings.Repeat("123456,7.89,6\n", 10_000), dataset.Options{})
	for name, write := range map[string]func(io.Writer, *dataset.Table) error{
		"CSV": dataset.WriteCSV, "JSON": dataset.WriteSplit, "Parquet": dataset.WriteParquet,
	} {
		if err := write(full{}, table); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: got %v; want the writer's error", name, err)
		}
	}
}

func parquetBytes(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := dataset.WriteParquet(&b, mustCSV(tb, text, dataset.Options{Extra: true, Text: true})); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}
