package dataset_test

import (
	"slices"
	"strings"
	"testing"

	"mlids/dataset"
	"mlids/internal/testdata"
)

// byClass sums the weights of a set's classes.
func byClass(s *dataset.Set) map[string]int {
	n := map[string]int{}
	for i, k := range s.Class {
		n[s.Classes[k]] += int(s.Weight[i])
	}
	return n
}

func TestKDDTenPercentFullSize(t *testing.T) {
	testdata.FullSize(t)
	path := testdata.Path(t, "kdd99", "kddcup.data_10_percent.gz")
	table, err := dataset.Open(t.Context(), path, schema(t, "kdd99"), dataset.Options{NeedLabel: true})
	if err != nil {
		t.Fatal(err)
	}
	if table.Len() != 494_021 || len(table.Labels) != 23 {
		t.Errorf("%d rows of %d types; want 494,021 of 23", table.Len(), len(table.Labels))
	}
	smurf := int32(slices.Index(table.Labels, "smurf"))
	n := 0
	for _, k := range table.Label {
		if k == smurf {
			n++
		}
	}
	if n != 280_790 {
		t.Errorf("%d rows are smurf; want 280,790", n)
	}
	merged := table.Merge()
	if merged.Len() != 145_586 {
		t.Errorf("%d distinct rows; want 145,586", merged.Len())
	}
	s, err := merged.Set(nil, dataset.KDD99())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"normal": 97_278, "dos": 391_458, "probe": 4_107, "r2l": 1_126, "u2r": 52}
	for class, n := range byClass(s) {
		if n != want[class] {
			t.Errorf("%d rows are %s; want %d", n, class, want[class])
		}
	}
}

func TestNSLKDD(t *testing.T) {
	path := testdata.Path(t, "nsl-kdd", "KDDTrain+.txt.gz")
	table, err := dataset.Open(t.Context(), path, schema(t, "kdd99"), dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := table.Set(nil, dataset.KDD99())
	if err != nil {
		t.Fatal(err)
	}
	if n := byClass(s); s.Len() != 125_973 || n["normal"] != 67_343 || n["dos"] != 45_927 || n["probe"] != 11_656 || n["r2l"] != 995 {
		t.Errorf("%d rows, %v", s.Len(), n)
	}
}

// The four spellings of CIC's columns, each recognised as what it is.
func TestCIC(t *testing.T) {
	for _, c := range []struct {
		file, schema string
		rows, benign int
	}{
		{"CICIDS2017_improved_union.csv.gz", "cicflow/v4", 56_277, 7_492},
		{"2018-02-14_excerpt_5594rows.csv.gz", "cicflow/2018", 5_594, 3_101},
		{"cstub_dataset_1000rows.csv.gz", "cicflow/2018", 1_000, 530},
		{"cstub_validation_180rows.csv", "cicflow/2018", 180, 40},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := testdata.Path(t, "cicids", c.file)
			want := map[string]string{"cicflow": c.schema}
			if c.rows < 10_000 {
				want["cicflow/common"] = "cicflow/common"
			}
			for name, want := range want {
				table, err := dataset.Open(t.Context(), path, nil, dataset.Options{
					NeedLabel: true, Choose: dataset.Dialect(catalogue(t), name),
				})
				if err != nil {
					t.Fatal(err)
				}
				s, err := table.Set(nil, dataset.ClassesOf(table.Schema))
				if err != nil {
					t.Fatal(err)
				}
				if n := byClass(s); table.Schema.ID() != want || s.Len() != c.rows || n["benign"] != c.benign {
					t.Errorf("%s as %s: %d rows, %v", name, table.Schema.ID(), s.Len(), n)
				}
			}
		})
	}
}

// CSV, split JSON and Parquet of the same flows are the same table, down to the bits, with columns in any order.
func TestFormatsAgree(t *testing.T) {
	s := schema(t, "cicflow/2018")
	o := dataset.Options{Extra: true, Text: true}
	want, err := dataset.Open(t.Context(), testdata.Path(t, "cicids", "cstub_dataset_1000rows.csv.gz"), s, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range roundTrips(t, want, o) {
		if err := equalTables(got, want); err != "" {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// A decoder gives the vectors that the table gives.
func TestDecoderAgreesWithTable(t *testing.T) {
	s := schema(t, "cicflow/common")
	table, err := dataset.Open(t.Context(), testdata.Path(t, "cicids", "cstub_dataset_1000rows.csv.gz"), s, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var body strings.Builder
	if err := dataset.WriteSplit(&body, table); err != nil {
		t.Fatal(err)
	}
	inputs := s.Inputs(false)
	slices.Reverse(inputs)
	want, err := table.AppendRows(nil, inputs, 0, table.Len())
	if err != nil {
		t.Fatal(err)
	}
	d, err := dataset.NewSplitDecoder(s, inputs, dataset.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.Decode([]byte(body.String()))
	if err != nil || rows.N != table.Len() || !same(rows.X, want) {
		t.Errorf("decoder and table differ: %d rows, %v", rows.N, err)
	}
}

func TestKDDUnseenCategories(t *testing.T) {
	s := schema(t, "kdd99")
	row := "0,tcp,no_such_service,SF" + strings.Repeat(",0", 37) + ",normal.\n"
	table, err := dataset.ReadCSV(t.Context(), strings.NewReader(row), s, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := table.AppendRows(nil, s.Inputs(false), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range s.Inputs(false) {
		want := float32(0)
		if in.Name == "protocol_type=tcp" || in.Name == "flag=SF" {
			want = 1
		}
		if x[i] != want {
			t.Errorf("%s is %v; want %v", in.Name, x[i], want)
		}
	}
}
