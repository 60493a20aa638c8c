package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/metric"
	"mlids/learn/mlp"
	"mlids/learn/svm"
	"mlids/learn/tree"
)

// ErrMetric is returned for a metric that Auto cannot choose by.
var ErrMetric = errors.New("unknown metric")

// AutoConfig is how Auto compares. Start from DefaultAuto.
type AutoConfig struct {
	Budget     time.Duration // for comparing; the best is then trained on all rows
	Metric     string        // one of Metrics
	FPR        float64       // false-positive budget of the metric "recall"
	Cost       *metric.Cost  // for the metric "cost"
	Folds      int
	Candidates []Candidate // nil: Candidates()
	Options    Options
	Report     func(Candidate, Trial) // called after each candidate; may be nil
}

// DefaultAuto compares for five minutes by log loss, in five folds.
func DefaultAuto() AutoConfig {
	return AutoConfig{Budget: 5 * time.Minute, Metric: "logloss", FPR: 0.01, Folds: 5}
}

// Metrics lists what Auto can choose by: log loss of the classes, ROC AUC of the attack score, F1 at threshold one half,
// share of rows whose most probable class is right, recall at the false-positive budget, and cost of least-cost decisions.
func Metrics() []string { return []string{"logloss", "auc", "f1", "accuracy", "recall", "cost"} }

// Candidate is a learner to be compared.
type Candidate struct {
	Name      string
	Algorithm string
	New       func(Options) Learner
}

// Trial is how one candidate did on rows that its models had not seen.
type Trial struct {
	Name      string             `json:"name"`
	Algorithm string             `json:"algorithm"`
	Value     float64            `json:"value"`    // of the metric
	Interval  metric.Interval    `json:"interval"` // 95%, by bootstrap
	Seconds   float64            `json:"seconds"`  // for all folds
	Skipped   string             `json:"skipped,omitempty"`
	Eval      *metric.Evaluation `json:"evaluation,omitempty"`
	Scored    *metric.Scored     `json:"-"` // out of fold
}

// Comparison is what Auto found.
type Comparison struct {
	Metric string  `json:"metric"`
	Trials []Trial `json:"trials"`
	Best   int     `json:"best"` // index in Trials
	Reason string  `json:"reason"`

	Learner Learner `json:"-"` // the best, as it was trained on all rows
}

// Auto cross-validates candidates until the time budget is spent, at least the first of them, and trains the best on all
// rows. The folds are the same for all, and depend on the seed only; which candidates there is time for depends on the
// machine.
func Auto(ctx context.Context, s *dataset.Set, c AutoConfig) (*Fitted, *Comparison, error) {
	figure, err := c.figure()
	if err != nil {
		return nil, nil, fmt.Errorf("automatic choice: %w", err)
	}
	if err := data.Check(s, nil); err != nil {
		return nil, nil, fmt.Errorf("automatic choice: %w", err)
	}
	if c.Candidates == nil {
		c.Candidates = Candidates()
	}
	out := &Comparison{Metric: c.Metric, Best: -1}
	start := time.Now()
	for _, candidate := range c.Candidates {
		t, err := c.try(ctx, candidate, s, figure, c.Budget-time.Since(start), out.Best >= 0)
		if err != nil {
			return nil, nil, fmt.Errorf("automatic choice: %s: %w", candidate.Name, err)
		}
		out.Trials = append(out.Trials, *t)
		if n := len(out.Trials) - 1; t.Skipped == "" && (out.Best < 0 || figure.better(t.Value, out.Trials[out.Best].Value)) {
			out.Best = n
		}
		if c.Report != nil {
			c.Report(candidate, *t)
		}
	}
	if out.Best < 0 {
		return nil, nil, fmt.Errorf("automatic choice: %w", ErrAlgorithm)
	}
	out.Reason = out.reason()
	out.Learner = c.Candidates[out.Best].New(c.Options)
	f, err := out.Learner.Fit(ctx, s, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("automatic choice: %s on all rows: %w", c.Candidates[out.Best].Name, err)
	}
	return f, out, nil
}

