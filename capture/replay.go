package capture

import (
	"context"
	"math"
	"time"
)

// replay is a Source that gives frames at the pace at which they were captured.
type replay struct {
	Source
	speed   float64
	timer   *time.Timer
	started time.Time // when the first frame was given
	first   int64     // its time stamp
}

// Replay gives the frames of src at speed times the pace of their time stamps: 1 is real time, 10 ten times as fast. A
// frame that is due, or older than the one before, does not wait. A speed that is not above 0 does without pacing.
func Replay(src Source, speed float64) Source {
	if !(speed > 0) { // NaN, too
		return src
	}
	return &replay{Source: src, speed: speed}
}

// Next waits until the next frame is due.
func (r *replay) Next(ctx context.Context, f *Frame) error {
	if err := r.Source.Next(ctx, f); err != nil {
		return err
	}
	if r.timer == nil {
		r.started, r.first = time.Now(), f.Time
		r.timer = time.NewTimer(0)
		<-r.timer.C
		return nil
	}
	due := time.Duration(min(float64(f.Time-r.first)/r.speed, math.MaxInt64/2))
	wait := due - time.Since(r.started)
	if wait <= 0 {
		return nil
	}
	r.timer.Reset(wait)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.timer.C:
		return nil
	}
}
