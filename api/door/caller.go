package door

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Errors of this package, wrapped with details. None says more of a key than its public part.
var (
	ErrUnknown     = errors.New("not authenticated")
	ErrForbidden   = errors.New("not allowed")
	ErrUnavailable = errors.New("callers cannot be checked now")
)

// LimitError tells a caller to wait.
type LimitError struct {
	What string        // "requests", "rows"
	Wait time.Duration // until a next one is taken
}

// Error says what is limited.
func (e *LimitError) Error() string {
	return fmt.Sprintf("too many %s; try again in %d s", e.What, e.Seconds())
}

// Seconds is the wait for Retry-After, rounded up.
func (e *LimitError) Seconds() int64 { return int64(math.Ceil(max(e.Wait, 1).Seconds())) }

// Caller is who sends a request. It is shared by all requests of the same key.
type Caller struct {
	Name   string // of the key, or the subject of a token or certificate; fit for logs
	How    string // "key", "token", "certificate", "open door", "" for strangers
	Role   Role
	Expiry time.Time // zero: never

	requests, rows *bucket // nil: no limit
}

// Rows asks to have n rows classified; it returns a *LimitError when those before are not paid for yet.
func (c *Caller) Rows(now time.Time, n int) error { return c.take("rows", now, n) }

func (c *Caller) take(what string, now time.Time, n int) error {
	if c == nil {
		return nil
	}
	b := c.requests
	if what == "rows" {
		b = c.rows
	}
	if b == nil {
		return nil
	}
	if wait := b.take(now, n); wait > 0 {
		return &LimitError{what, wait}
	}
	return nil
}

// expired tells whether the caller's time is over.
func (c *Caller) expired(now time.Time) bool { return !c.Expiry.IsZero() && !now.Before(c.Expiry) }
