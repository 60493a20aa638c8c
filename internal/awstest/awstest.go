// Package awstest starts emulators of Amazon SNS and SQS for tests, and makes topics and queues there.
package awstest

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Server is an emulator that runs until the test ends.
type Server struct {
	Name string
	URL  string // http://127.0.0.1:PORT

	start   func(testing.TB) *exec.Cmd
	process *exec.Cmd
}

// root is the module's folder.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	tb.Fatal("no go.mod above the test")
	return ""
}

// Each runs a test against each emulator that is there.
func Each(t *testing.T, test func(*testing.T, *Server)) {
	t.Helper()
	t.Run("fauxqs", func(t *testing.T) { test(t, Fauxqs(t)) })
	t.Run("moto", func(t *testing.T) { test(t, Moto(t)) })
}

// Fauxqs starts the npm package fauxqs.
func Fauxqs(tb testing.TB) *Server {
	tb.Helper()
	dir := filepath.Join(root(tb), ".build", "fauxqs")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "fauxqs")); err != nil {
		tb.Skip("needs fauxqs: run make tools (with node 20 or later)")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		tb.Skip("needs node")
	}
	port := freePort(tb)
	return run(tb, "fauxqs", port, func(tb testing.TB) *exec.Cmd {
		tb.Helper()
		return exec.Command(node, filepath.Join(root(tb), "lab", "fauxqs.mjs"), dir, port) //nolint:gosec,noctx // ends by Kill
	})
}

// Moto starts the server of the Python package moto.
func Moto(tb testing.TB) *Server {
	tb.Helper()
	venv := os.Getenv("MLIDS_PEERS")
	if venv == "" {
		venv = filepath.Join(root(tb), ".build", "peers")
	}
	program := filepath.Join(venv, "bin", "moto_server")
	if _, err := os.Stat(program); err != nil { //nolint:gosec // who runs the tests says where
		tb.Skip("needs moto's server: run make tools")
	}
	port := freePort(tb)
	return run(tb, "moto", port, func(testing.TB) *exec.Cmd {
		return exec.Command(program, "-H", "127.0.0.1", "-p", port) //nolint:gosec,noctx // ends by Kill
	})
}

func run(tb testing.TB, name, port string, start func(testing.TB) *exec.Cmd) *Server {
	tb.Helper()
	s := &Server{Name: name, URL: "http://127.0.0.1:" + port, start: start}
	s.Restart(tb)
	tb.Cleanup(s.Kill)
	return s
}

// Restart starts the emulator again on the same port, without what it had: both keep all in memory.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.process = s.start(tb)
	if err := s.process.Start(); err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithTimeout(tb.Context(), time.Minute)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !answers(ctx, s.URL) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.Kill()
			tb.Fatalf("%s does not answer at %s", s.Name, s.URL)
		}
	}
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil
}

// Kill ends the emulator at once, as a crash does.
func (s *Server) Kill() {
	if s.process.ProcessState == nil {
		_ = s.process.Process.Kill() // it has ended already, or ends now
		_ = s.process.Wait()
	}
}

// freePort asks the system for a port that is free, for a program that cannot say which it took.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}
