package report

import (
	"fmt"
	"strings"
	"testing"

	"mlids/dataset"
	"mlids/feature"
)

// schemaOf makes a schema of numeric columns; a name that ends in ! is one of identity, ? one of text, and a|b|c a
// category called a.
func schemaOf(tb testing.TB, names ...string) *feature.Schema {
	tb.Helper()
	s := feature.Schema{Name: "test", Version: "1", Label: []string{"label"}}
	for _, name := range names {
		c := feature.Column{Name: strings.TrimRight(name, "!?"), Kind: feature.Real, Optional: true}
		if strings.HasSuffix(name, "!") {
			c.Identity = true
		}
		if strings.HasSuffix(name, "?") {
			c.Identity, c.Kind = true, feature.Text
		}
		if parts := strings.Split(name, "|"); len(parts) > 1 {
			c.Name, c.Kind, c.Categories = parts[0], feature.Category, parts
		}
		s.Columns = append(s.Columns, c)
	}
	made, err := feature.New(s)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

// read reads CSV with all its columns.
func read(tb testing.TB, csv string, names ...string) *dataset.Table {
	tb.Helper()
	o := dataset.Options{Inputs: []feature.Input{}, Extra: true, Text: true, Name: "test.csv"}
	t, err := dataset.ReadCSV(tb.Context(), strings.NewReader(csv), schemaOf(tb, names...), o)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func inspect(tb testing.TB, t *dataset.Table, o Options) *DataReport {
	tb.Helper()
	r, err := Inspect(tb.Context(), t, o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func column(tb testing.TB, r *DataReport, name string) Column {
	tb.Helper()
	for _, c := range r.Columns {
		if c.Name == name {
			return c
		}
	}
	tb.Fatalf("no column %q", name)
	return Column{}
}

// rows makes CSV of n rows.
func rows(header string, n int, row func(i int) string) string {
	var b strings.Builder
	fmt.Fprintln(&b, header)
	for i := range n {
		fmt.Fprintln(&b, row(i))
	}
	return b.String()
}
