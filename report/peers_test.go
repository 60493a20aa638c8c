package report

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// peers are columns and what scikit-learn and SciPy say of them; testdata/make_peers.py makes the file.
type peers struct {
	A, B, C, D, C2 []float32
	Class          []int32
	Pearson        float64 `json:"pearson_ab"`
	Spearman       float64 `json:"spearman_ab"`
	SpearmanTies   float64 `json:"spearman_ac"`
	Information    float64 `json:"information_c"`
	Entropy        float64
	AUCa           float64 `json:"auc_a"`
	AUCc           float64 `json:"auc_c"`
	KS             float64 `json:"ks_ad"`
	PSI            float64 `json:"psi_c"`
}

func TestFiguresAreThoseOfPeers(t *testing.T) {
	text, err := os.ReadFile("testdata/peers.json")
	if err != nil {
		t.Fatal(err)
	}
	var p peers
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	g := &target{classes: []string{"benign", "dos", "probe"}, class: p.Class, count: make([]int, 3)}
	for _, k := range p.Class {
		g.count[k]++
	}
	a, c := order(p.A), order(p.C)
	for _, x := range []struct {
		name      string
		got, want float64
	}{
		{"Pearson", dot(standardise(p.A), standardise(p.B)), p.Pearson},
		{"Spearman", dot(standardise(rankOf(p.A)), standardise(rankOf(p.B))), p.Spearman},
		{"Spearman with ties", dot(standardise(rankOf(p.A)), standardise(rankOf(p.C))), p.SpearmanTies},
		{"mutual information", g.information(c.bins(64)), p.Information},
		{"entropy", g.entropy(), p.Entropy},
		{"AUC", g.auc(a), p.AUCa},
		{"AUC with ties", g.auc(c), p.AUCc},
		{"Kolmogorov-Smirnov", kolmogorov(a, order(p.D)), p.KS},
		{"stability index", stability(c.parts(order(p.C2))), p.PSI},
	} {
		if math.Abs(x.got-x.want) > 2e-6 {
			t.Errorf("%s: %.8f, want %.8f", x.name, x.got, x.want)
		}
	}
}

func TestFiguresByHand(t *testing.T) {
	g := &target{classes: []string{"benign", "attack"}, class: []int32{0, 0, 0, 1, 1, 1}, count: []int{3, 3}}
	perfect, none := order([]float32{1, 1, 1, 2, 2, 2}), order([]float32{5, 5, 5, 5, 5, 5})
	unique := order([]float32{1, 2, 3, 4, 5, 6})
	nan := float32(math.NaN())
	for _, x := range []struct {
		name      string
		got, want float64
	}{
		{"information of a column that says all", g.information(perfect.bins(64)), math.Ln2},
		{"information of a constant", g.information(none.bins(64)), 0},
		{"one rule of a column that says all", g.oneRule(perfect.bins(64)), 1},
		{"one rule of a value for each row", g.oneRule(unique.bins(64)), 0},
		{"one rule without majority", g.oneRule(none.bins(64)), 0},
		{"AUC of a constant", g.auc(none), 0.5},
		{"AUC with missing values", g.auc(order([]float32{1, nan, nan, nan, nan, 2})), 1},
		{"AUC of one kind", (&target{classes: g.classes, class: make([]int32, 6)}).auc(unique), 0.5},
		{"index of equal tables", stability([]int{5, 5}, []int{50, 50}), 0},
		{"index by hand", stability([]int{5, 5}, []int{8, 2}), 0.3*math.Log(1.6) - 0.3*math.Log(0.4)},
		{"KS of equal samples", kolmogorov(unique, unique), 0},
		{"KS of samples apart", kolmogorov(order([]float32{1, 2}), order([]float32{3})), 1},
		{"KS with nothing", kolmogorov(unique, order(nil)), 0},
		{"correlation with a constant", dot(standardise(none.x), standardise(unique.x)), 0},
	} {
		if math.Abs(x.got-x.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", x.name, x.got, x.want)
		}
	}
}

func TestOrder(t *testing.T) {
	nan, huge := float32(math.NaN()), float32(math.MaxFloat32)
	o := order([]float32{3, nan, -1, 0, huge, -huge, 3, -0.5})
	want := []int32{5, 2, 7, 3, 0, 6, 4, 1}
	for i, row := range o.rows {
		if row != want[i] {
			t.Fatalf("order %v, want %v", o.rows, want)
		}
	}
	if o.valid != 7 {
		t.Errorf("%d values, want 7", o.valid)
	}
}
