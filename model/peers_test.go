package model

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// peers returns the Python of a virtual environment with onnxruntime, scikit-learn, skl2onnx, onnxmltools, lightgbm and
// xgboost: MLIDS_PEERS, else .build/peers beside go.mod. Without one the test is skipped.
func peers(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MLIDS_PEERS")
	if dir == "" {
		dir = filepath.Join("..", ".build", "peers")
	}
	python, err := filepath.Abs(filepath.Join(dir, "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(python); err != nil {
		t.Skip("needs onnxruntime and the model makers of PyPI: set MLIDS_PEERS to a virtual environment that has them")
	}
	return python
}

// run starts a script of testdata and returns what it prints.
func run(t *testing.T, python, script string, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("testdata", script)}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.Bytes())
	}
	return out
}

func TestONNXRuntimeAgrees(t *testing.T) {
	python := peers(t)
	for _, s := range forestShapes {
		t.Run(s.name, func(t *testing.T) {
			f := growForest(7, s.inputs, s.outputs, s.trees, s.leaves, s.link)
			agree(t, python, testInfo(s.inputs, classes(s.outputs, s.link)), f)
		})
	}
	for _, s := range networkShapes {
		t.Run(s.name, func(t *testing.T) {
			n := randomNetwork(5, s.widths, s.hidden, s.link, s.log)
			inputs, outputs, _ := n.shape()
			agree(t, python, testInfo(inputs, classes(outputs, s.link)), n)
		})
	}
}

// agree compares a model's answers with those of ONNX Runtime on its file.
func agree(t *testing.T, python string, info Info, p Predictor) {
	t.Helper()
	const n = 200
	m, err := New(info, p)
	if err != nil {
		t.Fatal(err)
	}
	rows := randomRows(11, n, m.Inputs())
	file, data := filepath.Join(t.TempDir(), "m.onnx"), filepath.Join(t.TempDir(), "rows.f32")
	var raw bytes.Buffer
	if err := binary.Write(&raw, binary.LittleEndian, rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, m.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(data, raw.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var theirs struct {
		Labels        []string
		Probabilities [][]float64
	}
	if err := json.Unmarshal(run(t, python, "check_ort.py", file, data), &theirs); err != nil {
		t.Fatal(err)
	}
	k := m.Classes()
	ours := make([]float32, n*k)
	if err := m.Probabilities(ours, rows); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		probs := ours[i*k : (i+1)*k]
		for c, p := range probs {
			if d := math.Abs(float64(p) - theirs.Probabilities[i][c]); !(d <= 1e-5) {
				t.Fatalf("row %d class %d: %v, ONNX Runtime says %v", i, c, p, theirs.Probabilities[i][c])
			}
		}
		if v := m.Decide(probs); v.Class != theirs.Labels[i] && math.Abs(Attack(probs)-info.Threshold) > 1e-5 {
			t.Fatalf("row %d: %s, ONNX Runtime says %s", i, v.Class, theirs.Labels[i])
		}
	}
}
