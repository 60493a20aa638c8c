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
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1") // models this small only wait for their threads
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.Bytes())
	}
	return out
}

func TestONNXRuntimeAgrees(t *testing.T) {
	python, dir := peers(t), t.TempDir()
	models := map[string]*Model{}
	keep := func(name string, p Predictor) {
		inputs, outputs, link := p.shape()
		m, err := New(testInfo(inputs, classes(outputs, link)), p)
		if err != nil {
			t.Fatal(err)
		}
		models[name] = m
		writeRows(t, filepath.Join(dir, name), m)
	}
	for _, s := range forestShapes {
		keep("forest "+s.name, growForest(7, s.inputs, s.outputs, s.trees, s.leaves, s.link))
	}
	for _, s := range networkShapes {
		keep("network "+s.name, randomNetwork(5, s.widths, s.hidden, s.link, s.log))
	}
	var theirs map[string]ortAnswer
	if err := json.Unmarshal(run(t, python, "check_ort.py", dir), &theirs); err != nil {
		t.Fatal(err)
	}
	for name, m := range models {
		t.Run(name, func(t *testing.T) { agree(t, m, theirs[name]) })
	}
}

type ortAnswer struct {
	Labels        []string
	Probabilities [][]float64
}

const ortRows = 200

// ortInput makes the rows that both get: some of them far from anything.
func ortInput(m *Model) []float32 {
	rows := randomRows(11, ortRows, m.Inputs())
	for i := range rows {
		if i/m.Inputs()%3 == 0 {
			rows[i] *= 10_000
		}
	}
	return rows
}

// writeRows leaves a model and rows for it where check_ort.py finds them.
func writeRows(t *testing.T, path string, m *Model) {
	t.Helper()
	var raw bytes.Buffer
	if err := binary.Write(&raw, binary.LittleEndian, ortInput(m)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".f32", raw.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".onnx", m.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// agree compares a model's answers with those of ONNX Runtime on its file.
func agree(t *testing.T, m *Model, theirs ortAnswer) {
	t.Helper()
	k := m.Classes()
	ours := make([]float32, ortRows*k)
	if err := m.Probabilities(ours, ortInput(m)); err != nil {
		t.Fatal(err)
	}
	if len(theirs.Labels) != ortRows {
		t.Fatalf("ONNX Runtime answers %d rows", len(theirs.Labels))
	}
	for i := range ortRows {
		probs := ours[i*k : (i+1)*k]
		for c, p := range probs {
			if d := math.Abs(float64(p) - theirs.Probabilities[i][c]); !(d <= 1e-5) {
				t.Fatalf("row %d class %d: %v, ONNX Runtime says %v", i, c, p, theirs.Probabilities[i][c])
			}
		}
		if v := m.Decide(probs); v.Class != theirs.Labels[i] && math.Abs(Attack(probs)-v.Threshold) > 1e-5 {
			t.Fatalf("row %d: %s, ONNX Runtime says %s", i, v.Class, theirs.Labels[i])
		}
	}
}
