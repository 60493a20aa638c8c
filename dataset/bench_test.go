package dataset_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"mlids/dataset"
	"mlids/internal/testdata"
)

// throughput reports rows and megabytes per second.
func throughput(b *testing.B, rows, size int) {
	b.Helper()
	seconds := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(rows)/seconds, "rows/s")
	b.ReportMetric(float64(size)/1e6/seconds, "MB/s")
}

func BenchmarkOpenKDD(b *testing.B) {
	path, s := testdata.Path(b, "kdd99", "kddcup.data_10_percent.gz"), schema(b, "kdd99")
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		t, err := dataset.Open(b.Context(), path, s, dataset.Options{})
		if err != nil {
			b.Fatal(err)
		}
		rows = t.Len()
	}
	throughput(b, rows, 74_889_749)
}

func BenchmarkOpenCIC(b *testing.B) {
	path, s := testdata.Path(b, "cicids", "CICIDS2017_improved_union.csv.gz"), schema(b, "cicflow/v4")
	rows := 0
	for b.Loop() {
		t, err := dataset.Open(b.Context(), path, s, dataset.Options{})
		if err != nil {
			b.Fatal(err)
		}
		rows = t.Len()
	}
	throughput(b, rows, 32_835_229)
}

func BenchmarkMergeKDD(b *testing.B) {
	t, err := dataset.Open(b.Context(), testdata.Path(b, "kdd99", "kddcup.data_10_percent.gz"), schema(b, "kdd99"), dataset.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			t.Merge()
		}
		throughput(b, t.Len(), 4*t.Len()*len(t.Columns))
	})
	s, err := t.Set(nil, dataset.KDD99())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("set", func(b *testing.B) {
		for b.Loop() {
			s.Merge()
		}
		throughput(b, s.Len(), 4*s.Len()*len(s.X))
	})
}

// request is a split document of the given number of flows of 78 columns.
func request(b *testing.B, rows int) []byte {
	b.Helper()
	t, err := dataset.Open(b.Context(), testdata.Path(b, "cicids", "cstub_dataset_1000rows.csv.gz"), schema(b, "cicflow/2018"), dataset.Options{Extra: true})
	if err != nil {
		b.Fatal(err)
	}
	t.Label = nil
	var text bytes.Buffer
	if err := dataset.WriteSplit(&text, t); err != nil {
		b.Fatal(err)
	}
	head, data, _ := strings.Cut(text.String(), `"data":[`)
	lines := strings.SplitAfter(data, "],")
	return []byte(head + `"data":[` + strings.TrimSuffix(strings.Join(lines[:rows], ""), ",") + strings.Repeat("]}", 1-min(1, rows/1000)))
}

func BenchmarkSplitDecoder(b *testing.B) {
	s := schema(b, "cicflow/2018")
	for _, rows := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			body := request(b, rows)
			d, err := dataset.NewSplitDecoder(s, s.Inputs(false), dataset.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(body); err != nil {
					b.Fatal(err)
				}
			}
			throughput(b, rows, len(body))
		})
	}
}
