package model

import "testing"

// benchModel is the forest that other tools are measured with too: 100 trees of 31 leaves over 78 inputs.
func benchModel(b *testing.B) *Model {
	b.Helper()
	m, err := New(testInfo(78, 2), growForest(1, 78, 1, 100, 31, Logistic))
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func BenchmarkForestBatch1000(b *testing.B) {
	m := benchModel(b)
	const n = 1000
	rows, dst := randomRows(5, 2*n, 78)[n*78:], make([]float32, 2*n)
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Probabilities(dst, rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkForestRow(b *testing.B) {
	m := benchModel(b)
	const n = 1000
	rows, dst := randomRows(5, 2*n, 78)[n*78:], make([]float32, 2)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := m.Probabilities(dst, rows[i*78:(i+1)*78]); err != nil {
			b.Fatal(err)
		}
		i = (i + 1) % n
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N), "µs/row")
}
