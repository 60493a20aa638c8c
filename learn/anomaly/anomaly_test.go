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

func cloud(n int) *dataset.Set {
	r := rand.New(rand.NewPCG(4, 2))
	s := &dataset.Set{Inputs: []string{"x", "y", "z"}, Classes: []string{"benign", "attack"}, Types: []string{"a", "b"}, X: make([][]float32, 3)}
	for i := range n {
		for j := range s.X {
			s.X[j] = append(s.X[j], float32(r.NormFloat64()))
		}
		if i%50 == 0 {
			s.X[2][i] = float32(math.NaN())
		}
		s.Class, s.Type, s.Weight = append(s.Class, int32(i%10/9)), append(s.Type, 0), append(s.Weight, 1)
	}
	return s
}

func margin(f *model.Forest, s *dataset.Set, row int32) float64 {
	m := f.Base[0]
	for t := range f.Trees {
		m += pathLength(&f.Trees[t], s.X, row)
	}
	return m
}

func TestFarRowsAreAnomalies(t *testing.T) {
	s := cloud(2000)
	f, err := Default().Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	above := 0
	for i := range int32(2000) {
		if margin(f, s, i) > 0 {
			above++
		}
	}
	if above < 5 || above > 40 {
		t.Errorf("%d of 2000 rows score above one half, want about one in a hundred", above)
	}
	far := &dataset.Set{X: [][]float32{{40, 0}, {-40, 0}, {9, 0}}}
	if a, b := margin(f, far, 0), margin(f, far, 1); a < 1 || b > -1 {
		t.Errorf("margin %.2f of a far row and %.2f of a common one", a, b)
	}
}

func TestTheSameForestOnAnyNumberOfCores(t *testing.T) {
	var files [][]byte
	for _, cores := range []int{1, 4} {
		before := runtime.GOMAXPROCS(cores)
		f, err := Default().Fit(t.Context(), cloud(1000))
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	if !slices.Equal(files[0], files[1]) {
		t.Error("the forest depends on the number of cores")
	}
}

func TestOddRows(t *testing.T) {
	inf := float32(math.Inf(1))
	for name, change := range map[string]func(*dataset.Set){
		"all the same": func(s *dataset.Set) { clear(s.X[0]); clear(s.X[1]); clear(s.X[2]) },
		"all missing":  func(s *dataset.Set) { s.X[1] = slices.Repeat([]float32{float32(math.NaN())}, s.Len()) },
		"infinite":     func(s *dataset.Set) { s.X[0][0], s.X[0][1], s.X[1][0] = inf, -inf, -math.MaxFloat32 },
	} {
		s := cloud(100)
		change(s)
		f, err := Default().Fit(t.Context(), s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range int32(100) {
			if m := margin(f, s, i); m != m || math.IsInf(m, 0) {
				t.Errorf("%s: margin of row %d is %v", name, i, m)
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"trees":  func(c *Config) { c.Trees = 0 },
		"sample": func(c *Config) { c.Sample = 1 },
		"middle": func(c *Config) { c.Middle = 1 },
	} {
		c := Default()
		change(&c)
		if _, err := c.Fit(t.Context(), cloud(20)); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error %v, want %v", name, err, ErrConfig)
		}
	}
	attacks := cloud(20)
	for i := range attacks.Class {
		attacks.Class[i] = 1
	}
	if _, err := Default().Fit(t.Context(), attacks); !errors.Is(err, data.ErrNoRows) {
		t.Errorf("error %v, want %v", err, data.ErrNoRows)
	}
}
