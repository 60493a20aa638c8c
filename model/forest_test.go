package model

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"mlids/model/internal/simd"
)

// grow makes a random forest: trees of so many leaves, grown leaf by leaf as boosting does.
func growForest(seed uint64, inputs, outputs, trees, leaves int, link Link) *Forest {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &Forest{Inputs: inputs, Outputs: outputs, Link: link, Base: make([]float64, outputs)}
	for i := range f.Base {
		f.Base[i] = float64(float32(r.NormFloat64()))
	}
	for t := range trees {
		output := int32(t % outputs)
		if link == Identity {
			output = -1
		}
		f.Trees = append(f.Trees, growTree(r, inputs, outputs, leaves, output))
	}
	return f
}

func growTree(r *rand.Rand, inputs, outputs, leaves int, output int32) Tree {
	t := Tree{Output: output, Nodes: []Node{{Feature: -1, Cover: 1000}}}
	open := []int32{0}
	for len(open) < leaves {
		pick := r.IntN(len(open))
		at := open[pick]
		left := int32(len(t.Nodes))
		share := 0.1 + 0.8*r.Float64()
		cover := t.Nodes[at].Cover
		t.Nodes = append(t.Nodes, Node{Feature: -1, Cover: float64(float32(cover * share))}, Node{Feature: -1, Cover: float64(float32(cover * (1 - share)))})
		t.Nodes[at] = Node{
			Feature: int32(r.IntN(inputs)), Threshold: float32(r.NormFloat64()), MissingLeft: r.IntN(2) == 0,
			Left: left, Right: left + 1, Cover: cover,
		}
		open[pick] = left
		open = append(open, left+1)
	}
	width := 1
	if output < 0 {
		width = outputs
	}
	for i := range t.Nodes {
		if n := &t.Nodes[i]; n.Feature < 0 {
			n.Left = int32(len(t.Values))
			for range width {
				t.Values = append(t.Values, float64(float32(r.NormFloat64()/10)))
			}
		}
	}
	return t
}

// randomRows makes rows with some missing and infinite values.
func randomRows(seed uint64, n, inputs int) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	rows := make([]float32, n*inputs)
	for i := range rows {
		rows[i] = float32(r.NormFloat64())
	}
	for i := range rows[:len(rows)/2] {
		switch r.IntN(40) {
		case 0:
			rows[i] = float32(math.NaN())
		case 1:
			rows[i] = float32(math.Inf(1))
		case 2:
			rows[i] = float32(math.Inf(-1))
		}
	}
	return rows
}

// plainMargins walks the trees as the types say, the reference for every faster way.
func plainMargins(f *Forest, rows []float32) []float64 {
	var out []float64
	for ; len(rows) > 0; rows = rows[f.Inputs:] {
		m := widen(narrow(f.Base))
		for i := range f.Trees {
			t := &f.Trees[i]
			for j, v := range t.values(t.leaf(rows), f.Outputs) {
				m[max(int(t.Output), 0)+j] += float64(float32(v))
			}
		}
		out = append(out, m...)
	}
	return out
}

func testInfo(inputs, classes int) Info {
	info := Info{Name: "test", Algorithm: "boost", Schema: "test/1", Threshold: 0.25, Metrics: map[string]float64{"auc": 0.5, "a": 1}}
	for i := range inputs {
		info.Inputs = append(info.Inputs, fmt.Sprintf("input_%d", i))
	}
	for i := range classes {
		info.Classes = append(info.Classes, fmt.Sprintf("class_%d", i))
	}
	return info
}

var forestShapes = []struct {
	name                           string
	inputs, outputs, trees, leaves int
	link                           Link
}{
	{"binary boost", 78, 1, 100, 31, Logistic},
	{"stumps", 3, 1, 7, 2, Logistic},
	{"constants", 1, 1, 5, 1, Logistic},
	{"64 leaves", 20, 1, 9, 64, Logistic},
	{"65 leaves", 20, 1, 9, 65, Logistic},
	{"multi-class", 41, 5, 50, 31, Softmax},
	{"one against rest", 10, 3, 30, 33, Normalised},
	{"averaged", 30, 4, 20, 100, Identity},
	{"small averaged", 30, 2, 10, 20, Identity},
	{"no trees", 2, 1, 0, 0, Logistic},
	{"wide", 5000, 2, 12, 90, Softmax},
	{"wide small trees", 200, 1, 60, 30, Logistic},
}

func TestForestMargins(t *testing.T) {
	levels := []simd.Level{simd.Scalar, simd.AVX2, simd.AVX512}
	for _, level := range levels[:simd.Detect()+1] {
		for _, s := range forestShapes {
			t.Run(fmt.Sprintf("level %d %s", level, s.name), func(t *testing.T) {
				f := growForest(7, s.inputs, s.outputs, s.trees, s.leaves, s.link)
				e := f.compileFor(level)
				sc := &scratch{}
				for _, n := range []int{0, 1, 3, 4, 33, 64, 65, 1000} {
					rows := randomRows(uint64(n), n, s.inputs)
					got := make([]float64, n*s.outputs)
					if err := e.margins(got, rows, sc); err != nil {
						t.Fatal(err)
					}
					for i, want := range plainMargins(f, rows) {
						if math.Float64bits(got[i]) != math.Float64bits(want) {
							t.Fatalf("%d rows: margin %d is %v, want %v", n, i, got[i], want)
						}
					}
				}
			})
		}
	}
}

// TestManyForests looks at enough walks that one wrong step in a hundred thousand shows.
func TestManyForests(t *testing.T) {
	for level := range simd.Detect() + 1 {
		for seed := range uint64(10) {
			f := growForest(seed, 20, 1, 30, 25+int(seed), Logistic)
			rows, got := randomRows(seed, 400, 20), make([]float64, 400)
			e, want := f.compileFor(level), plainMargins(f, rows)
			if err := e.margins(got, rows, &scratch{}); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("level %d, seed %d: margin %d is %v, want %v", level, seed, i, got[i], want[i])
				}
			}
			if err := e.margins(got[:1], rows[20*399:], &scratch{}); err != nil || got[0] != want[399] {
				t.Fatalf("level %d, seed %d: alone %v, want %v (%v)", level, seed, got[0], want[399], err)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, s := range forestShapes {
		t.Run(s.name, func(t *testing.T) {
			f := growForest(7, s.inputs, s.outputs, s.trees, s.leaves, s.link)
			roundTrip(t, testInfo(s.inputs, classes(s.outputs, s.link)), f)
		})
	}
}

// roundTrip writes a model, reads it and compares what both say.
func roundTrip(t *testing.T, info Info, p Predictor) *Model {
	t.Helper()
	m, err := New(info, p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if again.info.Version != m.info.Version || len(m.info.Version) != 12 {
		t.Errorf("version %q, was %q", again.info.Version, m.info.Version)
	}
	rows := randomRows(3, 100, m.Inputs())
	a, b := make([]float32, 100*m.Classes()), make([]float32, 100*m.Classes())
	if err := errors.Join(m.Probabilities(a, rows), again.Probabilities(b, rows)); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("probability %d is %v, was %v", i, b[i], a[i])
		}
	}
	return again
}