// try cross-validates one candidate in the time that is left. Without another to fall back on it takes what it needs.
func (c *AutoConfig) try(ctx context.Context, candidate Candidate, s *dataset.Set, f *figure, left time.Duration, fallback bool) (*Trial, error) {
	t := &Trial{Name: candidate.Name, Algorithm: candidate.Algorithm}
	if fallback && left <= 0 {
		t.Skipped = "no time left"
		return t, nil
	}
	limited := ctx
	if fallback {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	start := time.Now()
	scored, err := CrossValidate(limited, candidate.New(c.Options), s, c.Folds, c.Options.Seed)
	t.Seconds = time.Since(start).Seconds()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		t.Skipped = fmt.Sprintf("not done after %.0f s", t.Seconds)
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if t.Eval, err = metric.Evaluate(scored, metric.Options{Cost: c.Cost}); err != nil {
		return nil, err
	}
	t.Scored, t.Value = scored, f.of(scored)
	t.Interval = scored.Bootstrap(max(40, min(2_000_000/scored.Len(), 400)), c.Options.Seed, f.of)
	return t, nil
}

// figure is a metric to choose by.
type figure struct {
	of  func(*metric.Scored) float64
	low bool // less is better
}

func (f *figure) better(a, b float64) bool {
	if f.low {
		return a < b
	}
	return a > b
}

// figure finds the metric.
func (c *AutoConfig) figure() (*figure, error) {
	switch c.Metric {
	case "logloss":
		return &figure{low: true, of: (*metric.Scored).LogLoss}, nil
	case "auc":
		return &figure{of: func(s *metric.Scored) float64 { return s.Ranked().ROCAUC() }}, nil
	case "f1":
		return &figure{of: f1}, nil
	case "accuracy":
		return &figure{of: func(s *metric.Scored) float64 {
			unit := metric.Unit(s.Classes)
			return 1 - unit.Mean(s.Confusion(nil))
		}}, nil
	case "recall":
		if !(c.FPR >= 0 && c.FPR <= 1) {
			return nil, fmt.Errorf("%w: %v, want 0 to 1", ErrBudget, c.FPR)
		}
		return &figure{of: func(s *metric.Scored) float64 { r := s.Ranked(); return r.Recall(r.Budget(c.FPR)) }}, nil
	case "cost":
		return c.costFigure()
	}
	return nil, fmt.Errorf("%w %q: known are %s", ErrMetric, c.Metric, strings.Join(Metrics(), ", "))
}

func f1(s *metric.Scored) float64 {
	r := s.Ranked()
	at := r.At(0.5)
	return 2 * at.Attack / max(r.Attack+at.Attack+at.Benign, math.SmallestNonzeroFloat64)
}

func (c *AutoConfig) costFigure() (*figure, error) {
	if c.Cost == nil {
		return nil, fmt.Errorf("%w: cost needs a cost matrix", ErrMetric)
	}
	return &figure{low: true, of: func(s *metric.Scored) float64 {
		cost, err := c.Cost.For(s.Classes)
		if err != nil {
			return math.Inf(1) // Evaluate has told the error by then
		}
		return cost.Mean(s.Confusion(cost.Decide))
	}}, nil
}

// reason tells why the best is the best, and which others chance could have put in its place.
func (c *Comparison) reason() string {
	best := c.Trials[c.Best]
	var rivals []string
	for i, t := range c.Trials {
		if i == c.Best || t.Skipped != "" {
			continue
		}
		if t.Interval.Holds(best.Value) || best.Interval.Holds(t.Value) {
			rivals = append(rivals, t.Name)
		}
	}
	text := fmt.Sprintf("%s has the best %s out of fold: %.6g (95%%: %.6g to %.6g)", best.Name, c.Metric, best.Value, best.Interval.Low, best.Interval.High)
	if len(rivals) == 0 {
		return text + "; no other comes as close as chance could explain"
	}
	return text + "; by chance it could also have been " + strings.Join(rivals, ", ")
}

// Candidates are what Auto compares: each algorithm with its default settings first, then variations that are known to
// matter.
func Candidates() []Candidate {
	return []Candidate{
		boosted("boost", nil),
		single("tree", nil),
		perceptron("mlp", nil),
		machine("svm", svm.Default()),
		machine("rbf", svm.DefaultRBF()),
		boosted("boost, small steps", func(c *tree.Boost) { c.Trees, c.LearningRate, c.Columns = 300, 0.05, 0.5 }),
		boosted("boost, restrained", func(c *tree.Boost) {
			c.L2, c.MinChild, c.Columns, c.Rows, c.Leaves, c.Trees = 10, 5, 0.5, 0.8, 15, 200
		}),
		boosted("boost, large trees", func(c *tree.Boost) { c.Leaves, c.Columns = 127, 0.5 }),
		perceptron("mlp, wide, dropout", func(c *mlp.Config) { c.Hidden, c.Dropout = []int{128, 64}, 0.2 }),
		single("tree, deep", func(c *tree.Config) { c.Depth, c.MinLeaf = 24, 1 }),
		single("tree, shallow", func(c *tree.Config) { c.Depth = 6 }),
		machine("svm, stiff", with(svm.Default(), func(c *svm.Config) { c.C = 0.1 })),
		machine("rbf, narrow", with(svm.DefaultRBF(), func(c *svm.Config) { c.Gamma, c.Features = 0.1, 512 })),
	}
}

func with[T any](c T, change func(*T)) T {
	if change != nil {
		change(&c)
	}
	return c
}

func boosted(name string, change func(*tree.Boost)) Candidate {
	return Candidate{name, "boost", func(o Options) Learner { return Boost{Config: with(tree.DefaultBoost(), change), Options: o} }}
}

func single(name string, change func(*tree.Config)) Candidate {
	return Candidate{name, "tree", func(o Options) Learner { return Tree{Config: with(tree.DefaultTree(), change), Options: o} }}
}

func perceptron(name string, change func(*mlp.Config)) Candidate {
	return Candidate{name, "mlp", func(o Options) Learner { return MLP{Config: with(mlp.Default(), change), Options: o} }}
}

func machine(name string, c svm.Config) Candidate {
	return Candidate{name, "svm", func(o Options) Learner { return SVM{Config: c, Options: o} }}
}
