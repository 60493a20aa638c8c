package openflow

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"mlids"
	"mlids/capture"
)

// Feed are the packets that the controller sees, as a capture.Source: those that asked for a way, and copies of those in
// installed flows; and what the switches counted beyond these. A packet is in it once, from the switch where it entered the network. When its reader is too slow,
// packets are dropped and counted.
type Feed struct {
	idle    time.Duration
	dropped atomic.Uint64

	mu     sync.Mutex
	slots  []slot
	first  int // of the frames that wait
	count  int
	last   int64 // time of the last frame: a detector's time does not go back
	closed bool
	wake   chan struct{}
	held   []byte // of the frame that Next gave out
}

type slot struct {
	data []byte
	wire uint32
	time int64
	port mlids.Port // of the edge

	unseen uint32 // see capture.Frame
}

// maxKept is how large a slot's buffer may stay: a full Ethernet frame, no more.
const maxKept = 2048

func newFeed(slots int, idle time.Duration) *Feed {
	return &Feed{idle: idle, slots: make([]slot, slots), wake: make(chan struct{}, 1)}
}

var _ capture.Source = (*Feed)(nil)

// push adds a copy of a frame that entered the network by port, and reports whether there was room. With unseen it stands
// for frames that a switch has counted.
func (f *Feed) push(data []byte, wire int, port mlids.Port, unseen uint32) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.count == len(f.slots) {
		f.dropped.Add(1)
		return false
	}
	s := &f.slots[(f.first+f.count)%len(f.slots)]
	f.last = max(f.last, time.Now().UnixNano())
	s.data, s.wire, s.time, s.port, s.unseen = append(s.data[:0], data...), uint32(max(wire, len(data))), f.last, port, unseen
	f.count++
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return true
}

// Next fills f with the next frame, see capture.Source. It waits at most a second and then returns capture.ErrIdle.
func (f *Feed) Next(ctx context.Context, to *capture.Frame) error {
	if done, err := f.pop(to); done {
		return err
	}
	timer := time.NewTimer(f.idle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return capture.ErrIdle
		case <-f.wake:
		}
		if done, err := f.pop(to); done {
			return err
		}
	}
}

// pop takes the first frame, if there is one. Its buffer is exchanged with that of the frame given out before.
func (f *Feed) pop(to *capture.Frame) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return true, fmt.Errorf("openflow: feed closed: %w", io.ErrClosedPipe)
	}
	if f.count == 0 {
		return false, nil
	}
	s := &f.slots[f.first]
	if cap(f.held) > maxKept {
		f.held = nil
	}
	s.data, f.held = f.held, s.data
	*to = capture.Frame{Data: f.held, Time: s.time, WireLen: s.wire, Link: capture.LinkEthernet, Ingress: s.port, Unseen: s.unseen}
	f.first, f.count = (f.first+1)%len(f.slots), f.count-1
	return true, nil
}

// Dropped is how many frames found the feed full.
func (f *Feed) Dropped() uint64 { return f.dropped.Load() }

// Close ends the feed; what comes later is dropped.
func (f *Feed) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return nil
}
