package dataset_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"mlids/dataset"
	"mlids/internal/testdata"
)

func readParquet(tb testing.TB, file []byte, o dataset.Options) (*dataset.Table, error) {
	tb.Helper()
	return dataset.ReadParquet(tb.Context(), bytes.NewReader(file), int64(len(file)), small(tb), o)
}

// foreign writes rows of a struct as another program might.
func foreign[T any](tb testing.TB, rows ...T) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, parquet.MaxRowsPerRowGroup(2))
	if _, err := w.Write(rows); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestParquetTypes(t *testing.T) {
	type row struct {
		Pkts  int64             `parquet:"Tot Pkts"`
		Rate  *float64          `parquet:"rate,optional"`
		Proto int32             `parquet:"proto"`
		Late  bool              `parquet:"late"`
		Port  string            `parquet:"Destination Port"`
		Label string            `parquet:"label,dict"`
		Extra []int32           `parquet:"extra"`
		More  map[string]string `parquet:"more"`
		Odd   string            `parquet:"odd"`
	}
	half := 0.5
	file := foreign(t,
		row{Pkts: 1, Rate: &half, Proto: 6, Late: true, Port: "80", Label: "a", Extra: []int32{1, 2}},
		row{Pkts: 1 << 40, Proto: 17, Port: " 443 ", Label: "b "},
		row{Pkts: -1, Proto: 99, Port: "", Label: "a"},
	)
	table, err := readParquet(t, file, dataset.Options{Extra: true, Text: true, NeedLabel: true})
	if err != nil {
		t.Fatal(err)
	}
	for column, want := range map[int][]float32{
		pkts: {1, 1 << 40, -1}, rate: {0.5, nan, nan}, proto: {0, 1, -1}, late: {1, 0, 0}, port: {80, 443, nan},
	} {
		if !same(table.Columns[column], want) {
			t.Errorf("column %d is %v; want %v", column, table.Columns[column], want)
		}
	}
	if !slices.Equal(labels(table), []string{"a", "b", "a"}) || !slices.Equal(table.Text[proto], []string{"6", "17", "99"}) ||
		!slices.Equal(table.Ignored, []string{"odd"}) {
		t.Errorf("labels %q, text %q, ignored %q", labels(table), table.Text[proto], table.Ignored)
	}
}

func TestParquetRefuses(t *testing.T) {
	type bad struct {
		Pkts  string  `parquet:"pkts"`
		Rate  float64 `parquet:"rate"`
		Proto string  `parquet:"proto"`
	}
	good := parquetBytes(t, "pkts,rate,proto,label\n"+strings.Repeat("1,2,6,a\n", 100))
	for _, c := range []struct {
		name string
		file []byte
		o    dataset.Options
		want error
		say  string
	}{
		{"nothing", nil, dataset.Options{}, dataset.ErrSyntax, "parquet"},
		{"text", []byte(asCSV), dataset.Options{}, dataset.ErrSyntax, "parquet"},
		{"cut off", good[:len(good)-100], dataset.Options{}, dataset.ErrSyntax, "parquet"},
		{"text for a number", foreign(t, bad{"1", 1, ""}, bad{"x", 1, ""}), dataset.Options{}, dataset.ErrValue, `row 2: column pkts: wrong value: "x" is not a number`},
		{"missing", foreign(t, struct{ Pkts int32 }{1}), dataset.Options{}, dataset.ErrColumn, "2 missing columns: rate, proto"},
		{"rows", good, dataset.Options{Limits: dataset.Limits{Rows: 99}}, dataset.ErrLimit, "more than 99 rows"},
		{"memory", good, dataset.Options{Limits: dataset.Limits{Memory: 999}}, dataset.ErrLimit, "100 rows take"},
		{"texts", good, dataset.Options{Text: true, Limits: dataset.Limits{Memory: 2000}}, dataset.ErrLimit, "100 rows take"},
		{"labels", parquetBytes(t, longLabels(2000)), dataset.Options{Limits: dataset.Limits{Memory: 4 << 20}}, dataset.ErrLimit, "from row 1024 on"},
		{"columns", good, dataset.Options{Limits: dataset.Limits{Columns: 3}}, dataset.ErrLimit, "4 columns, at most 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := readParquet(t, c.file, c.o); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v; want %v with %q", err, c.want, c.say)
			}
		})
	}
}

// Damage anywhere gives an error or a table, never a panic.
func TestDamagedParquet(t *testing.T) {
	good := parquetBytes(t, "who,pkts,rate,proto,label\n"+strings.Repeat("x,1,2,6,a\nyy,,3.5,17,b\n", 50))
	step := 1
	if testing.Short() || testdata.Race {
		step = 7
	}
	for i := 0; i < len(good); i += step {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			file := bytes.Clone(good)
			file[i] ^= flip
			o := dataset.Options{Text: true, Limits: dataset.Limits{Rows: 1000, Memory: 1 << 20}}
			if table, err := readParquet(t, file, o); err == nil && table.Len() > 1000 {
				t.Errorf("byte %d: %d rows", i, table.Len())
			}
		}
	}
}
