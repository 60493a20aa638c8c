package data

import (
	"errors"
	"fmt"
)

// ErrConfig is what learners return for a setting that makes no sense.
var ErrConfig = errors.New("wrong setting")

// Setting is a value with the range it must be in.
type Setting struct {
	name             string
	value, low, high float64
}

// Range is a setting that must be from low to high, both included.
func Range(name string, value, low, high float64) Setting { return Setting{name, value, low, high} }

// InRange returns ErrConfig with the first setting that is out of range.
func InRange(settings ...Setting) error {
	for _, s := range settings {
		if !(s.value >= s.low && s.value <= s.high) {
			return fmt.Errorf("%w: %s is %v, want %v to %v", ErrConfig, s.name, s.value, s.low, s.high)
		}
	}
	return nil
}
