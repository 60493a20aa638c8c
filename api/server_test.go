package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestNewRefuses(t *testing.T) {
	reg := prometheus.NewRegistry()
	whole := Deps{Log: slog.New(slog.DiscardHandler), Register: reg, Gather: reg, Models: stumps(t)}
	for name, drop := range map[string]func(*Deps){
		"log":        func(d *Deps) { d.Log = nil },
		"registerer": func(d *Deps) { d.Register = nil },
		"gatherer":   func(d *Deps) { d.Gather = nil },
		"models":     func(d *Deps) { d.Models = nil },
	} {
		deps := whole
		drop(&deps)
		if _, err := New(Config{}, deps); !errors.Is(err, ErrConfig) {
			t.Errorf("without %s: %v, want ErrConfig", name, err)
		}
	}
	if _, err := New(Config{}, whole); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{}, whole); err == nil {
		t.Error("metrics were registered twice without an error")
	}
}

func TestRunRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newServer(t, Config{}, stumps(t)).Server
	if s.Addr() != nil {
		t.Error("an address before Run")
	}
	s.cfg.Listen = taken.Addr().String()
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), s.cfg.Listen) {
		t.Errorf("Run on a taken port: %v", err)
	}
	if err := s.Run(t.Context()); err == nil {
		t.Error("Run ran twice")
	}
}

func TestRunOnAListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := start(t, newServer(t, Config{Listener: l}, stumps(t)).Server)
	if want := "http://" + l.Addr().String(); url != want {
		t.Errorf("listens on %s, want %s", url, want)
	}
}

// running is a server whose end the test decides.
type running struct {
	*Server
	stop context.CancelFunc
	done chan error
}

func run(t *testing.T, cfg Config) running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := running{newServer(t, cfg, stumps(t)).Server, stop, make(chan error, 1)}
	go func() { r.done <- r.Run(ctx) }()
	<-r.Listening()
	return r
}

// halfRequest sends the first half of a request and waits until the handler reads its body.
func (r running) halfRequest(t *testing.T, body string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	// The server asks for the rest when the handler begins to read.
	fmt.Fprintf(c, "POST /api/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
	line, err := bufio.NewReader(io.LimitReader(c, int64(len("HTTP/1.1 100 Continue\r\n\r\n")))).ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v; want 100 Continue", line, err)
	}
	if _, err := io.WriteString(c, body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestShutdownFinishesRequests(t *testing.T) {
	r := run(t, Config{})
	body := split(t, packets(5000))
	c := r.halfRequest(t, body)
	r.stop()
	for !r.stopping.Load() {
		runtime.Gosched()
	}
	if status, _, text := ask(r.Server, get("/readyz", "")); status != http.StatusServiceUnavailable || !strings.Contains(text, "stopping") {
		t.Errorf("/readyz: %d %s, want 503 stopping", status, text)
	}
	select {
	case err := <-r.done:
		t.Fatalf("Run ended with a request in flight: %v", err)
	default:
	}
	if _, err := io.WriteString(c, body[len(body)/2:]); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); string(answer) != "[1]\n" {
		t.Errorf("the request in flight got %s %s", res.Status, answer)
	}
	if err := <-r.done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestShutdownGivesUp(t *testing.T) {
	r := run(t, Config{ShutdownTimeout: time.Millisecond})
	c := r.halfRequest(t, split(t, packets(1)))
	r.stop()
	if err := <-r.done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v, want the deadline exceeded", err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection was not cut off")
	}
}

func TestServeError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Config{Listener: l})
	l.Close()
	if err := <-r.done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run: %v, want the listener closed", err)
	}
}
