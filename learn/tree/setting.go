package tree

import (
	"errors"
	"fmt"
)

// ErrConfig is returned for a setting that makes no sense.
var ErrConfig = errors.New("wrong setting")

// setting is a value with the range it must be in.
type setting struct {
	name             string
	value, low, high float64
}

func inRange(settings []setting) error {
	for _, s := range settings {
		if !(s.value >= s.low && s.value <= s.high) {
			return fmt.Errorf("%w: %s is %v, want %v to %v", ErrConfig, s.name, s.value, s.low, s.high)
		}
	}
	return nil
}
