package stream

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// tired is a listener that can accept nothing, as in a process without free file descriptors.
type tired struct {
	net.Listener
	asked int
	until time.Time
}

func (l *tired) Accept() (net.Conn, error) {
	if l.asked++; !time.Now().Before(l.until) {
		return nil, net.ErrClosed
	}
	return nil, errors.New("too many open files")
}

// A socket that can accept nothing is asked now and then, not all the time.
func TestAcceptRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &tired{until: time.Now().Add(10 * time.Second)}
		(&socket{listener: l}).accept(nil, slog.New(slog.DiscardHandler))
		if l.asked > 200 {
			t.Errorf("asked %d times in 10 s", l.asked)
		}
	})
}

// Who joins a server that is just being made leaves its key to it.
func TestGuestsMakeNoKey(t *testing.T) {
	dir := t.TempDir()
	held, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_, err = Open(t.Context(), Config{Dir: dir, Join: true}, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()})
	if !errors.Is(err, ErrAway) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the key: %v", err)
	}
}
