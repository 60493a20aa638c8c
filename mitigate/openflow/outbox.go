package openflow

import (
	"fmt"
	"net"
	"sync"
	"time"

	"mlids/mitigate/openflow/ofp"
)

// The bounds of what waits for a switch that reads slowly, and of how long it may read nothing.
const (
	maxPending   = 16 << 20 // bytes
	writeTimeout = 10 * time.Second
)

// outbox gathers messages for a connection, so that many go out in one write.
type outbox struct {
	conn    net.Conn
	mu      sync.Mutex
	pending []byte
	spare   []byte
	broken  error // nothing more is taken
	wake    chan struct{}
}

func newOutbox(conn net.Conn) *outbox { return &outbox{conn: conn, wake: make(chan struct{}, 1)} }

// put adds a message. A switch that does not read loses its connection.
func (o *outbox) put(xid uint32, m ofp.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		return
	}
	o.pending = ofp.Append(o.pending, xid, m)
	if len(o.pending) > maxPending {
		o.broken, o.pending = fmt.Errorf("reads too slowly: %d bytes wait: %w", len(o.pending), ErrSwitch), nil
		_ = o.conn.Close() // a write may be stuck in it
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take gives all that waits.
func (o *outbox) take() ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.pending
	o.pending, o.spare = o.spare[:0], b
	return b, o.broken
}

// failure is why nothing more is taken.
func (o *outbox) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken
}

// run writes what is put in until done is closed, or the connection or its peer fails.
func (o *outbox) run(done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		case <-o.wake:
		}
		b, err := o.take()
		if err != nil {
			return err
		}
		if err := o.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		if _, err := o.conn.Write(b); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
}
