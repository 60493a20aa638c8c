package door

import (
	"math"
	"sync/atomic"
	"time"
)

// bucket limits a rate and lets a caller go into debt: a table of more rows than a second allows is taken when nothing is
// owed, and paid for by waiting. (rate.Limiter refuses what exceeds its burst for ever.) It is the generic cell rate
// algorithm, one number: when all that was taken will have been paid for.
type bucket struct {
	cost  time.Duration // of one unit; 0: no limit
	burst time.Duration // how far ahead of payment a caller may be
	paid  atomic.Int64  // Unix time in nanoseconds
}

// newBucket allows perSecond units a second, and a second's worth (one unit at least) at once. 0 sets no limit.
func newBucket(perSecond float64) *bucket { return newBurst(perSecond, perSecond) }

// newBurst allows perSecond units a second, and atOnce of them (one at least) at once.
func newBurst(perSecond, atOnce float64) *bucket {
	b := &bucket{}
	if perSecond > 0 {
		b.cost = max(1, time.Duration(float64(time.Second)/perSecond))
		b.burst = time.Duration(float64(b.cost) * max(1, atOnce))
	}
	return b
}

// take takes n units. It returns 0, or how long to wait when a debt is left; then nothing is taken.
func (b *bucket) take(now time.Time, n int) time.Duration {
	if b.cost == 0 || n <= 0 {
		return 0
	}
	at := now.UnixNano()
	for {
		was := b.paid.Load()
		from := max(was, at)
		if wait := from + int64(b.cost) - int64(b.burst) - at; wait > 0 {
			return time.Duration(wait)
		}
		if b.paid.CompareAndSwap(was, addCapped(from, int64(n), int64(b.cost))) {
			return 0
		}
	}
}

// addCapped is t + n·cost, or the largest number.
func addCapped(t, n, cost int64) int64 {
	if n > (math.MaxInt64-t)/cost {
		return math.MaxInt64
	}
	return t + n*cost
}
