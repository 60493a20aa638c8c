package dataset

import (
	"bytes"
	"strings"
	"testing"

	"mlids/feature"
)

func TestInfinitiesAreCounted(t *testing.T) {
	s, err := feature.New(feature.Schema{Name: "t", Version: "1", Columns: []feature.Column{{Name: "a"}, {Name: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	csv := "a,b\n1,inf\n-Infinity,\nNaN, +Inf \n"
	table, err := ReadCSV(t.Context(), strings.NewReader(csv), s, Options{})
	wantInfinite(t, "CSV", table, err)
	json := `{"columns":["a","b"],"index":[0,1,2],"data":[[1,"inf"],["-Infinity",null],[null,"Infinity"]]}`
	table, err = ReadSplit(t.Context(), strings.NewReader(json), s, Options{})
	wantInfinite(t, "split JSON", table, err)
	var file bytes.Buffer
	if err := WriteParquet(&file, table); err != nil {
		t.Fatal(err)
	}
	table, err = ReadParquet(t.Context(), bytes.NewReader(file.Bytes()), int64(file.Len()), s, Options{})
	if err != nil || table.Infinite[0] != 0 {
		t.Errorf("Parquet of missing values: %v, infinite %v", err, table.Infinite)
	}
}

func wantInfinite(t *testing.T, format string, table *Table, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	if got := table.Infinite; len(got) != 2 || got[0] != 1 || got[1] != 2 {
		t.Errorf("%s: infinite %v, want [1 2]", format, got)
	}
}
