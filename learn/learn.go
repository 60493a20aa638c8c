package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/metric"
	"mlids/learn/mlp"
	"mlids/learn/svm"
	"mlids/learn/tree"
	"mlids/model"
)

// Errors of this package; they come wrapped with what was found and what would be right.
var (
	ErrNoRows    = data.ErrNoRows   // nothing to learn from
	ErrOneClass  = data.ErrOneClass // all rows have the same class
	ErrShape     = data.ErrShape    // columns, weights or classes that contradict each other
	ErrAlgorithm = errors.New("unknown algorithm")
	ErrClass     = errors.New("class that the model does not know")
	ErrBudget    = errors.New("false-positive budget out of range")
)

// Learner makes a predictor of a labelled table.
type Learner interface {
	// Fit learns from train. valid (nil: none) has rows that train has not, with the same inputs and classes; learners
	// that can stop early or calibrate use it. Cancelling ctx ends it with ctx.Err() wrapped.
	Fit(ctx context.Context, train, valid *dataset.Set) (*Fitted, error)
}

// Fitted is what a learner made.
type Fitted struct {
	Algorithm string
	Settings  any // the learner's configuration, with JSON tags
	Predictor model.Predictor
	Inputs    []string
	Classes   []string
	Priors    []float64 // share of each class in the training data's weight
	Curve     []float64 // validation loss after each round or epoch, in nats; nil without validation
}

// Model wraps the predictor as a model. Algorithm, Inputs, Classes and Priors of info are filled in; the rest is the
// caller's.
func (f *Fitted) Model(info model.Info) (*model.Model, error) {
	info.Algorithm, info.Inputs, info.Classes, info.Priors = f.Algorithm, f.Inputs, f.Classes, f.Priors
	m, err := model.New(info, f.Predictor)
	if err != nil {
		return nil, fmt.Errorf("model of algorithm %s: %w", f.Algorithm, err)
	}
	return m, nil
}

// Judge scores a set by the predictor.
func (f *Fitted) Judge(s *dataset.Set) (*metric.Scored, error) {
	m, err := f.Model(model.Info{Name: f.Algorithm})
	if err != nil {
		return nil, err
	}
	return Score(m, s)
}

// Importance is the share of each input in what a forest tells, as tree.Importance has it; nil for a network.
func (f *Fitted) Importance() []float64 {
	if p, ok := f.Predictor.(*model.Forest); ok {
		return tree.Importance(p)
	}
	return nil
}

// Progress is how far a learner has come.
type Progress struct {
	Done, Of int     // rounds, leaves or epochs
	Loss     float64 // on the validation set; NaN when there is none
}

// Options are what all algorithms have in common. The zero value is ready to use.
type Options struct {
	Seed     uint64
	Progress func(Progress) // may be nil
}

func (o Options) report(done, of int, loss float64) {
	if o.Progress != nil {
		o.Progress(Progress{Done: done, Of: of, Loss: loss})
	}
}

// Algorithms lists what New knows: svm is a linear machine, rbf one with a Gaussian kernel.
func Algorithms() []string { return []string{"tree", "boost", "svm", "rbf", "mlp"} }

// New returns a learner with its default settings; ErrAlgorithm for a name that is not in Algorithms.
func New(algorithm string, o Options) (Learner, error) {
	switch algorithm {
	case "tree":
		return Tree{Config: tree.DefaultTree(), Options: o}, nil
	case "boost":
		return Boost{Config: tree.DefaultBoost(), Options: o}, nil
	case "svm":
		return SVM{Config: svm.Default(), Options: o}, nil
	case "rbf":
		return SVM{Config: svm.DefaultRBF(), Options: o}, nil
	case "mlp":
		return MLP{Config: mlp.Default(), Options: o}, nil
	}
	return nil, fmt.Errorf("%w %q: known are %s", ErrAlgorithm, algorithm, strings.Join(Algorithms(), ", "))
}

// fitted fills in what follows from the training data.
func fitted(algorithm string, settings any, train *dataset.Set, p model.Predictor, curve []float64) *Fitted {
	return &Fitted{
		Algorithm: algorithm, Settings: settings, Predictor: p, Curve: curve, Priors: priors(train),
		Inputs: slices.Clone(train.Inputs), Classes: slices.Clone(train.Classes),
	}
}

// priors is the share of each class in a set's weight.
func priors(s *dataset.Set) []float64 {
	shares := data.ClassWeights(s)
	total := 0.0
	for _, w := range shares {
		total += w
	}
	for k := range shares {
		shares[k] /= total
	}
	return shares
}
