package openflow

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mlids/mitigate/openflow/ofp"
)

// maxAnswer bounds one answer of many parts, in bytes: half a million flows.
const maxAnswer = 64 << 20

// call is a question to a switch that waits for its answer.
type call struct {
	each  func(h ofp.Header, body []byte) error // takes the parts of the answer, from the session's reader
	err   error                                 // the switch's refusal, or that of each
	bytes int
	last  uint32 // the number whose answer ends it
	since time.Time
	done  chan struct{}
}

// calls are the questions that a session has open.
type calls struct {
	mu   sync.Mutex
	next uint32
	open map[uint32]*call
}

func newCalls() *calls { return &calls{open: map[uint32]*call{}} }

// number gives the number of the next message.
func (c *calls) number() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	return c.next
}

// begin notes a question and gives its number.
func (c *calls) begin(each func(ofp.Header, []byte) error) (uint32, *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	k := &call{each: each, last: c.next, since: time.Now(), done: make(chan struct{})}
	c.open[c.next] = k
	return c.next, k
}

// expect adds a further number whose refusal would be that of k.
func (c *calls) expect(k *call) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	c.open[c.next] = k
	return c.next
}

// find gives the call with a number.
func (c *calls) find(xid uint32) (*call, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.open[xid]
	return k, ok
}

// overdue reports whether a question is older than patience. Whoever asked may have given up: then nobody else notices.
func (c *calls) overdue(patience time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.open {
		if time.Since(k.since) > patience {
			return true
		}
	}
	return false
}

// answer takes a message that answers something. A multipart answer ends with its last part, any other at once. It reports
// false for what nobody asked.
func (c *calls) answer(h ofp.Header, body []byte, last bool) (bool, error) {
	k, ok := c.find(h.XID)
	if !ok {
		return false, nil
	}
	if k.bytes += len(body); k.bytes > maxAnswer {
		return true, fmt.Errorf("%v without end, %d bytes until now: %w", h.Type, k.bytes, ErrSwitch)
	}
	if k.err == nil && k.each != nil {
		if err := k.each(h, body); err != nil {
			return true, err
		}
	}
	if last {
		c.end(k)
	}
	return true, nil
}

// refuse takes an error message. It reports false when it refuses nothing that somebody waits for. The refusal of one of
// several messages does not end a call: the barrier behind them does.
func (c *calls) refuse(xid uint32, e *ofp.Error) bool {
	k, ok := c.find(xid)
	if !ok {
		return false
	}
	if k.err == nil {
		k.err = &ofp.Error{Of: e.Of, Code: e.Code, Data: append([]byte(nil), e.Data...)}
	}
	if xid == k.last {
		c.end(k)
	}
	return true
}

func (c *calls) end(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for xid, other := range c.open {
		if other == k {
			delete(c.open, xid)
		}
	}
	select {
	case <-k.done:
	default:
		close(k.done)
	}
}

// wait waits for the answer. A switch that gives none in time is given up by the caller.
func (k *call) wait(ctx context.Context, gone <-chan struct{}, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-k.done:
		return k.err
	case <-ctx.Done():
		return ctx.Err()
	case <-gone:
		return fmt.Errorf("disconnected: %w", ErrNoSwitch)
	case <-timer.C:
		return fmt.Errorf("no answer for %v: %w", patience, ErrSwitch)
	}
}
