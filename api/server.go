package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"mlids/api/door"
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
	backend   *classifier         // stands for Deps.Backend; nil without one
	memory    *semaphore.Weighted // bytes of bodies
	slots     chan struct{}       // predictions in computation
	ids       requestIDs
	works     sync.Pool // of *work
	inflaters sync.Pool // of *gzip.Reader

	messageIDs requestIDs // of messages of requests without idempotency key

	front, admin *entrance
	browsers     *http.CrossOriginProtection // keeps pages of other origins from changing things
	fixed        fixedHeaders

	started, stopping atomic.Bool
	listening         chan struct{} // closed when all doors listen
}

// New makes a server and registers its metrics. It does not listen; Run does.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	deps.Guard = cmp.Or(deps.Guard, door.OpenToAll())
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
		browsers:  http.NewCrossOriginProtection(),
		fixed:     newFixedHeaders(),

		messageIDs: requestIDs{prefix: rand.Text()[:16] + "-", next: new(atomic.Uint64)},
	}
	if s.backend, err = s.newBackend(); err != nil {
		return nil, err
	}
	s.front, s.admin = &entrance{name: "front"}, &entrance{name: "admin"}
	s.front.handler, s.admin.handler = s.mux(s.front, s.frontRoutes()), s.mux(s.admin, s.adminRoutes())
	return s, nil
}

// Handler answers requests at the front door without a listener; /readyz, limits on bodies and metrics work as under Run,
// time-outs do not.
func (s *Server) Handler() http.Handler { return s.front.handler }

// AdminHandler does so for the admin door.
func (s *Server) AdminHandler() http.Handler { return s.admin.handler }

// Listening is closed when the server listens.
func (s *Server) Listening() <-chan struct{} { return s.listening }

// Addr is where the front door listens; nil before Listening is closed.
func (s *Server) Addr() net.Addr { return s.addrOf(s.front) }

// AdminAddr is where the admin door listens; nil before Listening is closed, and without one.
func (s *Server) AdminAddr() net.Addr { return s.addrOf(s.admin) }

func (s *Server) addrOf(e *entrance) net.Addr {
	select {
	case <-s.listening:
		return e.addr()
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
	open := s.entrances()
	for _, e := range open {
		if err := s.listen(ctx, e); err != nil {
			closeAll(open)
			return err
		}
	}
	close(s.listening)
	group, ctx := errgroup.WithContext(ctx)
	for _, e := range open {
		group.Go(func() error { return s.serve(ctx, e) })
	}
	return group.Wait()
}
