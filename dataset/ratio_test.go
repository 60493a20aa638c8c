package dataset_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mlids/dataset"
	"mlids/feature"
)

// shares is a schema of two numbers and their ratio.
func shares(t *testing.T) *feature.Schema {
	t.Helper()
	s, err := feature.New(feature.Schema{
		Name: "shares", Version: "1", Label: []string{"label"}, Headed: true,
		Columns: []feature.Column{{Name: "part", Kind: feature.Real}, {Name: "whole", Kind: feature.Real}, {Name: "note", Kind: feature.Text}},
		Ratios:  []feature.Ratio{{Column: "part", Over: "whole"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRatiosAreTheSameFromEverySource(t *testing.T) {
	s := shares(t)
	inputs, err := s.Resolve([]string{"part/whole", "whole"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	split, err := dataset.NewSplitDecoder(s, inputs, dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := split.Decode([]byte(`{"columns":["whole","part"],"data":[[4,3],[0,5],[2,null],[null,2]]}`))
	if err != nil {
		t.Fatal(err)
	}
	got["split JSON"] = rows.X
	records, err := dataset.NewRecordDecoder(s, inputs, dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err = records.Decode([]byte(`[{"part":3,"whole":4},{"part":5,"whole":0},{"part":null,"whole":2},{"whole":null,"part":2}]`)); err != nil {
		t.Fatal(err)
	}
	got["records"] = rows.X
	table := shareTable(t, s, "part,whole,label\n3,4,a\n5,0,b\n,2,c\n2,,d\n")
	if got["table"], err = table.AppendRows(nil, inputs, 0, table.Len()); err != nil {
		t.Fatal(err)
	}
	want := []float32{0.75, 4, 0, 0, nan, 2, nan, nan} // of 3/4, 5/0, missing/2 and 2/missing
	for source, x := range got {
		if d := cmp.Diff(want, x, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s (-want +got):\n%s", source, d)
		}
	}
	set, err := table.Set(inputs, dataset.BenignOrAttack())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float32{0.75, 0, nan, nan}, set.X[0], cmpopts.EquateNaNs()); d != "" {
		t.Errorf("set (-want +got):\n%s", d)
	}
}

func shareTable(t *testing.T, s *feature.Schema, text string) *dataset.Table {
	t.Helper()
	table, err := dataset.ReadCSV(t.Context(), strings.NewReader(text), s, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestRatiosWantBothColumns(t *testing.T) {
	s := shares(t)
	inputs, err := s.Resolve([]string{"part/whole"})
	if err != nil {
		t.Fatal(err)
	}
	records, err := dataset.NewRecordDecoder(s, inputs, dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := records.Decode([]byte(`{"part":3}`)); !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("a record without the divisor: %v, want ErrColumn", err)
	}
	if rows, err := records.Decode([]byte(`{"part":3,"whole":4}`)); err != nil || len(rows.X) != 1 || rows.X[0] != 0.75 {
		t.Errorf("vector of the ratio alone: %v, %v; want 0.75", rows, err)
	}
	text := inputs[0]
	text.Over = 3
	if _, err := dataset.NewRecordDecoder(s, []feature.Input{text}, dataset.Limits{}); !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("a number over text: %v, want ErrColumn", err)
	}
}
