package model

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzRead reads anything as a model; what is accepted must answer, and explain itself if it can.
func FuzzRead(f *testing.F) {
	for _, p := range []Predictor{
		growForest(1, 3, 1, 3, 4, Logistic), growForest(2, 3, 3, 3, 4, Identity),
		randomNetwork(1, []int{3, 4, 2}, Tanh, Softmax, true),
	} {
		inputs, outputs, link := p.shape()
		m, err := New(testInfo(inputs, classes(outputs, link)), p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Encode())
	}
	files, err := filepath.Glob(filepath.Join("testdata", "foreign", "*_2.*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, filepath.Join("testdata", "foreign", "onehot_logistic.onnx")) {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(b)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%v, want ErrInvalid", err)
			}
			return
		}
		const n = 5
		if m.Inputs() > 1000 || m.Classes() > 100 {
			return
		}
		dst := make([]float32, n*m.Classes())
		if err := m.Probabilities(dst, randomRows(1, n, m.Inputs())); err != nil {
			return
		}
		m.Decide(dst[:m.Classes()])
		if _, err := m.Explain(make([]float32, m.Inputs())); err != nil && !errors.Is(err, ErrUnexplained) {
			t.Errorf("explain: %v", err)
		}
	})
}
