package anomaly

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/model"
)

// plane is rows whose third input is the product of the other two: a plane once the logarithm is taken.
func plane(n int) *dataset.Set {
	r := rand.New(rand.NewPCG(4, 2))
	s := &dataset.Set{Inputs: []string{"x", "y", "z"}, Classes: []string{"benign", "attack"}, Types: []string{"a"}, X: make([][]float32, 3)}
	for i := range n {
		x, y := math.Exp(4+r.NormFloat64()), math.Exp(4+r.NormFloat64())
		s.X[0], s.X[1], s.X[2] = append(s.X[0], float32(x)), append(s.X[1], float32(y)), append(s.X[2], float32(x*y*math.Exp(0.1*r.NormFloat64())))
		s.Class, s.Type, s.Weight = append(s.Class, int32(i%10/9)), append(s.Type, 0), append(s.Weight, 1)
	}
	return s
}

// scored is P(anomaly) of rows by a model read back from its file.
func scored(t *testing.T, n *model.Network, rows []float32) []float64 {
	t.Helper()
	m, err := model.New(model.Info{Name: "m", Inputs: []string{"x", "y", "z"}, Classes: Classes()}, n)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = model.Read(m.Encode()); err != nil {
		t.Fatal(err)
	}
	probs := make([]float32, len(rows)/3*2)
	if err := m.Probabilities(probs, rows); err != nil {
		t.Fatal(err)
	}
	var out []float64
	for ; len(probs) > 0; probs = probs[2:] {
		out = append(out, float64(probs[1]))
	}
	return out
}

// A row whose inputs are all usual, but not together, is an anomaly.
func TestRowsOffThePlaneAreAnomalies(t *testing.T) {
	s := plane(2000)
	c := DefaultLinear()
	c.Components = 2
	n, err := c.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var rows []float32
	for i := range s.Len() {
		rows = append(rows, s.X[0][i], s.X[1][i], s.X[2][i])
	}
	above := 0
	for _, p := range scored(t, n, rows) {
		if p > 0.5 {
			above++
		}
	}
	if above < 5 || above > 40 {
		t.Errorf("%d of 2000 rows score above one half, want about one in a hundred", above)
	}
	nan := float32(math.NaN())
	odd := scored(t, n, []float32{55, 55, 55 * 55, 20, 20, 20_000, nan, nan, nan, 1e30, 0, float32(math.Inf(1))})
	if !(odd[0] < 0.5 && odd[1] > 0.99 && odd[2] < 0.6 && odd[3] > 0.99) {
		t.Errorf("a usual row, one off the plane, a missing and a monstrous one score %.3f", odd)
	}
}

func TestTheSameComponentsOnAnyNumberOfCores(t *testing.T) {
	var files [][]byte
	for _, cores := range []int{1, 4} {
		before := runtime.GOMAXPROCS(cores)
		n, err := DefaultLinear().Fit(t.Context(), plane(1000))
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	if !slices.Equal(files[0], files[1]) {
		t.Error("the network depends on the number of cores")
	}
}

func TestLinearOfOddRows(t *testing.T) {
	inf := float32(math.Inf(1))
	for name, change := range map[string]func(*dataset.Set){
		"all the same": func(s *dataset.Set) { clear(s.X[0]); clear(s.X[1]); clear(s.X[2]) },
		"all missing":  func(s *dataset.Set) { s.X[1] = slices.Repeat([]float32{float32(math.NaN())}, s.Len()) },
		"infinite":     func(s *dataset.Set) { s.X[0][0], s.X[0][1], s.X[1][0] = inf, -inf, -math.MaxFloat32 },
		"largest":      func(s *dataset.Set) { s.X[0] = slices.Repeat([]float32{math.MaxFloat32}, s.Len()) },
		"one row":      func(s *dataset.Set) { *s = *s.Subset([]int32{0}) },
	} {
		s := plane(100)
		change(s)
		n, err := DefaultLinear().Fit(t.Context(), s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, p := range scored(t, n, []float32{s.X[0][0], s.X[1][0], s.X[2][0], 1, 2, 3}) {
			if !(p >= 0 && p <= 1) {
				t.Errorf("%s: row %d scores %v", name, i, p)
			}
		}
	}
}

func TestLinearRefuses(t *testing.T) {
	for name, change := range map[string]func(*Linear){
		"components": func(c *Linear) { c.Components = -1 },
		"limit":      func(c *Linear) { c.Limit = 0 },
		"middle":     func(c *Linear) { c.Middle = 1 },
	} {
		c := DefaultLinear()
		change(&c)
		if _, err := c.Fit(t.Context(), plane(20)); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error %v, want %v", name, err, ErrConfig)
		}
	}
	attacks := plane(20)
	for i := range attacks.Class {
		attacks.Class[i] = 1
	}
	if _, err := DefaultLinear().Fit(t.Context(), attacks); !errors.Is(err, data.ErrNoRows) {
		t.Errorf("error %v, want %v", err, data.ErrNoRows)
	}
}

// A column that never changed says nothing of a row that is a little off: rounding of its sums must not pass for a deviation.
func TestAConstantColumnIsNotStretched(t *testing.T) {
	s := plane(110_000)
	s.X[1] = slices.Repeat([]float32{65535}, s.Len())
	n, err := DefaultLinear().Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Scaler.Scale[1]; got != 1 {
		t.Errorf("scale %v of a constant column, want 1", got)
	}
}
