package metric

import (
	"errors"
	"fmt"
	"math"
)

// Errors of this package.
var (
	ErrShape = errors.New("predictions do not fit the rows")
	ErrCost  = errors.New("wrong cost matrix")
)

// Scored is a set of rows, what they are, and what a model says of them.
type Scored struct {
	Classes []string  // Classes[0] is the benign class
	Prob    []float32 // P(class k) of row i at i*len(Classes)+k
	Class   []int32   // what row i is, an index in Classes
	Type    []int32   // attack type of row i, an index in Types; nil when types are not known
	Types   []string
	Weight  []float32 // nil: each row counts once
}

// Len is the number of rows.
func (s *Scored) Len() int { return len(s.Class) }

func (s *Scored) weight(i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return float64(s.Weight[i])
}

// row is the probabilities of row i.
func (s *Scored) row(i int) []float32 {
	k := len(s.Classes)
	return s.Prob[i*k : (i+1)*k]
}

// Attack is the attack score of each row, 1 - P(benign): that of verdicts but for the rounding of the difference, which
// makes all rows tie that are next to certain.
func (s *Scored) Attack() []float64 {
	out := make([]float64, s.Len())
	for i := range out {
		out[i] = 1 - float64(s.Prob[i*len(s.Classes)])
	}
	return out
}

// Compared is what a model's decision compares with the threshold (model.Attack): the sum over the attack classes.
func (s *Scored) Compared() []float64 {
	out := make([]float64, s.Len())
	for i := range out {
		for _, p := range s.row(i)[1:] {
			out[i] += float64(p)
		}
	}
	return out
}

// Ranked puts the rows in the order of their attack scores.
func (s *Scored) Ranked() *Ranking { return s.rank(s.Attack()) }

// Decided ranks rows by what decisions compare, so that what a threshold flags here is what the model flags.
func (s *Scored) Decided() *Ranking { return s.rank(s.Compared()) }

func (s *Scored) rank(score []float64) *Ranking {
	attack := make([]bool, s.Len())
	for i, c := range s.Class {
		attack[i] = c != 0
	}
	return Rank(score, attack, s.Weight)
}

// Check returns ErrShape when lengths or indexes do not fit together or a probability is no number.
func (s *Scored) Check() error {
	n, k := s.Len(), len(s.Classes)
	switch {
	case n == 0:
		return fmt.Errorf("%w: no rows", ErrShape)
	case k < 2:
		return fmt.Errorf("%w: %d classes, want at least 2", ErrShape, k)
	case len(s.Prob) != n*k:
		return fmt.Errorf("%w: %d probabilities for %d rows of %d classes", ErrShape, len(s.Prob), n, k)
	case s.Type != nil && len(s.Type) != n:
		return fmt.Errorf("%w: %d attack types for %d rows", ErrShape, len(s.Type), n)
	case s.Weight != nil && len(s.Weight) != n:
		return fmt.Errorf("%w: %d weights for %d rows", ErrShape, len(s.Weight), n)
	}
	for i, c := range s.Class {
		if c < 0 || int(c) >= k {
			return fmt.Errorf("%w: row %d has class %d, known are 0 to %d", ErrShape, i, c, k-1)
		}
		if s.Type != nil && (s.Type[i] < 0 || int(s.Type[i]) >= len(s.Types)) {
			return fmt.Errorf("%w: row %d has attack type %d, known are 0 to %d", ErrShape, i, s.Type[i], len(s.Types)-1)
		}
	}
	for i, p := range s.Prob {
		if !(p >= -1e-6 && p <= 1+1e-6) {
			return fmt.Errorf("%w: P(%s) of row %d is %v", ErrShape, s.Classes[i%k], i/k, p)
		}
	}
	return nil
}

// ratio is a/b, and NaN-free: 0 when there is nothing to divide by.
func ratio(a, b float64) float64 {
	if b == 0 || math.IsNaN(b) {
		return 0
	}
	return a / b
}
