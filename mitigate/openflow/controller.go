package openflow

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mlids/mitigate"
	"mlids/mitigate/openflow/ofp"
)

// Controller is an OpenFlow controller. It is a mitigate.Enforcer and a mitigate.Locator.
type Controller struct {
	cfg       Config
	log       *slog.Logger
	count     *metrics
	net       *network
	feed      *Feed
	listening chan struct{}
	addr      net.Addr

	mu       sync.Mutex
	sessions map[uint64]*session
	open     int // connections
	blocks   map[string]mitigate.Block
	allowed  []netip.Prefix // whose packets no block concerns
}

// New makes a controller. It does nothing outside until Run.
func New(cfg Config, deps Deps) (*Controller, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("openflow: %w", err)
	}
	feed := newFeed(cfg.FeedSlots, cfg.Poll)
	count, err := newMetrics(deps.Register, feed)
	if err != nil {
		return nil, fmt.Errorf("openflow: %w", err)
	}
	return &Controller{
		cfg: cfg, log: deps.Log, count: count, net: newNetwork(cfg, deps.Log, count), feed: feed,
		listening: make(chan struct{}), sessions: map[uint64]*session{}, blocks: map[string]mitigate.Block{},
	}, nil
}

// Feed are the packets that the controller sees. It has one reader.
func (c *Controller) Feed() *Feed { return c.feed }

// Listening is closed when Addr is known.
func (c *Controller) Listening() <-chan struct{} { return c.listening }

// Addr is where the controller listens.
func (c *Controller) Addr() net.Addr { return c.addr }

// Run serves switches until ctx ends. It leaves their flows as they are.
func (c *Controller) Run(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.cfg.Listen)
	if err != nil {
		return fmt.Errorf("openflow: %w", err)
	}
	if c.cfg.TLS != nil {
		l = tls.NewListener(l, c.cfg.TLS)
	}
	c.addr = l.Addr()
	close(c.listening)
	defer c.feed.Close()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		<-ctx.Done()
		return l.Close()
	})
	group.Go(func() error { return c.accept(ctx, l, group) })
	group.Go(func() error { return c.tick(ctx) })
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("openflow: %w", err)
	}
	return nil
}

// accept takes connections, as many as there may be switches.
func (c *Controller) accept(ctx context.Context, l net.Listener, group *errgroup.Group) error {
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // this connection's trouble, or too many open files: the next one may do
			c.log.Warn("accept", "error", err)
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		if !c.admit() {
			c.log.Warn("too many switches", "peer", conn.RemoteAddr().String(), "limit", maxSwitches)
			_ = conn.Close()
			continue
		}
		group.Go(func() error {
			defer c.release()
			c.serve(ctx, conn)
			return nil
		})
	}
}

// pause waits before the next connection is tried.
func pause(ctx context.Context) error {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (c *Controller) admit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open >= maxSwitches {
		return false
	}
	c.open++
	return true
}

func (c *Controller) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}

// serve serves one connection to its end and says why it ended.
func (c *Controller) serve(ctx context.Context, conn net.Conn) {
	s := newSession(c, conn)
	err := s.run(ctx)
	name := "not known"
	if at := s.node.Load(); at != nil {
		name = switchName(at.id)
	}
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, ErrSwitch):
		c.count.disconnects.WithLabelValues("misbehaved").Inc()
		s.log.Warn("switch disconnected", "switch", name, "reason", err)
	default:
		c.count.disconnects.WithLabelValues("ended").Inc()
		s.log.Info("switch gone", "switch", name, "reason", err)
	}
}

// tick lets the network do what is due by time.
func (c *Controller) tick(ctx context.Context) error {
	probe, step := time.NewTicker(c.cfg.Probe), time.NewTicker(min(c.cfg.Probe, c.cfg.Settle)/2)
	defer probe.Stop()
	defer step.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-probe.C:
			c.net.tick(true)
		case <-step.C:
			c.net.tick(false)
			c.expire(time.Now())
		}
	}
}

// joined brings a switch in that was set up. Of two connections with one datapath id the newer counts: the older one's
// switch went away without a word, or somebody plays it, which only TLS with client certificates prevents.
func (c *Controller) joined(ctx context.Context, s *session, at *node, d *ofp.Description) error {
	c.mu.Lock()
	old := c.sessions[at.id]
	if old == nil && len(c.sessions) >= maxSwitches {
		c.mu.Unlock()
		return fmt.Errorf("more than %d switches: %w", maxSwitches, ErrSwitch)
	}
	c.sessions[at.id] = s
	c.mu.Unlock()
	if old != nil {
		s.log.Warn("switch connected again before its last connection ended", "switch", switchName(at.id))
		_ = old.conn.Close()
	}
	s.log = s.log.With("switch", switchName(at.id))
	s.node.Store(at)
	c.net.join(at)
	s.log.Info("switch connected", "ports", len(at.ports), "flows", at.flows, "software", d.Manufacturer+" "+d.Software,
		"role", c.cfg.Role, "meters", at.meters, "copies", at.copies)
	if err := c.renewAllowed(ctx, s); err != nil {
		return err
	}
	return c.renewBlocks(ctx, s)
}

// left takes a switch out.
func (c *Controller) left(s *session, at *node) {
	c.net.leave(at)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions[at.id] == s {
		delete(c.sessions, at.id)
		c.count.forget(at.id)
	}
}
