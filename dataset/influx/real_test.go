package influx_test

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mlids/dataset"
	"mlids/dataset/influx"
	"mlids/feature"
	"mlids/internal/influxtest"
	"mlids/internal/testdata"
)

// everything is what data copy reads.
var everything = dataset.Options{Inputs: []feature.Input{}, Extra: true, Text: true}

func schemaOf(tb testing.TB, id string) *feature.Schema {
	tb.Helper()
	c, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	s, err := c.Find(id)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func client(tb testing.TB, source string) *influx.Client {
	tb.Helper()
	a, err := influx.Parse(source, nil)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := influx.New(a, influx.Deps{Patience: 5 * time.Second})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// text is a table as CSV.
func text(tb testing.TB, t *dataset.Table) string {
	tb.Helper()
	var b strings.Builder
	if err := dataset.WriteCSV(&b, t); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// fingerprint is what learners see of a table.
func fingerprint(tb testing.TB, t *dataset.Table) string {
	tb.Helper()
	set, err := t.Set(nil, dataset.ClassesOf(t.Schema))
	if err != nil {
		tb.Fatal(err)
	}
	return set.Fingerprint()
}

// sameTable compares all numbers by their bits, all texts and all labels.
func sameTable(t *testing.T, got, want *dataset.Table) {
	t.Helper()
	if got.Len() != want.Len() || !slices.Equal(got.Labels, want.Labels) || !slices.Equal(got.Label, want.Label) {
		t.Errorf("%d rows with the labels %q, want %d with %q in their order", got.Len(), got.Labels, want.Len(), want.Labels)
	}
	bits := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
	for i, c := range want.Schema.Columns {
		if !slices.EqualFunc(got.Columns[i], want.Columns[i], bits) || !slices.Equal(got.Text[i], want.Text[i]) {
			t.Errorf("column %s is another", c.Name)
		}
	}
}

// kdd opens the KDD table; short tests and those with the race detector take its first 20,000 rows.
func kdd(tb testing.TB, o dataset.Options) *dataset.Table {
	tb.Helper()
	path := testdata.Path(tb, "kdd99", "kddcup.data_10_percent.gz")
	if !testing.Short() && !testdata.Race {
		t, err := dataset.Open(tb.Context(), path, schemaOf(tb, "kdd99"), o)
		if err != nil {
			tb.Fatal(err)
		}
		return t
	}
	file, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	t, err := dataset.ReadCSV(tb.Context(), firstLines(tb, file, 20_000), schemaOf(tb, "kdd99"), o)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func TestKDDThereAndBack(t *testing.T) {
	server := influxtest.Start(t, "")
	there := kdd(t, everything)
	to := client(t, server.URL("kdd", "measurement=traffic"))
	start := time.Now()
	w, err := to.Write(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("wrote %d rows, %.0f rows/s", w.Rows, float64(w.Rows)/time.Since(start).Seconds())
	if w.Counted != there.Len() {
		t.Errorf("the server counts %d rows, want %d", w.Counted, there.Len())
	}
	start = time.Now()
	back, err := to.Read(t.Context(), there.Schema, everything)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read %d rows, %.0f rows/s", back.Len(), float64(back.Len())/time.Since(start).Seconds())
	sameTable(t, back, there)
	if fingerprint(t, back) != fingerprint(t, there) {
		t.Error("learners see another set")
	}
	counts := server.Shell(t, "kdd", `SELECT COUNT(src_bytes) FROM traffic GROUP BY "attack_type"`)
	if !strings.Contains(counts, "attack_type=normal") || strings.Count(counts, "tags:") != len(there.Labels) {
		t.Errorf("GROUP BY attack_type gives\n%s", counts)
	}
}
