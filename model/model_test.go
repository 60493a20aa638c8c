package model

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mlids"
	"mlids/internal/testdata"
	"mlids/model/internal/onnx"
)

// threeClasses is a small model of classes class_0 (benign), class_1 and class_2, threshold 0.25.
func threeClasses(t *testing.T) *Model {
	t.Helper()
	m, err := New(testInfo(4, 3), growForest(2, 4, 3, 9, 5, Softmax))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDecide(t *testing.T) {
	m := threeClasses(t)
	nan := float32(math.NaN())
	for _, c := range []struct {
		probs  []float32
		attack bool
		class  string
	}{
		{[]float32{0.8, 0.1, 0.1}, false, "class_0"},
		{[]float32{0.75, 0.125, 0.125}, true, "class_1"}, // at the threshold
		{[]float32{0.5, 0.1, 0.4}, true, "class_2"},      // benign is the most probable class, but not enough
		{[]float32{0.1, 0.5, 0.4}, true, "class_1"},
		{[]float32{nan, nan, nan}, true, "class_1"},
	} {
		v := m.Decide(c.probs)
		if v.Attack != c.attack || v.Class != c.class {
			t.Errorf("%v: attack %v, class %s, want %v, %s", c.probs, v.Attack, v.Class, c.attack, c.class)
		}
	}
	got := m.DecideAt([]float32{0.7, 0.2, 0.1}, 0.5)
	want := mlids.Verdict{Class: "class_0", Probability: float64(float32(0.7)), Threshold: 0.5, Model: "test", Version: m.info.Version}
	if got != want {
		t.Errorf("verdict %+v, want %+v", got, want)
	}
}

func TestDecideCost(t *testing.T) {
	m := threeClasses(t)
	costs := [][]float64{{0, 1, 2}, {1, 0, 2}, {9, 9, 0}} // missing class_2 is dear
	v, err := m.DecideCost([]float32{0.7, 0.05, 0.25}, costs)
	if err != nil || v.Class != "class_2" || !v.Attack {
		t.Errorf("%+v, %v: wanted class_2, the cheapest", v, err)
	}
	v, err = m.DecideCost([]float32{0.9, 0.05, 0.05}, costs)
	if err != nil || v.Class != "class_0" || v.Attack {
		t.Errorf("%+v, %v: wanted class_0", v, err)
	}
	for _, bad := range [][][]float64{nil, costs[:2], {{0, 1}, {1, 0}, {1, 1}}} {
		if _, err := m.DecideCost([]float32{1, 0, 0}, bad); !errors.Is(err, ErrInputs) {
			t.Errorf("costs %v: %v, want ErrInputs", bad, err)
		}
	}
}

func TestLengths(t *testing.T) {
	m := threeClasses(t)
	for _, c := range []struct{ dst, rows int }{{3, 3}, {3, 5}, {2, 4}, {4, 4}, {6, 4}, {0, 4}, {3, 0}} {
		if err := m.Probabilities(make([]float32, c.dst), make([]float32, c.rows)); !errors.Is(err, ErrInputs) {
			t.Errorf("%d values, room for %d: %v, want ErrInputs", c.rows, c.dst, err)
		}
		if err := m.Margins(make([]float64, c.dst), make([]float32, c.rows)); !errors.Is(err, ErrInputs) {
			t.Errorf("margins of %d values, room for %d: %v, want ErrInputs", c.rows, c.dst, err)
		}
	}
	if err := m.Probabilities(nil, nil); err != nil {
		t.Errorf("no rows: %v", err)
	}
}

func TestCheckSchema(t *testing.T) {
	m := threeClasses(t)
	if err := m.CheckSchema("test/1"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"test/2", "kdd99/1", ""} {
		if err := m.CheckSchema(id); !errors.Is(err, ErrSchema) {
			t.Errorf("%q: %v, want ErrSchema", id, err)
		}
	}
}

func TestInfoSurvivesTheFile(t *testing.T) {
	info := testInfo(4, 3)
	info.Priors, info.Natural, info.Fingerprint = []float64{0.9, 0.09, 0.01}, true, "abc"
	info.Rebuild = "mlids train --data x\n# ünïcode"
	info.Quantiles = [][]float32{{0, 1}, {float32(0.1), 2}, {}, {-1, -1, 5}}
	m, err := New(info, growForest(2, 4, 3, 9, 5, Softmax))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m.Info(), again.Info()); d != "" {
		t.Errorf("info changed: %s", d)
	}
	info.Version = m.info.Version
	if d := cmp.Diff(info, again.Info()); d != "" {
		t.Errorf("info is not what New got: %s", d)
	}
	twin, err := New(info, growForest(2, 4, 3, 9, 5, Softmax))
	if err != nil || !bytes.Equal(twin.Encode(), m.Encode()) {
		t.Errorf("the same model gives other bytes (%v)", err)
	}
}

