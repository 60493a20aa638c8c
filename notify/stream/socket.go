package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// socketName is the Unix socket in the server's directory by which other processes of the same user join it.
const socketName = "socket"

// maxSocketPath is how long the name of a socket may be on Linux.
const maxSocketPath = 107

// socket hands connections to the built-in server, which itself listens only on TCP.
type socket struct {
	listener net.Listener
	wg       sync.WaitGroup
}

func listenSocket(dir string, to nats.InProcessConnProvider, log *slog.Logger) (*socket, error) {
	path, done, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("queue: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	l.SetUnlinkOnClose(false) // the name may be one of /proc; the next server replaces it
	s := &socket{listener: l}
	s.wg.Go(func() { s.accept(to, log) })
	return s, nil
}

// socketPath is the name of the socket; one that is too long goes by way of the open directory.
func socketPath(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, fmt.Errorf("queue: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName), func() { f.Close() }, nil
}

// acceptRest is the pause after a connection could not be accepted: the next try will fail, too, when files are short.
const acceptRest = 100 * time.Millisecond

// accept ends when the listener is closed.
func (s *socket) accept(to nats.InProcessConnProvider, log *slog.Logger) {
	for {
		outer, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			log.Warn("queue: accept", "err", err)
			<-time.After(acceptRest)
			continue
		}
		inner, err := to.InProcessConn()
		if err != nil {
			outer.Close()
			continue
		}
		s.wg.Go(func() { join(outer, inner) })
	}
}

// join copies both ways until one side ends.
func join(a, b net.Conn) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(a, b); a.Close(); b.Close() })
	_, _ = io.Copy(b, a)
	a.Close()
	b.Close()
	wg.Wait()
}

func (s *socket) close() { s.listener.Close() }

// dialer connects to the socket of a directory.
type dialer struct {
	dir     string
	timeout time.Duration
}

// Dial is nats.CustomDialer; the address is not asked.
func (d dialer) Dial(string, string) (net.Conn, error) {
	path, done, err := socketPath(d.dir)
	if err != nil {
		return nil, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(context.Background(), d.timeout)
	defer cancel()
	return (&net.Dialer{}).DialContext(ctx, "unix", path)
}
