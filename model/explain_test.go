package model

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// expectation is the game of TreeSHAP as its paper defines it: the mean of the leaves that a row may reach when only the
// inputs in known are known.
func expectation(t *Tree, i int32, row []float32, known uint) float64 {
	n := &t.Nodes[i]
	if n.Feature < 0 {
		return t.Values[n.Left]
	}
	if known>>n.Feature&1 == 1 {
		if n.left(row[n.Feature]) {
			return expectation(t, n.Left, row, known)
		}
		return expectation(t, n.Right, row, known)
	}
	l, r := t.Nodes[n.Left].Cover, t.Nodes[n.Right].Cover
	return (l*expectation(t, n.Left, row, known) + r*expectation(t, n.Right, row, known)) / (l + r)
}

// shapley sums over all subsets of inputs.
func shapley(f *Forest, row []float32) []float64 {
	n := f.Inputs
	game := make([]float64, 1<<n)
	for known := range game {
		for i := range f.Trees {
			game[known] += expectation(&f.Trees[i], 0, row, uint(known))
		}
	}
	out := make([]float64, n)
	for i := range n {
		for set := range game {
			if set>>i&1 == 1 {
				continue
			}
			size := 0
			for j := range n {
				size += set >> j & 1
			}
			weight := math.Gamma(float64(size+1)) * math.Gamma(float64(n-size)) / math.Gamma(float64(n+1))
			out[i] += weight * (game[set|1<<i] - game[set])
		}
	}
	return out
}

func TestShapleyOfTrees(t *testing.T) {
	for _, leaves := range []int{1, 2, 5, 31, 200} {
		f := growForest(3, 8, 1, 5, leaves, Logistic)
		f.Trees[0].Nodes[len(f.Trees[0].Nodes)-1].Cover = 0
		m, err := New(testInfo(8, 2), f)
		if err != nil {
			t.Fatal(err)
		}
		rows := randomRows(4, 20, 8)
		for ; len(rows) > 0; rows = rows[8:] {
			want := shapley(f, rows[:8])
			x, err := m.ExplainClass(rows[:8], 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range x.Contributions {
				var i int
				if _, err := fmt.Sscanf(c.Input, "input_%d", &i); err != nil {
					t.Fatal(err)
				}
				if math.Abs(c.Contribution-want[i]) > 1e-9 {
					t.Errorf("%d leaves: input %d contributes %v, want %v", leaves, i, c.Contribution, want[i])
				}
			}
		}
	}
}

func TestExplanationsSumToMargin(t *testing.T) {
	predictors := map[string]Predictor{}
	for _, s := range forestShapes {
		predictors["forest "+s.name] = growForest(7, s.inputs, s.outputs, s.trees, s.leaves, s.link)
	}
	for _, s := range networkShapes {
		predictors["network "+s.name] = randomNetwork(5, s.widths, s.hidden, s.link, s.log)
	}
	for name, p := range predictors {
		t.Run(name, func(t *testing.T) {
			inputs, outputs, link := p.shape()
			m, err := New(testInfo(inputs, classes(outputs, link)), p)
			if err != nil {
				t.Fatal(err)
			}
			for rows := randomRows(6, 10, inputs); len(rows) > 0; rows = rows[inputs:] {
				checkSums(t, m, rows[:inputs])
			}
		})
	}
}

func checkSums(t *testing.T, m *Model, row []float32) {
	t.Helper()
	margins := make([]float64, m.Outputs())
	if err := m.Margins(margins, row); err != nil {
		t.Fatal(err)
	}
	for class := range m.Classes() {
		x, err := m.ExplainClass(row, class)
		if err != nil {
			t.Fatal(err)
		}
		sum := x.Base
		for _, c := range x.Contributions {
			sum += c.Contribution
		}
		want := margins[min(class, m.Outputs()-1)]
		if m.Outputs() == 1 && class == 0 {
			want = -want
		}
		if math.Abs(sum-want) > 1e-6 || math.Abs(x.Margin-want) > 1e-6 {
			t.Errorf("class %d: parts sum to %v, margin %v, want %v", class, sum, x.Margin, want)
		}
	}
}

func TestExplainRefuses(t *testing.T) {
	m, err := New(testInfo(3, 2), growForest(1, 3, 1, 2, 4, Logistic))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Explain([]float32{1, 2}); err == nil {
		t.Error("a short row was explained")
	}
	if _, err := m.ExplainClass([]float32{1, 2, 3}, 2); err == nil {
		t.Error("a class that does not exist was explained")
	}
}

func TestQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	column := make([]float32, 100_000)
	for i := range column {
		column[i] = float32(r.Float64())
	}
	column[5] = float32(math.NaN())
	info := testInfo(2, 2)
	info.Quantiles = [][]float32{Quantiles(column, nil), Quantiles([]float32{0, 0, 0, 7}, []float32{1, 1, 1, 1})}
	for _, c := range []struct {
		input int
		x     float32
		want  float64
	}{
		{0, -1, 0}, {0, 2, 1}, {0, 0.5, 0.5}, {0, 0.07, 0.07}, {0, float32(math.NaN()), -1},
		{1, 0, 0.75}, {1, 7, 1}, {1, -1, 0}, {2, 0, -1},
	} {
		if got := info.quantile(c.input, c.x); math.Abs(got-c.want) > 0.02 {
			t.Errorf("quantile of %v is %v, want %v", c.x, got, c.want)
		}
	}
	weighted := Quantiles([]float32{1, 2}, []float32{3, 1})
	if weighted[14] != 1 || weighted[16] != 2 {
		t.Errorf("weights are not heeded: %v", weighted)
	}
	if q := Quantiles([]float32{float32(math.Inf(-1)), 1, float32(math.Inf(1))}, nil); q[0] != -math.MaxFloat32 || q[20] != math.MaxFloat32 {
		t.Errorf("infinities stay: %v", q)
	}
	if len(Quantiles(nil, nil)) != 0 {
		t.Error("quantiles of nothing")
	}
}

func TestContributionJSON(t *testing.T) {
	for _, c := range []struct {
		c    Contribution
		want string
	}{
		{Contribution{"a", 1.5, -2, 0.25}, `{"input":"a","value":1.5,"contribution":-2,"quantile":0.25}`},
		{Contribution{"b", float32(math.Inf(1)), 0, -1}, `{"input":"b","value":null,"contribution":0,"quantile":null}`},
	} {
		if got, err := json.Marshal(c.c); err != nil || string(got) != c.want {
			t.Errorf("%s, %v: want %s", got, err, c.want)
		}
	}
}
