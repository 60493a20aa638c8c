package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// A body that announces no length is bounded as well.
func TestChunkedBodyIsBounded(t *testing.T) {
	s := newServer(t, Config{MaxBody: 50_000}, stumps(t)).Server
	good := split(t, packets(5000))
	for _, test := range []struct{ size, status int }{{40_000, 200}, {50_000, 200}, {50_001, 413}, {500_000, 413}} {
		r := httptest.NewRequest(http.MethodPost, "/api/predictions", io.MultiReader(strings.NewReader(good+strings.Repeat(" ", test.size-len(good)))))
		r.Header.Set("Content-Type", mediaJSON)
		if r.ContentLength != -1 {
			t.Fatal("the length is known")
		}
		if status, _, body := ask(s, r); status != test.status {
			t.Errorf("%d bytes: %d %s, want %d", test.size, status, body, test.status)
		}
	}
}

// Bodies that exceed the memory for all of them are refused for now, and the memory comes back.
func TestMemoryIsBounded(t *testing.T) {
	s := newServer(t, Config{MaxBody: 1 << 20, MaxMemory: 1 << 20}, stumps(t)).Server
	good := split(t, packets(5000))
	padded := good + strings.Repeat(" ", 300_000)
	held, err := s.begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.hold(held, 600_000); err != nil {
		t.Fatal(err)
	}
	status, header, body := ask(s, post("/api/predictions", mediaJSON, padded))
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("%d %s, want 503 and Retry-After", status, body)
	}
	wantError(t, header, body, "", "try again")
	if status, _, body := ask(s, post("/api/predictions", mediaJSON, good)); status != http.StatusOK {
		t.Errorf("a small body: %d %s", status, body)
	}
	s.end(held)
	if status, _, body := ask(s, post("/api/predictions", mediaJSON, padded)); status != http.StatusOK {
		t.Errorf("with memory free: %d %s", status, body)
	}
	if !s.memory.TryAcquire(1 << 20) {
		t.Error("memory was not given back")
	}
	if status, _, _ := ask(s, post("/predict", mediaJSON, "{}")); status != http.StatusServiceUnavailable {
		t.Errorf("without any memory: %d, want 503", status)
	}
}

// Predictions beyond the number computed at a time wait for their turn, as long as their client does.
func TestPredictionsWait(t *testing.T) {
	s := newServer(t, Config{Concurrent: 1}, stumps(t)).Server
	s.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := post("/api/predictions", mediaJSON, split(t, packets(1))).WithContext(ctx)
	if status, _, body := ask(s, r); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s, want 503", status, body)
	}
	answered := make(chan int)
	go func() {
		status, _, _ := ask(s, post("/api/predictions", mediaJSON, split(t, packets(1))))
		answered <- status
	}()
	s.release()
	if status := <-answered; status != http.StatusOK {
		t.Errorf("status %d after the wait", status)
	}
}

func TestSlowBodies(t *testing.T) {
	s := newServer(t, Config{ReadTimeout: 50 * time.Millisecond}, stumps(t)).Server
	start(t, s)
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%s %s %v, want 408", res.Status, body, err)
	}
	wantError(t, res.Header, string(body), "error", "within 50ms")
}

func TestLongHeaders(t *testing.T) {
	url := start(t, newServer(t, Config{MaxHeader: 1 << 10}, stumps(t)).Server)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("x", 10<<10))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%s, want 431", res.Status)
	}
}

func TestBrokenOffBodies(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	for name, broken := range map[string]error{"early end": io.ErrUnexpectedEOF, "reset": errors.New("connection reset")} {
		r := httptest.NewRequest(http.MethodPost, "/predict", io.MultiReader(strings.NewReader("{"), iotest.ErrReader(broken)))
		r.Header.Set("Content-Type", mediaJSON)
		status, header, body := ask(s, r)
		if status != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", name, status, body)
		}
		wantError(t, header, body, "error", "body")
	}
}
