package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"mlids/feature"
)

// Server answers requests. Make it by New; it is safe for concurrent use.
type Server struct {
	cfg       Config
	log       *slog.Logger
	deps      Deps
	metrics   *metrics
	catalogue *feature.Catalogue
	compiled  classifiers
	memory    *semaphore.Weighted // bytes of bodies
	slots     chan struct{}       // predictions in computation
	ids       requestIDs
	works     sync.Pool // of *work
	inflaters sync.Pool // of *gzip.Reader
	handler   http.Handler

	started, stopping atomic.Bool
	listening         chan struct{} // closed when addr is set
	addr              net.Addr
}

// New makes a server and registers its metrics. It does not listen; Run does.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	catalogue, err := feature.Schemas()
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Register)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	s := &Server{
		cfg:       cfg,
		log:       deps.Log,
		deps:      deps,
		metrics:   m,
		catalogue: catalogue,
		memory:    semaphore.NewWeighted(cfg.MaxMemory),
		slots:     make(chan struct{}, cfg.Concurrent),
		ids:       newRequestIDs(),
		listening: make(chan struct{}),
	}
	s.handler = s.mux()
	return s, nil
}

// Handler answers requests without a listener; /readyz, limits on bodies and metrics work as under Run, time-outs do not.
func (s *Server) Handler() http.Handler { return s.handler }

// Listening is closed when the server listens.
func (s *Server) Listening() <-chan struct{} { return s.listening }

// Addr is where the server listens; nil before Listening is closed.
func (s *Server) Addr() net.Addr {
	select {
	case <-s.listening:
		return s.addr
	default:
		return nil
	}
}

// Run listens and serves until ctx is done, then finishes the requests in flight, for ShutdownTimeout at most. It returns
// nil after that, and an error when it cannot listen, serving fails, or requests had to be cut off. It runs once.
func (s *Server) Run(ctx context.Context) error {
	if s.started.Swap(true) {
		return errors.New("the server has run already")
	}
	listener, err := s.listen(ctx)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.cfg.Listen, err)
	}
	s.addr = listener.Addr()
	close(s.listening)
	s.log.InfoContext(ctx, "listening", "addr", s.addr.String())

	server := s.httpServer(ctx)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve on %s: %w", s.addr, err)
	case <-ctx.Done():
	}
	return s.shutdown(ctx, server)
}

func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if s.cfg.Listener != nil {
		return s.cfg.Listener, nil
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
}

func (s *Server) httpServer(ctx context.Context) *http.Server {
	// Requests in flight outlive ctx: shutdown finishes them.
	requests := context.WithoutCancel(ctx)
	return &http.Server{
		Handler:           s.handler,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
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
