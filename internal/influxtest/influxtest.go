// Package influxtest starts InfluxDB servers and Telegraf for tests.
package influxtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Server is an influxd that runs until the test ends.
type Server struct {
	Addr string // host:port
	Dir  string

	config  string
	process *exec.Cmd
	output  bytes.Buffer
}

// Program finds a program in .build/bin of the module or on PATH, and skips the test when it is not there.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		path := filepath.Join(dir, ".build", "bin", name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		tb.Skipf("needs %s: run make tools", name)
	}
	return path
}

// Start starts a server with directories of its own on a free port of the loopback. Extra goes into the section [http].
func Start(tb testing.TB, extra string) *Server {
	tb.Helper()
	Program(tb, "influxd")
	s := &Server{Addr: freePort(tb), Dir: tb.TempDir()}
	s.config = filepath.Join(s.Dir, "influxdb.conf")
	text := fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
dir = "%[2]s/meta"
logging-enabled = false
[data]
dir = "%[2]s/data"
wal-dir = "%[2]s/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = %[3]q
log-enabled = false
%s
`, freePort(tb), filepath.ToSlash(s.Dir), s.Addr, extra)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	s.Restart(tb)
	tb.Cleanup(s.Kill)
	return s
}

// Restart starts the server again, on the same port and with the same data, after Kill.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.output.Reset()
	s.process = exec.Command(Program(tb, "influxd"), "-config", s.config) //nolint:gosec,noctx // ends by Kill
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	if err := s.process.Start(); err != nil {
		tb.Fatal(err)
	}
	if err := s.await(tb.Context()); err != nil {
		s.Kill()
		tb.Fatalf("influxd does not listen: %v\n%s", err, s.output.Bytes())
	}
}

// await polls until something accepts connections.
func (s *Server) await(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// Kill ends the server at once, as a crash does.
func (s *Server) Kill() {
	if s.process.ProcessState == nil {
		_ = s.process.Process.Kill() // it has ended already, or ends now
		_ = s.process.Wait()
	}
}

// Shell runs InfluxDB's own shell and gives what it prints.
func (s *Server) Shell(tb testing.TB, database, statement string) string {
	tb.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		tb.Fatal(err)
	}
	args := []string{"-host", host, "-port", port, "-database", database, "-precision", "ns", "-execute", statement}
	out, err := exec.CommandContext(tb.Context(), Program(tb, "influx"), args...).CombinedOutput() //nolint:gosec // a test's own
	if err != nil {
		tb.Fatalf("influx: %v\n%s", err, out)
	}
	return string(out)
}

// URL is the address of a measurement.
func (s *Server) URL(database, parameters string) string {
	return "influxdb://" + s.Addr + "/" + database + "?" + parameters
}

// Query runs a statement and gives the server's answer in JSON, times in nanoseconds.
func (s *Server) Query(tb testing.TB, database, statement string) string {
	tb.Helper()
	q := url.Values{"db": {database}, "q": {statement}, "epoch": {"ns"}}
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "http://"+s.Addr+"/query?"+q.Encode(), http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// freePort asks the system for a port that is free, for a program that cannot say which it took.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
