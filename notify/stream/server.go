package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/sys/unix"

	"mlids/notify"
)

// owner is the user of the built-in server that may do anything; watcher may read.
const (
	owner   = "mlids"
	watcher = "watch"
)

// maxPayload is how many bytes a message may have.
const maxPayload = 8 << 20

// inbox is where answers for the owner arrive; watchers have the usual _INBOX.
const inbox = "_MLIDS"

// builtIn is the built-in server.
type builtIn struct {
	log    *slog.Logger
	opts   server.Options
	start  time.Duration // it may take
	key    string        // the owner's password
	lock   *os.File
	socket *socket
	broken atomic.Bool // a write failed: the server stores no more, and answers nothing, until its files are opened again

	mu     sync.Mutex
	server *server.Server
}

// openBuiltIn starts the built-in server. It is ErrBusy when another process has its directory open.
func openBuiltIn(cfg *Config, log *slog.Logger) (_ *builtIn, err error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	b := &builtIn{log: log, start: cfg.Timeout}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.lock, err = lock(filepath.Join(cfg.Dir, "lock")); err != nil {
		return nil, err
	}
	if b.key, err = readKey(cfg.Dir); err != nil {
		if b.key, err = makeKey(cfg.Dir); err != nil {
			return nil, err
		}
	}
	opts, err := serverOptions(cfg, b.key)
	if err != nil {
		return nil, err
	}
	b.opts = *opts
	if err := b.run(); err != nil {
		return nil, err
	}
	b.socket, err = listenSocket(cfg.Dir, b, log)
	return b, err
}

// run starts a server on the directory; there must be none.
func (b *builtIn) run() error {
	opts := b.opts
	s, err := server.NewServer(&opts)
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	b.server = s
	b.broken.Store(false)
	s.SetLoggerV2(&serverLog{b.log, &b.broken}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(b.start) || !s.JetStreamEnabled() {
		return fmt.Errorf("queue: the built-in server did not start within %v; its log tells why", b.start)
	}
	if a, ok := s.Addr().(*net.TCPAddr); ok {
		b.opts.Port = a.Port // one that was any stays the same when the server starts again
	}
	return nil
}

// again stops the server and starts another on the same files. Connections are lost, and come again.
func (b *builtIn) again() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.server.Shutdown()
	b.server.WaitForShutdown()
	err := b.run()
	if err != nil {
		b.broken.Store(true)
	}
	return err
}

// InProcessConn connects to the server that runs at the time: nats.InProcessConnProvider.
func (b *builtIn) InProcessConn() (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.server.InProcessConn()
}

// addr is where the server listens.
func (b *builtIn) addr() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.server.Addr().String()
}

// close stops the server and lets go of the directory.
func (b *builtIn) close() {
	if b.socket != nil {
		b.socket.close()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
	if b.lock != nil {
		b.lock.Close() // which unlocks it
	}
}

// lock takes a file for this process alone.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w in %s", ErrBusy, filepath.Dir(path))
		}
		return nil, fmt.Errorf("queue: lock %s: %w", path, err)
	}
	return f, nil
}

// readKey reads the owner's password.
func readKey(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "key"))
	if err == nil && len(text) < 26 { // letters of rand.Text
		err = errors.New("it is cut short")
	}
	if err != nil {
		return "", fmt.Errorf("%w: the key of %s: %w", ErrAway, dir, err)
	}
	return string(text), nil
}

// makeKey makes the owner's password.
func makeKey(dir string) (string, error) {
	key := rand.Text()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(key), 0o600); err != nil {
		return "", fmt.Errorf("queue: %w", err)
	}
	return key, nil
}

func serverOptions(cfg *Config, key string) (*server.Options, error) {
	opts := &server.Options{
		ServerName: "mlids", DontListen: cfg.Listen == "", NoSigs: true, NoSystemAccount: true,
		JetStream: true, StoreDir: cfg.Dir, DisableJetStreamBanner: true,
		JetStreamMaxMemory: 64 << 20,
		JetStreamMaxStore:  1 << 50, // each stream has its own limit
		SyncAlways:         cfg.Sync == SyncPower, SyncInterval: 10 * time.Second,
		MaxPayload: maxPayload, MaxPending: 256 << 20, MaxConn: 1024, MaxControlLine: 16 << 10,
		Users: []*server.User{{Username: owner, Password: key}},
	}
	if cfg.Listen == "" {
		return opts, nil
	}
	host, port, err := splitAddr(cfg.Listen)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	opts.Host, opts.Port = host, port
	opts.Users = append(opts.Users, &server.User{Username: watcher, Password: cfg.Token, Permissions: watching()})
	if cfg.Token == "" {
		opts.NoAuthUser = watcher
	}
	return opts, nil
}

// watching is what clients that watch may do: read the stream through consumers of their own, and nothing else.
func watching() *server.Permissions {
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO." + Name,
			"$JS.API.CONSUMER.CREATE." + Name + ".>", "$JS.API.CONSUMER.DURABLE.CREATE." + Name + ".*",
			"$JS.API.CONSUMER.INFO." + Name + ".*", "$JS.API.CONSUMER.MSG.NEXT." + Name + ".*", "$JS.API.CONSUMER.DELETE." + Name + ".*",
			"$JS.ACK." + Name + ".>", "$JS.FC." + Name + ".>",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{
			"_INBOX.>", notify.SubjectAttack + "*", notify.SubjectBenign + "*", notify.SubjectAction,
		}},
	}
}

// serverLog passes the server's log on. The log is also where the server tells that a write failed; who publishes is not answered.
type serverLog struct {
	log    *slog.Logger
	broken *atomic.Bool
}

func (l *serverLog) print(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "queue: "+strings.TrimSpace(fmt.Sprintf(format, v...)))
	}
}

func (l *serverLog) Noticef(format string, v ...any) { l.print(slog.LevelDebug, format, v) }
func (l *serverLog) Warnf(format string, v ...any) {
	level := slog.LevelWarn
	if strings.HasPrefix(format, "Plaintext passwords") { // of random bits, and in no file of the server's
		level = slog.LevelDebug
	}
	l.print(level, format, v)
}
func (l *serverLog) Fatalf(format string, v ...any) { l.print(slog.LevelError, format, v) }
func (l *serverLog) Errorf(format string, v ...any) {
	if strings.Contains(format, "critical write error") {
		l.broken.Store(true)
	}
	l.print(slog.LevelError, format, v)
}
func (l *serverLog) Debugf(format string, v ...any) { l.print(slog.LevelDebug, format, v) }
func (l *serverLog) Tracef(format string, v ...any) { l.print(slog.LevelDebug, format, v) }
