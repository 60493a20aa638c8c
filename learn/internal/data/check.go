// Package data holds what every learner checks and measures before it starts.
package data

import (
	"errors"
	"fmt"
	"math"

	"mlids/dataset"
)

// Errors that learners return for data that nothing can be learned from.
var (
	ErrNoRows   = errors.New("no rows to learn from")
	ErrOneClass = errors.New("all rows have the same class")
	ErrShape    = errors.New("inconsistent data")
)

// Check tells whether something can be learned from train, and whether valid (may be nil) fits to it.
func Check(train, valid *dataset.Set) error {
	if train == nil || train.Len() == 0 {
		return fmt.Errorf("training data: %w", ErrNoRows)
	}
	if err := shape(train); err != nil {
		return fmt.Errorf("training data: %w", err)
	}
	if err := twoClasses(train); err != nil {
		return fmt.Errorf("training data: %w", err)
	}
	if valid == nil {
		return nil
	}
	if err := Compatible(train.Inputs, train.Classes, valid); err != nil {
		return fmt.Errorf("validation data: %w", err)
	}
	return nil
}

// Compatible tells whether s has rows, the inputs and the classes that a model was made for.
func Compatible(inputs, classes []string, s *dataset.Set) error {
	if s.Len() == 0 {
		return ErrNoRows
	}
	if err := shape(s); err != nil {
		return err
	}
	if err := sameNames("input", inputs, s.Inputs); err != nil {
		return err
	}
	return sameNames("class", classes, s.Classes)
}

func sameNames(what string, want, got []string) error {
	if len(want) != len(got) {
		return fmt.Errorf("%w: %d %s names, want %d", ErrShape, len(got), what, len(want))
	}
	for i, n := range want {
		if got[i] != n {
			return fmt.Errorf("%w: %s %d is %q, want %q", ErrShape, what, i, got[i], n)
		}
	}
	return nil
}

func shape(s *dataset.Set) error {
	n := s.Len()
	switch {
	case len(s.X) == 0:
		return fmt.Errorf("%w: no input columns", ErrShape)
	case len(s.X) != len(s.Inputs):
		return fmt.Errorf("%w: %d columns, %d input names", ErrShape, len(s.X), len(s.Inputs))
	case s.Weight != nil && len(s.Weight) != n:
		return fmt.Errorf("%w: %d weights for %d rows", ErrShape, len(s.Weight), n)
	case n > math.MaxInt32:
		return fmt.Errorf("%w: %d rows, at most %d can be learned from", ErrShape, n, math.MaxInt32)
	}
	for j, x := range s.X {
		if len(x) != n {
			return fmt.Errorf("%w: column %s has %d values for %d rows", ErrShape, s.Inputs[j], len(x), n)
		}
	}
	for i, c := range s.Class {
		if c < 0 || int(c) >= len(s.Classes) {
			return fmt.Errorf("%w: row %d has class %d, known are 0 to %d", ErrShape, i, c, len(s.Classes)-1)
		}
	}
	for i, w := range s.Weight {
		if !(w >= 0) || math.IsInf(float64(w), 1) {
			return fmt.Errorf("%w: row %d has weight %v, want a number from 0 on", ErrShape, i, w)
		}
	}
	return nil
}

func twoClasses(s *dataset.Set) error {
	weight := ClassWeights(s)
	present := 0
	only := ""
	for k, w := range weight {
		if w > 0 {
			present++
			only = s.Classes[k]
		}
	}
	if present == 0 {
		return fmt.Errorf("%w: every weight is 0", ErrNoRows)
	}
	if present == 1 {
		return fmt.Errorf("%w: %q", ErrOneClass, only)
	}
	return nil
}

// Weight is the weight of row i; a set without weights counts each row once.
func Weight(s *dataset.Set, i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return float64(s.Weight[i])
}

// ClassWeights sums the rows' weights by class.
func ClassWeights(s *dataset.Set) []float64 {
	sum := make([]float64, len(s.Classes))
	for i, c := range s.Class {
		sum[c] += Weight(s, i)
	}
	return sum
}
