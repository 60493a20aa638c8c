package api

import (
	"context"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// grace is how long a request body may take to come, or an answer to be taken, while others wait for a connection.
const grace = 5 * time.Second

// conns bounds the connections of a door. When all are taken, a newcomer gets the place of the one that has waited longest
// without a whole request, then of one whose request or answer has crawled for longer than grace; so those who open many and
// send nothing, or send slowly, shut out themselves. Only when all are busy, the newcomer is sent away.
type conns struct {
	net.Listener
	max    int
	held   prometheus.Gauge
	turned *prometheus.CounterVec // away: "idle", "slow", "full"
	now    func() time.Time

	mu   sync.Mutex
	open map[*conn]struct{}
}

// conn is a connection of a door.
type conn struct {
	net.Conn
	owner *conns

	// since is when it began to wait for a request (above 0) or to move a body or answer (below 0, negated), in nanoseconds of
	// Unix time; 0 while an answer is computed.
	since atomic.Int64
}

// Accept waits for a connection and makes room for it.
func (l *conns) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: raw, owner: l}
		c.waiting(l.now())
		if l.admit(c) {
			return c, nil
		}
		l.turned.WithLabelValues("full").Inc()
		raw.Close()
	}
}

// admit takes a connection in.
func (l *conns) admit(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.max {
		other, why := l.idlest(c.since.Load())
		if other == nil {
			return false
		}
		delete(l.open, other)
		other.Conn.Close()
		l.turned.WithLabelValues(why).Inc()
	}
	l.open[c] = struct{}{}
	l.held.Set(float64(len(l.open)))
	return true
}

// idlest finds whom to close: a look at all of them, which only a full door takes.
func (l *conns) idlest(now int64) (c *conn, why string) {
	var waits, crawls *conn
	longestWait, longestCrawl := int64(math.MaxInt64), now-int64(grace)
	for c := range l.open {
		switch since := c.since.Load(); {
		case since > 0 && since < longestWait:
			waits, longestWait = c, since
		case since < 0 && -since < longestCrawl:
			crawls, longestCrawl = c, -since
		}
	}
	if waits != nil {
		return waits, "idle"
	}
	return crawls, "slow"
}

// Close closes a connection and frees its place.
func (c *conn) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.open, c)
	c.owner.held.Set(float64(len(c.owner.open)))
	c.owner.mu.Unlock()
	return c.Conn.Close()
}

func (c *conn) waiting(now time.Time) { c.since.Store(now.UnixNano()) }
func (c *conn) moving(now time.Time)  { c.since.Store(-now.UnixNano()) }
func (c *conn) computing()            { c.since.Store(0) }

type connKey struct{}

// remember lets requests find their connection.
func remember(ctx context.Context, c net.Conn) context.Context {
	if tls, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = tls.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

// connOf is the connection of a request; one of no door when there is none, as in tests of handlers.
func connOf(r *http.Request) *conn {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		return c
	}
	return new(conn)
}
