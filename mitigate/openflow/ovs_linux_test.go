package openflow

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/internal/ovstest"
)

// startController runs a controller until the test ends or stop is called.
func startController(tb testing.TB, cfg Config) (c *Controller, stop func()) {
	tb.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	c, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(tb.Output(), nil)), Register: prometheus.NewRegistry()})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	}
	tb.Cleanup(stop)
	select {
	case <-c.Listening():
	case <-time.After(10 * time.Second):
		tb.Fatal("does not listen")
	}
	return c, stop
}

// edgesKnown reports whether the controller knows so many switches and links, and no port is new.
func (c *Controller) settled(switches, links int) bool {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for _, at := range c.net.nodes {
		for _, p := range at.ports {
			if p.Up() && !p.linked && !c.net.isEdge(p) {
				return false
			}
		}
	}
	return len(c.net.nodes) == switches && c.net.linkCount() == links
}

// seed is the topology of the demonstration: h1 and attacker on s1, h2 on s2.
func seed(t *testing.T) (n *ovstest.Net, h1, attacker, h2 *ovstest.Host) {
	t.Helper()
	n = ovstest.New(t, "ping")
	n.Switch("s1", 1)
	n.Switch("s2", 2)
	n.Link("s1", 10, "s2", 10)
	return n, n.Host("h1", "s1", 1, 1), n.Host("at", "s1", 2, 3), n.Host("h2", "s2", 1, 2)
}

func TestSeedTopology(t *testing.T) {
	n, h1, attacker, h2 := seed(t)
	c, _ := startController(t, Config{})
	for _, name := range []string{"s1", "s2"} {
		n.Control(name, "tcp:"+c.Addr().String())
	}
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	for _, from := range []*ovstest.Host{h1, attacker} {
		for _, to := range []string{h2.IP, h2.IP6} {
			if sent, answered, text := n.Ping(from, to, 10, 20*time.Millisecond); answered != sent {
				t.Errorf("%s to %s: %s", from.Name, to, text)
			}
		}
	}
	t.Log(n.OFCtl("dump-flows", "s1"), n.OFCtl("dump-flows", "s2"))
}
