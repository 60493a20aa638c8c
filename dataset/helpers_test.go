package dataset_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"mlids/dataset"
	"mlids/feature"
)

var nan = float32(math.NaN())

func catalogue(tb testing.TB) *feature.Catalogue {
	tb.Helper()
	c, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func schema(tb testing.TB, id string) *feature.Schema {
	tb.Helper()
	s, err := catalogue(tb).Find(id)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// small is a schema with a column of every kind.
func small(tb testing.TB) *feature.Schema {
	tb.Helper()
	s, err := feature.New(feature.Schema{
		Name: "small", Version: "1", Label: []string{"label", "class"}, Headed: true,
		Columns: []feature.Column{
			{Name: "who", Header: "Who", Kind: feature.Text, Identity: true},
			{Name: "when", Header: "When", Kind: feature.Time, Identity: true},
			{Name: "port", Header: "Dst Port", Kind: feature.Integer, Identity: true, Aliases: []string{"Destination Port"}},
			{Name: "pkts", Header: "Tot Pkts", Kind: feature.Integer},
			{Name: "rate", Header: "Pkts/s", Kind: feature.Real},
			{Name: "proto", Header: "Proto", Kind: feature.Category, Categories: []string{"6", "17", "icmp"}},
			{Name: "late", Header: "Late", Kind: feature.Real, Optional: true},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Columns of small.
const (
	who = iota
	when
	port
	pkts
	rate
	proto
	late
)

func readCSV(tb testing.TB, text string, o dataset.Options) (*dataset.Table, error) {
	tb.Helper()
	if o.Name == "" {
		o.Name = "t.csv"
	}
	return dataset.ReadCSV(tb.Context(), strings.NewReader(text), small(tb), o)
}

func mustCSV(tb testing.TB, text string, o dataset.Options) *dataset.Table {
	tb.Helper()
	t, err := readCSV(tb, text, o)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func zip(tb testing.TB, text string) string {
	tb.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// same compares floats, NaN equal to NaN.
func same(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (a[i] == a[i] || b[i] == b[i]) {
			return false
		}
	}
	return true
}

// labels spells out the labels of a table's rows.
func labels(t *dataset.Table) []string {
	out := make([]string, len(t.Label))
	for i, k := range t.Label {
		out[i] = t.Labels[k]
	}
	return out
}
