package tree

import (
	"errors"
	"math"
	"slices"
	"testing"

	"mlids/dataset"
	"mlids/learn/internal/kddset"
	"mlids/model"
)

func TestADecisionTreeTellsTheKindsOfAttacks(t *testing.T) {
	train, test := halves(t, 20)
	for _, criterion := range []string{Gini, Entropy} {
		t.Run(criterion, func(t *testing.T) {
			c := DefaultTree()
			c.Criterion = criterion
			f, err := c.Fit(t.Context(), train)
			if err != nil {
				t.Fatal(err)
			}
			if e := evaluate(t, f, test); e.Correct < 0.99 || e.Binary.ROCAUC < 0.99 {
				t.Errorf("class accuracy %.4f, AUC %.4f, want at least 0.99", e.Correct, e.Binary.ROCAUC)
			}
		})
	}
}

func TestLeavesHoldSmoothedProbabilities(t *testing.T) {
	s := stairs(100, 0)
	c := DefaultTree()
	c.Depth = 1
	f, err := c.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	tree := f.Trees[0]
	if len(tree.Nodes) != 3 || tree.Nodes[0].Feature != 0 || math.Abs(float64(tree.Nodes[0].Threshold)-0.5) > 0.05 {
		t.Fatalf("nodes %+v, want one split of x near 0.5", tree.Nodes)
	}
	left := tree.Nodes[tree.Nodes[0].Left]
	want := []float64{single((left.Cover + 1) / (left.Cover + 2)), single(1 / (left.Cover + 2))}
	if got := tree.Values[left.Left:][:2]; !slices.Equal(got, want) {
		t.Errorf("left leaf holds %v, want %v", got, want)
	}
	if cover := tree.Nodes[0].Cover; math.Abs(cover-100) > 1e-6 {
		t.Errorf("cover of the root is %v, want 100", cover)
	}
}

func TestADecisionTreeIsTheSameOnAnyNumberOfCores(t *testing.T) {
	train, _ := halves(t, 40)
	var want []byte
	for _, cores := range []int{1, 2, 8} {
		got := onCores(t, cores, func() (*model.Forest, error) { return DefaultTree().Fit(t.Context(), train) })
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d cores made another tree than 1 core", cores)
		}
	}
}

func TestADecisionTreeStopsWhereItIsTold(t *testing.T) {
	s := kddset.Load(t, 100)
	c := DefaultTree()
	c.Leaves, c.MinLeaf = 7, 20
	f, err := c.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	leaves := 0
	for _, n := range f.Trees[0].Nodes {
		if n.Feature < 0 {
			leaves++
			if n.Cover < 20 {
				t.Errorf("a leaf of weight %v, want at least 20", n.Cover)
			}
		}
	}
	if leaves != 7 {
		t.Errorf("%d leaves, want 7", leaves)
	}
	c.Criterion = "luck"
	if _, err := c.Fit(t.Context(), s); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v, want %v", err, ErrConfig)
	}
}

// Rows that no input tells apart stay in one leaf, whatever measures purity.
func TestALeafIsNotSplitForNothing(t *testing.T) {
	s := &dataset.Set{
		Inputs: []string{"x", "y"}, X: [][]float32{{1, 1, 1, 1, 2, 2, 2, 2}, {3, 3, 3, 3, 3, 3, 3, 3}},
		Class: []int32{0, 1, 0, 1, 1, 0, 1, 0}, Classes: []string{"benign", "attack"},
	}
	for _, criterion := range []string{Gini, Entropy} {
		c := DefaultTree()
		c.Criterion = criterion
		f, err := c.Fit(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(f.Trees[0].Nodes); n != 1 {
			t.Errorf("%s: %d nodes, want a lone leaf: no split gains anything", criterion, n)
		}
	}
}
