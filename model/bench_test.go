package model

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// benchModel is the forest that other tools are measured with too: 100 trees of 31 leaves over 78 inputs.
func benchModel(b *testing.B) *Model {
	b.Helper()
	m, err := New(testInfo(78, 2), growForest(1, 78, 1, 100, 31, Logistic))
	if err != nil {
		b.Fatal(err)
	}
	return m
}

const benchRows = 1000

func BenchmarkForestBatch1000(b *testing.B) {
	batch(b, benchModel(b), randomRows(5, 2*benchRows, 78)[benchRows*78:])
}

func BenchmarkForestRow(b *testing.B) {
	single(b, benchModel(b), randomRows(5, 2*benchRows, 78)[benchRows*78:])
}

// BenchmarkForestScalar is the form for processors without vector instructions.
func BenchmarkForestScalar(b *testing.B) {
	m := benchModel(b)
	e, ok := m.engine.(*forestEngine)
	if !ok {
		b.Fatal("no forest")
	}
	e.vector = nil
	rows := randomRows(5, 2*benchRows, 78)[benchRows*78:]
	b.Run("Batch1000", func(b *testing.B) { batch(b, m, rows) })
	b.Run("Row", func(b *testing.B) { single(b, m, rows) })
}

func BenchmarkNetworkBatch1000(b *testing.B) {
	m, err := New(testInfo(78, 2), randomNetwork(1, []int{78, 64, 32, 2}, Relu, Softmax, false))
	if err != nil {
		b.Fatal(err)
	}
	batch(b, m, randomRows(5, 2*benchRows, 78)[benchRows*78:])
}

func BenchmarkExplain(b *testing.B) {
	m, row := benchModel(b), randomRows(5, 2, 78)[78:]
	for b.Loop() {
		if _, err := m.Explain(row); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N), "µs/row")
}

// BenchmarkPeers runs the model that lab/bench/infer_peers.py made, on its rows.
func BenchmarkPeers(b *testing.B) {
	dir := os.Getenv("MLIDS_BENCH_DIR")
	if dir == "" {
		b.Skip("run by lab/bench/infer_peers.py")
	}
	m, err := Load(filepath.Join(dir, "model.txt"))
	if err != nil {
		b.Fatal(err)
	}
	rows, want := make([]float32, benchRows*78), make([]float64, benchRows)
	readBinary(b, filepath.Join(dir, "rows.f32"), rows)
	readBinary(b, filepath.Join(dir, "expected.f64"), want)
	probs := make([]float32, 2*benchRows)
	if err := m.Probabilities(probs, rows); err != nil {
		b.Fatal(err)
	}
	for i, p := range want {
		if math.Abs(p-float64(probs[2*i+1])) > 1e-5 {
			b.Fatalf("row %d: %v, LightGBM says %v", i, probs[2*i+1], p)
		}
	}
	b.Run("Batch1000", func(b *testing.B) { batch(b, m, rows) })
	b.Run("Row", func(b *testing.B) { single(b, m, rows) })
}

func readBinary(b *testing.B, path string, to any) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := binary.Read(f, binary.LittleEndian, to); err != nil {
		b.Fatal(err)
	}
}

// batch measures all rows at once.
func batch(b *testing.B, m *Model, rows []float32) {
	b.Helper()
	dst := make([]float32, benchRows*m.Classes())
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Probabilities(dst, rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "rows/s")
}

// single measures row after row.
func single(b *testing.B, m *Model, rows []float32) {
	b.Helper()
	dst := make([]float32, m.Classes())
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := m.Probabilities(dst, rows[i*78:(i+1)*78]); err != nil {
			b.Fatal(err)
		}
		i = (i + 1) % benchRows
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N), "µs/row")
}
