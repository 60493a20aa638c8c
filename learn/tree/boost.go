package tree

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/model"
)

// Boost is how boosted trees are grown (Friedman, 2001): each tree is a Newton step on the weighted log loss of those
// before. Start from DefaultBoost.
type Boost struct {
	Trees        int     `json:"trees"`            // rounds, at least 1; with K > 2 classes each round grows K trees
	Leaves       int     `json:"leaves"`           // of a tree at most, at least 2
	Depth        int     `json:"depth"`            // of a tree at most; 0: no limit
	LearningRate float64 `json:"learning_rate"`    // share of each step that is taken, above 0, at most 1
	L2           float64 `json:"l2"`               // added to the hessian of each leaf, at least 0
	MinChild     float64 `json:"min_child_weight"` // least sum of hessians in a leaf, at least 0
	MinRows      float64 `json:"min_rows"`         // least weight of rows in a leaf, estimated from hessians as LightGBM does
	MinGain      float64 `json:"min_gain"`         // least loss that a split must save
	MaxStep      float64 `json:"max_step"`         // largest value of a leaf before LearningRate; 0: no limit
	Rows         float64 `json:"row_share"`        // share of rows that each round sees, above 0, at most 1
	Columns      float64 `json:"column_share"`     // share of inputs that each tree may use, at most 1; 0: half of them for two classes, else all
	Patience     int     `json:"patience"`         // rounds without a better validation loss after which it stops; 0: never
	Seed         uint64  `json:"seed"`             // of the samples of rows and columns

	Progress func(Round) `json:"-"` // called after each round; may be nil
}

// Round is how far boosting has come.
type Round struct {
	Done, Of int
	Loss     float64 // weighted mean log loss on the validation set, in nats; NaN without one
}

// DefaultBoost is 100 trees of 31 leaves. With two classes each is of half of the inputs: what one input tells of the attacks
// at hand is then told by others, too, and more of that holds for attacks that training lacks. A least hessian of 1 and a
// largest step keep rare classes from running away.
func DefaultBoost() Boost {
	return Boost{Trees: 100, Leaves: 31, LearningRate: 0.1, L2: 1, MinChild: 1, MaxStep: 5, Rows: 1, Patience: 20}
}

// Check returns ErrConfig with the first setting that is out of range.
func (c *Boost) Check() error {
	return data.InRange(
		data.Range("trees", float64(c.Trees), 1, 1e5),
		data.Range("leaves", float64(c.Leaves), 2, 1<<15),
		data.Range("depth", float64(c.Depth), 0, 1<<10),
		data.Range("learning_rate", c.LearningRate, 1e-6, 1),
		data.Range("l2", c.L2, 0, 1e9),
		data.Range("min_child_weight", c.MinChild, 0, 1e9),
		data.Range("min_rows", c.MinRows, 0, 1e9),
		data.Range("min_gain", c.MinGain, 0, 1e9),
		data.Range("max_step", c.MaxStep, 0, 1e9),
		data.Range("row_share", c.Rows, 1e-6, 1),
		data.Range("column_share", c.Columns, 0, 1),
		data.Range("patience", float64(c.Patience), 0, 1e5),
	)
}

// Fit grows a forest: one margin for two classes (Logistic), else one per class (Softmax). With a validation set (nil:
// none) it keeps the rounds up to the one with the least loss there, and stops when Patience rounds brought no better
// one; the curve has the loss of every round. The same data, settings and seed give the same forest on any number of
// cores.
func (c Boost) Fit(ctx context.Context, train, valid *dataset.Set) (*model.Forest, []float64, error) {
	if err := c.Check(); err != nil {
		return nil, nil, fmt.Errorf("boosted trees: %w", err)
	}
	if err := data.Check(train, valid); err != nil {
		return nil, nil, fmt.Errorf("boosted trees: %w", err)
	}
	b := newBooster(&c, train, valid, runtime.GOMAXPROCS(0))
	if len(b.t.columns) == 0 {
		return b.forest, nil, nil // no input tells any rows apart: the priors are all there is to know
	}
	for done := 1; done <= c.Trees; done++ {
		if err := ctx.Err(); err != nil {
			return nil, nil, fmt.Errorf("boosted trees: stopped after %d of %d rounds: %w", done-1, c.Trees, err)
		}
		b.round(done)
		if c.Progress != nil {
			c.Progress(Round{Done: done, Of: c.Trees, Loss: b.loss()})
		}
		if b.exhausted(done) {
			break
		}
	}
	return b.best(), b.curve, nil
}

// booster is the state between two rounds.
type booster struct {
	cfg       *Boost
	t         *table
	forest    *model.Forest
	margins   [][]float64 // by output, of each row
	objective loss
	grower    grower
	g, h      []float32
	all       []uint32 // 0, 1, …
	ends      []int    // number of trees after each round

	valid *held // nil: none
	curve []float64
	top   int // round with the least validation loss
}

func newBooster(c *Boost, train, valid *dataset.Set, workers int) *booster {
	t := newTable(train, workers)
	b := &booster{cfg: c, t: t, forest: start(train), g: make([]float32, t.rows), h: make([]float32, t.rows)}
	b.margins, b.objective = newLoss(b.forest, t.class, t.weight)
	b.all = make([]uint32, t.rows)
	for i := range b.all {
		b.all[i] = uint32(i)
	}
	b.grower = grower{
		t: t, workers: workers, leaves: c.Leaves, depth: c.Depth, minRows: c.MinRows, pool: pool{t: t},
		score: scorer{l2: c.L2, minGain: c.MinGain, maxStep: c.MaxStep},
		pairs: make([]pair, t.rows), rows: make([]uint32, t.rows), spare: make([]uint32, t.rows),
	}
	if c.Depth == 0 {
		b.grower.depth = math.MaxInt
	}
	if c.MaxStep == 0 {
		b.grower.score.maxStep = math.MaxFloat64
	}
	if valid != nil {
		b.valid = newHeld(b.forest, valid)
	}
	return b
}

// leastPrior bounds the margins that boosting starts from: a class that begins as nearly impossible has hessians near
// zero, and no leaf of its rows would reach MinChild.
const leastPrior = 0.05

// start is the forest without trees: the priors alone.
func start(s *dataset.Set) *model.Forest {
	weight := data.ClassWeights(s)
	total := 0.0
	for _, w := range weight {
		total += w
	}
	if len(weight) == 2 {
		p := max(leastPrior, min(weight[1]/total, 1-leastPrior))
		return &model.Forest{Inputs: len(s.X), Outputs: 1, Link: model.Logistic, Base: []float64{single(math.Log(p / (1 - p)))}}
	}
	f := &model.Forest{Inputs: len(s.X), Outputs: len(weight), Link: model.Softmax, Base: make([]float64, len(weight))}
	for k, w := range weight {
		f.Base[k] = single(math.Log(max(w/total, leastPrior)))
	}
	return f
}

// single rounds to what a model's file holds.
func single(v float64) float64 { return float64(float32(v)) }

// newLoss makes the loss of rows at the forest's base.
func newLoss(f *model.Forest, class []int32, weight []float64) ([][]float64, loss) {
	margins := make([][]float64, f.Outputs)
	for k := range margins {
		margins[k] = make([]float64, len(class))
		for i := range margins[k] {
			margins[k][i] = f.Base[k]
		}
	}
	if f.Link == model.Logistic {
		return margins, &logistic{margins: margins[0], class: class, weight: weight}
	}
	n := len(class)
	return margins, &softmax{margins: margins, class: class, weight: weight, top: make([]float64, n), sum: make([]float64, n)}
}
