package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// entrance is one of the server's listeners with what it answers.
type entrance struct {
	name     string // "front", "admin"
	address  string
	listener net.Listener
	handler  http.Handler
	max      int         // connections
	local    atomic.Bool // only this machine reaches it
}

// entrances are those that are wanted.
func (s *Server) entrances() []*entrance {
	s.front.address, s.front.listener, s.front.max = s.cfg.Listen, s.cfg.Listener, s.cfg.MaxConnections
	s.admin.address, s.admin.listener, s.admin.max = s.cfg.AdminListen, s.cfg.AdminListener, adminConnections
	if s.admin.address == "" && s.admin.listener == nil {
		return []*entrance{s.front}
	}
	return []*entrance{s.front, s.admin}
}

func (e *entrance) addr() net.Addr {
	if e.listener == nil {
		return nil
	}
	return e.listener.Addr()
}

func closeAll(entrances []*entrance) {
	for _, e := range entrances {
		if e.listener != nil {
			e.listener.Close()
		}
	}
}

// adminConnections bounds the admin door; it is for few.
const adminConnections = 64

// descriptors are those kept for files and other connections.
const descriptors = 128

// bounded is the entrance's listener with a bound on its connections, and TLS if wanted.
func (s *Server) bounded(ctx context.Context, e *entrance) net.Listener {
	limit := e.max
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err == nil && files.Cur < uint64(limit+descriptors) {
		limit = max(1, int(files.Cur)-descriptors)
		s.log.WarnContext(ctx, "fewer connections than wanted: the system allows few open files (ulimit -n)",
			"door", e.name, "wanted", e.max, "connections", limit)
	}
	var l net.Listener = &conns{
		Listener: e.listener, max: limit, now: time.Now, open: map[*conn]struct{}{},
		held: s.metrics.conns.WithLabelValues(e.name), turned: s.metrics.turned.MustCurryWith(prometheus.Labels{"door": e.name}),
	}
	if s.cfg.TLS != nil {
		l = tls.NewListener(l, s.cfg.TLS)
	}
	return l
}

// ErrUnlocked is returned by Run for an address that other machines reach while nothing keeps strangers out.
var ErrUnlocked = errors.New("refusing to serve strangers")

// listen opens an entrance. Doors without locks open to this machine alone, unless the configuration insists.
func (s *Server) listen(ctx context.Context, e *entrance) (err error) {
	if e.listener == nil {
		if e.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", e.address); err != nil {
			return fmt.Errorf("listen on %s: %w", e.address, err)
		}
	}
	if s.deps.Guard.Open() && !s.cfg.Insecure && !isLoopback(e.addr()) {
		return fmt.Errorf("%w: the %s door at %s can be reached from other machines, and no key is set. Make one (mlids keys add NAME "+
			"--role analyst) or give one (MLIDS_KEY), or say --insecure when something else keeps strangers out", ErrUnlocked, e.name, e.addr())
	}
	e.local.Store(isLoopback(e.addr()))
	s.log.InfoContext(ctx, "listening", "door", e.name, "addr", e.addr().String())
	return nil
}

// isLoopback tells whether only this machine reaches an address.
func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback() // not TCP: a Unix socket, or a test's pipe
}

// serve answers at an entrance until ctx ends, then finishes what has begun.
func (s *Server) serve(ctx context.Context, e *entrance) error {
	server := s.httpServer(ctx, e)
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.bounded(ctx, e)) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve on %s: %w", e.addr(), err)
	case <-ctx.Done():
	}
	return s.shutdown(ctx, server)
}

func (s *Server) httpServer(ctx context.Context, e *entrance) *http.Server {
	// Requests in flight outlive ctx: shutdown finishes them.
	requests := context.WithoutCancel(ctx)
	var spoken http.Protocols
	spoken.SetHTTP1(true) // alone: see door.TLS
	return &http.Server{
		Handler:           e.handler,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		Protocols:         &spoken,
		ConnContext:       remember,
		ErrorLog:          newErrorLog(s.log),
	}
}

func (s *Server) shutdown(ctx context.Context, server *http.Server) error {
	s.stopping.Store(true)
	s.log.InfoContext(ctx, "stopping; requests in flight are finished", "timeout", s.cfg.ShutdownTimeout)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	if err := server.Shutdown(within); err != nil {
		return errors.Join(fmt.Errorf("requests not finished within %v were cut off: %w", s.cfg.ShutdownTimeout, err), server.Close())
	}
	s.log.InfoContext(ctx, "stopped")
	return nil
}
