package model

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// foreignCase is what another tool says of one of its models; see testdata/make_models.py.
type foreignCase struct {
	Inputs  []string
	Classes []string
	Rule    string
	Rows    [][]*float32
	Values  [][]float64
}

// TestForeignModels compares our answers with those of the tools that made the models kept in testdata/foreign.
func TestForeignModels(t *testing.T) { checkForeign(t, filepath.Join("testdata", "foreign")) }

// TestFreshForeignModels does the same with models made now, from other data.
func TestFreshForeignModels(t *testing.T) {
	python, dir := peers(t), t.TempDir()
	run(t, python, "make_models.py", dir, "7")
	checkForeign(t, dir)
}

func checkForeign(t *testing.T, dir string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]foreignCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for file, c := range cases {
		t.Run(file, func(t *testing.T) {
			m, err := Load(filepath.Join(dir, file))
			if c.Rule == "refused" && errors.Is(err, ErrInvalid) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Inputs) > 0 && !slices.Equal(m.Info().Inputs, c.Inputs) {
				t.Fatalf("inputs %q, want %q", m.Info().Inputs, c.Inputs)
			}
			c.check(t, m)
		})
	}
}

func (c *foreignCase) check(t *testing.T, m *Model) {
	t.Helper()
	var rows []float32
	for _, r := range c.Rows {
		for _, v := range r {
			if v == nil {
				rows = append(rows, float32(math.NaN()))
			} else {
				rows = append(rows, *v)
			}
		}
	}
	probs := make([]float32, len(c.Rows)*m.Classes())
	if err := m.Probabilities(probs, rows); err != nil {
		t.Fatal(err)
	}
	for i, want := range c.Values {
		got := probs[i*m.Classes() : (i+1)*m.Classes()]
		if c.Rule == "decision" {
			if a, b := most(got), decided(want); a != b {
				t.Errorf("row %d: class %d, want %d: %v %v", i, a, b, got, want)
			}
			continue
		}
		for k, p := range want {
			place := k
			if len(c.Classes) > 0 {
				place = slices.Index(m.Info().Classes, c.Classes[k])
			}
			if math.Abs(p-float64(got[place])) > 1e-5 {
				t.Fatalf("row %d class %d: %v, want %v", i, k, got, want)
			}
		}
	}
}

// most is the class of the largest probability.
func most(probs []float32) int {
	best := 0
	for i, p := range probs {
		if p > probs[best] {
			best = i
		}
	}
	return best
}

// decided is the class that decision values speak for.
func decided(values []float64) int {
	if len(values) == 1 {
		return int(bit(values[0] > 0))
	}
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
