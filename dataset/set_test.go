package dataset_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mlids/dataset"
	"mlids/feature"
)

const flows = "pkts,rate,proto,label\n" +
	"1,0.5,6,normal\n" +
	"2,,17,smurf\n" +
	"1,0.5,6,normal\n" +
	"1,0.5,6,neptune\n" +
	"2,NaN,17,smurf\n" +
	"1,0.5,tcp,normal\n"

func set(tb testing.TB, text string) *dataset.Set {
	tb.Helper()
	s, err := mustCSV(tb, text, dataset.Options{}).Set(nil, dataset.KDD99())
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// equal compares sets, NaN equal to NaN.
func equal(tb testing.TB, got, want *dataset.Set) {
	tb.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); d != "" {
		tb.Errorf("sets differ (-want +got):\n%s", d)
	}
}

func TestSet(t *testing.T) {
	all := []float32{nan, nan, nan, nan, nan, nan}
	equal(t, set(t, flows), &dataset.Set{
		Inputs: []string{"pkts", "rate", "proto=6", "proto=17", "proto=icmp", "late"},
		X: [][]float32{
			{1, 2, 1, 1, 2, 1}, {0.5, nan, 0.5, 0.5, nan, 0.5},
			{1, 0, 1, 1, 0, 0}, {0, 1, 0, 0, 1, 0}, {0, 0, 0, 0, 0, 0}, all,
		},
		Class: []int32{0, 1, 0, 1, 1, 0}, Classes: []string{"normal", "dos", "probe", "r2l", "u2r"},
		Type: []int32{0, 1, 0, 2, 1, 0}, Types: []string{"normal", "smurf", "neptune"},
		Weight: []float32{1, 1, 1, 1, 1, 1},
	})
}

func TestSetWantsColumns(t *testing.T) {
	table := mustCSV(t, flows, dataset.Options{})
	_, err := table.Set([]feature.Input{{Name: "port", Column: port, Category: -1}}, dataset.KDD99())
	if !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("got %v; want ErrColumn", err)
	}
	if _, err := table.AppendRows(nil, []feature.Input{{Name: "port", Column: port, Category: -1}}, 0, 1); !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("got %v; want ErrColumn", err)
	}
}

func TestMerge(t *testing.T) {
	s := set(t, flows)
	want := s.Subset([]int32{0, 1, 3, 5})
	want.Weight = []float32{2, 2, 1, 1}
	equal(t, s.Merge(), want)
	equal(t, s.Merge().Merge(), want)

	merged, err := mustCSV(t, flows, dataset.Options{}).Merge().Merge().Set(nil, dataset.KDD99())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, merged, want)
}

func TestGroups(t *testing.T) {
	if got, want := set(t, flows).Groups(), []int32{0, 1, 0, 0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("groups are %v; want %v", got, want)
	}
}

func TestSelect(t *testing.T) {
	s := set(t, flows)
	got, err := s.Select([]string{"rate", "pkts"})
	if err != nil || !same(got.X[1], s.X[0]) || len(got.X) != 2 || got.Inputs[0] != "rate" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := s.Select([]string{"nothing"}); !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("got %v; want ErrColumn", err)
	}
}

