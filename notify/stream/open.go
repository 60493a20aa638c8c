package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"

	"mlids/notify"
)

// inFlight is how many messages may wait for the server's answer at a time.
const inFlight = 4096

// Stream is an open stream. It is safe for concurrent use.
type Stream struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	server  *builtIn // nil for that of another process, and for an external one
	key     string   // the owner's password; "" for an external server
	guest   bool     // the built-in server is another process's
	conn    *nats.Conn
	js      jetstream.JetStream
	slots   *semaphore.Weighted
	batches *semaphore.Weighted
	tidying sync.Mutex
	reserve int64 // bytes of the disk that are not filled
}

// Open starts the built-in server, or connects to one, and makes sure of the streams. Close ends it.
func Open(ctx context.Context, cfg Config, deps Deps) (_ *Stream, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Stream{cfg: cfg, deps: deps, slots: semaphore.NewWeighted(inFlight), batches: semaphore.NewWeighted(batchesInFlight), reserve: diskReserve}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.metrics, err = newMetrics(deps.Register); err != nil {
		return nil, fmt.Errorf("queue: register metrics: %w", err)
	}
	if err := s.connect(); err != nil {
		return nil, err
	}
	if s.js, err = jetstream.New(s.conn, jetstream.WithPublishAsyncMaxPending(2*inFlight), jetstream.WithPublishAsyncTimeout(cfg.Timeout)); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	return s, s.ensure(ctx)
}

// Close ends the connection and the built-in server. What is stored stays.
func (s *Stream) Close() error {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		s.server.close()
	}
	return nil
}

// Addr is where the built-in server lets clients watch; empty when it does not.
func (s *Stream) Addr() string {
	if s.server == nil || s.cfg.Listen == "" {
		return ""
	}
	return s.server.addr()
}

func (s *Stream) connect() (err error) {
	opts := []nats.Option{
		nats.Name("mlids"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.Timeout(s.cfg.Timeout),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.deps.Log.Warn("queue", "err", err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				s.deps.Log.Warn("queue: connection lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { s.deps.Log.Info("queue: connected again") }),
	}
	url := s.cfg.URL
	if url == "" {
		local, err := s.local()
		if err != nil {
			return err
		}
		url = "nats://127.0.0.1"
		opts = append(opts, local...)
	}
	if s.conn, err = nats.Connect(url, opts...); err != nil {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return nil
}

// local starts the built-in server, or joins the one of another process.
func (s *Stream) local() ([]nats.Option, error) {
	server, err := openBuiltIn(&s.cfg, s.deps.Log)
	if err == nil {
		s.server, s.key = server, server.key
		return []nats.Option{nats.UserInfo(owner, server.key), nats.CustomInboxPrefix(inbox), nats.InProcessServer(server)}, nil
	}
	if !errors.Is(err, ErrBusy) || !s.cfg.Join {
		return nil, err
	}
	if s.key, err = readKey(s.cfg.Dir); err != nil {
		return nil, err
	}
	s.guest = true
	return []nats.Option{
		nats.UserInfo(owner, s.key), nats.CustomInboxPrefix(inbox), nats.SetCustomDialer(dialer{s.cfg.Dir, s.cfg.Timeout}),
	}, nil
}

// ensure makes the streams, or brings their limits to what is configured. Who joins another's leaves them as they are.
func (s *Stream) ensure(ctx context.Context) error {
	dir := cmp.Or(s.cfg.URL, filepath.Clean(s.cfg.Dir))
	for _, cfg := range []jetstream.StreamConfig{
		{
			Name: Name, Description: "predictions and actions of mlids",
			Subjects: []string{notify.SubjectAttack + "*", notify.SubjectBenign + "*", notify.SubjectAction, notify.SubjectReplay + "*"},
		},
		{Name: DeadName, Description: "messages of mlids that a way out did not take", Subjects: []string{deadSubject + "*"}},
	} {
		cfg.Storage, cfg.Discard, cfg.MaxBytes, cfg.Duplicates = jetstream.FileStorage, jetstream.DiscardNew, s.cfg.MaxBytes, s.cfg.Dedup
		cfg.AllowAtomicPublish, cfg.AllowDirect = true, true
		if err := s.ensureStream(ctx, cfg); err != nil {
			return fmt.Errorf("queue in %s: stream %s: %w", dir, cfg.Name, err)
		}
	}
	return nil
}

func (s *Stream) ensureStream(ctx context.Context, cfg jetstream.StreamConfig) error {
	old, err := s.js.Stream(ctx, cfg.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		_, err = s.js.CreateStream(ctx, cfg)
		return err
	case err != nil:
		return err
	case s.cfg.Join: // the limits are those of who runs the queue
		return nil
	}
	// Replicas, placement and the like are the business of who runs the cluster.
	merged := old.CachedInfo().Config
	merged.Subjects, merged.Discard, merged.MaxBytes, merged.Duplicates = cfg.Subjects, cfg.Discard, cfg.MaxBytes, cfg.Duplicates
	merged.AllowAtomicPublish = true
	_, err = s.js.UpdateStream(ctx, merged)
	return err
}