// TestOtherMetadata reads a file whose metadata another version of this program wrote: it is ours all the same.
func TestOtherMetadata(t *testing.T) {
	file, err := onnx.Parse(threeClasses(t).Encode())
	if err != nil {
		t.Fatal(err)
	}
	file.Metadata = append([]onnx.Entry{{Key: "mlids.unknown", Value: "1"}, {Key: "theirs", Value: "x"}}, file.Metadata...)
	m, err := Read(file.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, forest := m.engine.(*forestEngine); !forest {
		t.Errorf("it runs as %T", m.engine)
	}
}

func TestLoad(t *testing.T) {
	info := testInfo(4, 3)
	info.Name = ""
	m, err := New(info, growForest(2, 4, 3, 9, 5, Softmax))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "some.onnx")
	if err := os.WriteFile(path, m.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil || again.Info().Name != "some" {
		t.Errorf("%v: wanted the file's name", err)
	}
	if _, err := Load(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Info, *Forest){
		"input names":     func(i *Info, _ *Forest) { i.Inputs = i.Inputs[1:] },
		"class names":     func(i *Info, _ *Forest) { i.Classes = append(i.Classes, "more") },
		"class twice":     func(i *Info, _ *Forest) { i.Classes[1] = i.Classes[0] },
		"input twice":     func(i *Info, _ *Forest) { i.Inputs[1] = i.Inputs[0] },
		"threshold":       func(i *Info, _ *Forest) { i.Threshold = 1.5 },
		"priors":          func(i *Info, _ *Forest) { i.Priors = []float64{1} },
		"quantiles":       func(i *Info, _ *Forest) { i.Quantiles = [][]float32{{1}} },
		"metrics":         func(i *Info, _ *Forest) { i.Metrics["x"] = math.NaN() },
		"base":            func(_ *Info, f *Forest) { f.Base = nil },
		"infinite base":   func(_ *Info, f *Forest) { f.Base[0] = math.Inf(1) },
		"link":            func(_ *Info, f *Forest) { f.Link = Logistic },
		"no nodes":        func(_ *Info, f *Forest) { f.Trees[0].Nodes = nil },
		"loop":            func(_ *Info, f *Forest) { f.Trees[0].Nodes[1] = f.Trees[0].Nodes[0] },
		"own child":       func(_ *Info, f *Forest) { f.Trees[0].Nodes[0].Left = 0 },
		"far child":       func(_ *Info, f *Forest) { f.Trees[0].Nodes[0].Left = 99 },
		"lost nodes":      func(_ *Info, f *Forest) { f.Trees[0].Nodes = append(f.Trees[0].Nodes, Node{Feature: -1}) },
		"input":           func(_ *Info, f *Forest) { f.Trees[0].Nodes[0].Feature = 4 },
		"NaN threshold":   func(_ *Info, f *Forest) { f.Trees[0].Nodes[0].Threshold = float32(math.NaN()) },
		"negative cover":  func(_ *Info, f *Forest) { f.Trees[0].Nodes[0].Cover = -1 },
		"leaf value":      func(_ *Info, f *Forest) { f.Trees[0].Values[0] = math.Inf(-1) },
		"no leaf value":   func(_ *Info, f *Forest) { f.Trees[0].Values = nil },
		"output":          func(_ *Info, f *Forest) { f.Trees[0].Output = 3 },
		"too many inputs": func(_ *Info, f *Forest) { f.Inputs = MaxInputs + 1 },
		"too deep":        func(_ *Info, f *Forest) { f.Trees[0] = vine(MaxDepth + 1) },
	} {
		info, f := testInfo(4, 3), growForest(2, 4, 3, 9, 5, Softmax)
		change(&info, f)
		if _, err := New(info, f); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// vine is a tree that only grows to the right.
func vine(depth int) Tree {
	t := Tree{Values: []float64{0}}
	for i := range int32(depth) {
		t.Nodes = append(t.Nodes, Node{Left: 2*i + 1, Right: 2*i + 2, Threshold: float32(i)}, Node{Feature: -1})
	}
	t.Nodes = append(t.Nodes, Node{Feature: -1})
	return t
}

func TestDeepestTree(t *testing.T) {
	f := growForest(2, 4, 3, 1, 5, Softmax)
	f.Trees[0] = vine(MaxDepth)
	m := roundTrip(t, testInfo(4, 3), f)
	checkSums(t, m, []float32{1, 2, 3, 4})
}

func TestNetworkRefuses(t *testing.T) {
	inf := float32(math.Inf(1))
	for name, change := range map[string]func(*Network){
		"no layers":       func(n *Network) { n.Layers = nil },
		"weights":         func(n *Network) { n.Layers[0].Weights = n.Layers[0].Weights[1:] },
		"infinite weight": func(n *Network) { n.Layers[0].Weights[3] = inf },
		"bias":            func(n *Network) { n.Layers[1].Bias = nil },
		"chain":           func(n *Network) { n.Layers[1].In++ },
		"last activation": func(n *Network) { n.Layers[1].Activation = Relu },
		"activation":      func(n *Network) { n.Layers[0].Activation = 9 },
		"scaler":          func(n *Network) { n.Scaler.Offset = nil },
		"missing":         func(n *Network) { n.Scaler.Missing[0] = float32(math.NaN()) },
		"limit":           func(n *Network) { n.Scaler.Limit = -1 },
		"scale of zero":   func(n *Network) { n.Scaler.Scale[0] = 0 },
	} {
		n := randomNetwork(1, []int{4, 5, 3}, Relu, Softmax, false)
		change(n)
		if _, err := New(testInfo(4, 3), n); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestNoAllocationOnceWarm(t *testing.T) {
	if testdata.Race {
		t.Skip("needs a run without -race, which drops pooled memory")
	}
	for name, p := range map[string]Predictor{
		"forest":  growForest(2, 20, 3, 40, 31, Softmax),
		"network": randomNetwork(1, []int{20, 16, 3}, Relu, Softmax, true),
	} {
		m, err := New(testInfo(20, 3), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 100} {
			rows, dst := randomRows(1, n, 20), make([]float32, n*3)
			allocations := testing.AllocsPerRun(100, func() {
				if err := m.Probabilities(dst, rows); err != nil {
					t.Error(err)
				}
			})
			if allocations >= 1 {
				t.Errorf("%s: %v allocations for %d rows", name, allocations, n)
			}
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := threeClasses(t)
	rows := randomRows(1, 300, 4)
	want := make([]float32, 900)
	if err := m.Probabilities(want, rows); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got := make([]float32, 900)
			for range 20 {
				if err := m.Probabilities(got, rows); err != nil || !cmp.Equal(got, want) {
					t.Errorf("another answer than alone (%v)", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestProbabilitiesSumToOne(t *testing.T) {
	for _, s := range forestShapes {
		if s.link == Identity {
			continue // random leaves are no probabilities
		}
		k := classes(s.outputs, s.link)
		m, err := New(testInfo(s.inputs, k), growForest(7, s.inputs, s.outputs, s.trees, s.leaves, s.link))
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, 50*k)
		if err := m.Probabilities(dst, randomRows(9, 50, s.inputs)); err != nil {
			t.Fatal(err)
		}
		for ; len(dst) > 0; dst = dst[k:] {
			if sum := Attack(dst[:k]) + float64(dst[0]); math.Abs(sum-1) > 1e-6 {
				t.Fatalf("%s: probabilities %v sum to %v", s.name, dst[:k], sum)
			}
		}
	}
}

func TestErrorsTellWhatAndWhere(t *testing.T) {
	_, err := New(testInfo(4, 3), func() Predictor {
		f := growForest(2, 4, 3, 9, 5, Softmax)
		f.Trees[7].Nodes[0].Feature = 12
		return f
	}())
	if err == nil || !strings.Contains(err.Error(), "tree 7: node 0: input 12 of 4") {
		t.Errorf("error %v does not tell tree, node and input", err)
	}
}
