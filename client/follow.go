package client

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"mlids/notify"
)

// Queue is where notifications wait. Leaf packages of notify implement it for services, NATS in this package for the queue of
// mlids itself.
type Queue interface {
	// Receive waits for messages; after some seconds without one it may return none.
	Receive(ctx context.Context) ([]notify.Delivery, error)
	Close() error
}

// Follow tunes how a queue is followed. Zero fields take the default given.
type Follow struct {
	Keep    bool          // leave messages in the queue, where it can
	Wait    time.Duration // after the first failure in a row, twice as long after each further one: 500 ms
	MaxWait time.Duration // 30 s
	Log     *slog.Logger  // told of failures; nil for silence
}

// ErrStop is returned by who is handed messages to say that it has enough: the message was taken, and following ends without
// an error.
var ErrStop = errors.New("enough messages")

// remembered is how many ids are kept to know duplicates by.
const remembered = 1 << 16

// Run hands each message to each, once for every id, and takes it off the queue when each returns nil. A queue that fails is
// asked again, later each time. It returns nil when ctx is done, or the first error of each.
func (f Follow) Run(ctx context.Context, q Queue, each func(*notify.Message) error) error {
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	seen := newRecent(remembered)
	failures := 0
	for ctx.Err() == nil {
		batch, err := q.Receive(ctx)
		if err != nil && ctx.Err() == nil {
			f.Log.Warn("the queue does not answer; trying again", "err", err)
			f.pause(ctx, failures)
			failures++
			continue
		}
		failures = 0
		for _, d := range batch {
			if d.Err != nil { // of somebody else: left for the queue's own dead letters
				f.Log.Warn("a message that is none of mlids", "err", d.Err)
				continue
			}
			if err := f.take(ctx, d, seen, each); errors.Is(err, ErrStop) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// take hands one message on.
func (f Follow) take(ctx context.Context, d notify.Delivery, seen *recent, each func(*notify.Message) error) (last error) {
	if d.Alert.ID == "" || seen.add(d.Alert.ID) {
		last = each(d.Message)
	}
	if f.Keep || d.Delete == nil || last != nil && !errors.Is(last, ErrStop) {
		return last
	}
	if err := d.Delete(context.WithoutCancel(ctx)); err != nil {
		f.Log.Warn("a message stays in the queue and will come again", "id", d.Alert.ID, "err", err)
	}
	return last
}

// pause waits longer with each failure, up to MaxWait, and not as long as others wait.
func (f Follow) pause(ctx context.Context, failures int) {
	most := cmp.Or(f.MaxWait, 30*time.Second)
	wait := min(cmp.Or(f.Wait, 500*time.Millisecond)<<min(failures, 10), most)
	timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// recent remembers the last so many ids.
type recent struct {
	known map[string]bool
	ring  []string
	next  int
}

func newRecent(n int) *recent { return &recent{known: map[string]bool{}, ring: make([]string, n)} }

// add reports whether an id is new.
func (r *recent) add(id string) bool {
	if r.known[id] {
		return false
	}
	delete(r.known, r.ring[r.next])
	r.known[id], r.ring[r.next] = true, id
	r.next = (r.next + 1) % len(r.ring)
	return true
}