func TestConcat(t *testing.T) {
	a := set(t, "pkts,rate,proto,label\n1,1,6,smurf\n2,1,6,normal\n")
	b := set(t, "pkts,rate,proto,label\n3,1,6,normal\n4,1,6,satan\n")
	b.Classes = []string{"normal", "probe", "dos"}
	b.Class = []int32{0, 1}
	got, err := dataset.Concat(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if !same(got.X[0], []float32{1, 2, 3, 4}) || !slices.Equal(got.Types, []string{"smurf", "normal", "satan"}) ||
		!slices.Equal(got.Type, []int32{0, 1, 1, 2}) || !slices.Equal(got.Class, []int32{1, 0, 0, 2}) {
		t.Errorf("got %+v", got)
	}
	if len(a.Types) != 2 || len(a.Classes) != 5 {
		t.Error("Concat changed its arguments")
	}
	few, err := b.Select(b.Inputs[:2])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dataset.Concat(a, few); !errors.Is(err, dataset.ErrColumn) {
		t.Errorf("got %v; want ErrColumn", err)
	}
	b.Classes = []string{"benign", "probe", "dos"}
	if _, err := dataset.Concat(a, b); !errors.Is(err, dataset.ErrLabel) {
		t.Errorf("got %v; want ErrLabel", err)
	}
}

func TestRows(t *testing.T) {
	s := set(t, flows)
	want := []float32{1, 0.5, 1, 0, 0, nan, 2, nan, 0, 1, 0, nan}
	if got := s.Rows(); len(got) != 36 || !same(got[:12], want) {
		t.Errorf("got %v", got)
	}
	got := s.AppendRows([]float32{7}, 1, 2)
	if !same(got, append([]float32{7}, want[6:]...)) {
		t.Errorf("got %v", got)
	}
}

func TestFingerprint(t *testing.T) {
	s := set(t, flows)
	if s.Fingerprint() != set(t, flows).Fingerprint() || len(s.Fingerprint()) != 64 {
		t.Error("the same set has two fingerprints")
	}
	seen := map[string]bool{s.Fingerprint(): true}
	for name, change := range map[string]func(s *dataset.Set){
		"value":  func(s *dataset.Set) { s.X[0][3]++ },
		"class":  func(s *dataset.Set) { s.Class[0] = 2 },
		"type":   func(s *dataset.Set) { s.Type[0] = 2 },
		"weight": func(s *dataset.Set) { s.Weight[0] = 2 },
		"name":   func(s *dataset.Set) { s.Inputs[0] = "x" },
		"rows":   func(s *dataset.Set) { *s = *s.Subset([]int32{1, 0, 2, 3, 4, 5}) },
	} {
		c := set(t, flows)
		change(c)
		if f := c.Fingerprint(); seen[f] {
			t.Errorf("another %s does not change the fingerprint", name)
		} else {
			seen[f] = true
		}
	}
}

// random is a set with many duplicates and rare types.
func random(n int) *dataset.Set {
	r := rand.New(rand.NewPCG(5, 6))
	s := &dataset.Set{
		Inputs: []string{"a", "b"}, X: [][]float32{nil, nil}, Classes: []string{"benign", "attack"},
		Types: []string{"benign", "common", "rare", "single"},
	}
	for i := range n {
		kind := int32(min(2, int(r.ExpFloat64())))
		if i == n/2 {
			kind = 3
		}
		s.X[0] = append(s.X[0], float32(r.IntN(20)))
		s.X[1] = append(s.X[1], float32(kind*100)+float32(r.IntN(10)))
		s.Type, s.Class, s.Weight = append(s.Type, kind), append(s.Class, min(kind, 1)), append(s.Weight, 1)
	}
	return s
}

func byType(s *dataset.Set) []int {
	n := make([]int, len(s.Types))
	for _, k := range s.Type {
		n[k]++
	}
	return n
}

// rowsOf are the distinct vectors of a set.
func rowsOf(s *dataset.Set) map[[2]float32]bool {
	rows := map[[2]float32]bool{}
	for i := range s.Len() {
		rows[[2]float32{s.X[0][i], s.X[1][i]}] = true
	}
	return rows
}

func noneShared(t *testing.T, a, b *dataset.Set) {
	t.Helper()
	in := rowsOf(a)
	for row := range rowsOf(b) {
		if in[row] {
			t.Fatalf("row %v is on both sides", row)
		}
	}
}

func TestSplit(t *testing.T) {
	s := random(3000)
	rest, held, err := s.Split(0.25, 1)
	if err != nil {
		t.Fatal(err)
	}
	noneShared(t, rest, held)
	if rest.Len()+held.Len() != s.Len() {
		t.Error("rows were lost")
	}
	all, away := byType(s), byType(held)
	for k, n := range all[:3] {
		if share := float64(away[k]) / float64(n); math.Abs(share-0.25) > 0.05 {
			t.Errorf("%.2f of type %s are held; want 0.25", share, s.Types[k])
		}
	}
	if away[3] != 0 {
		t.Error("the only row of a type left the larger part")
	}
	_, again, _ := s.Split(0.25, 1)
	equal(t, again, held)
	if _, other, _ := s.Split(0.25, 2); other.Fingerprint() == held.Fingerprint() {
		t.Error("another seed gives the same split")
	}
}

func TestFolds(t *testing.T) {
	s := random(3000)
	folds, err := s.Folds(5, 1)
	if err != nil {
		t.Fatal(err)
	}
	tested := make([]int, len(s.Types))
	for train, test := range folds {
		noneShared(t, train, test)
		if train.Len()+test.Len() != s.Len() || test.Len() < 500 || test.Len() > 700 {
			t.Errorf("%d rows to train and %d to test", train.Len(), test.Len())
		}
		for k, n := range byType(test) {
			tested[k] += n
		}
	}
	if want := byType(s); !slices.Equal(tested, want) {
		t.Errorf("tested %v; want %v", tested, want)
	}
	for range folds {
		break // stopping early is allowed
	}
}

func TestHoldOut(t *testing.T) {
	s := random(300)
	rest, held, err := s.HoldOut("rare", "single")
	if err != nil {
		t.Fatal(err)
	}
	if a, b, all := byType(rest), byType(held), byType(s); a[2]+a[3]+b[0]+b[1] != 0 || b[2] != all[2] || b[3] != 1 {
		t.Errorf("rest has %v, held %v of %v", a, b, all)
	}
}

func TestSplitRefuses(t *testing.T) {
	s, tiny := random(300), random(1)
	for name, do := range map[string]func() error{
		"fraction 0":     func() error { _, _, err := s.Split(0, 1); return err },
		"fraction 1":     func() error { _, _, err := s.Split(1, 1); return err },
		"fraction NaN":   func() error { _, _, err := s.Split(math.NaN(), 1); return err },
		"one row":        func() error { _, _, err := tiny.Split(0.5, 1); return err },
		"one fold":       func() error { _, err := s.Folds(1, 1); return err },
		"too many folds": func() error { _, err := tiny.Folds(2, 1); return err },
		"no such type":   func() error { _, _, err := s.HoldOut("zero-day"); return err },
	} {
		if err := do(); !errors.Is(err, dataset.ErrSplit) {
			t.Errorf("%s: got %v; want ErrSplit", name, err)
		}
	}
}
