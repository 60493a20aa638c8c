package api

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// drip sends a byte every 20 ms until the server hangs up.
func drip(head, part string) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		c := s.dial(t)
		done := make(chan string, 1)
		go func() { done <- answers(c) }()
		_, _ = io.WriteString(c, head)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case got := <-done:
				return got
			case <-tick.C:
				_, _ = io.WriteString(c, part[i%len(part):][:1])
			}
		}
	}
}

// crowd opens n connections that each send the same and then nothing; while they are open, a newcomer must be answered.
func crowd(n int, head string) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		var open []net.Conn
		defer func() {
			for _, c := range open {
				c.Close()
			}
		}()
		for i := range n {
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatalf("connection %d: %v", i, err)
			}
			open = append(open, c)
			_, _ = io.WriteString(c, head)
			if len(open) == 2*s.cfg.MaxConnections { // the server has closed those before; keep within ulimit -n
				open[0].Close()
				open = open[1:]
			}
		}
		begun := time.Now()
		got := s.exchange(t, "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("a newcomer was answered after %v", took)
		}
		return got
	}
}

func slowAttacks() []attack {
	chunked := "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	return []attack{
		{"slow headers (slow-loris)", openDoor, drip("GET / HTTP/1.1\r\n", "X: y\r\n"), "closed"},
		{"slow request line", openDoor, drip("", "GET /aaaaaaaaaaaaaa"), "400"},
		{"slow body", openDoor, drip("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", " "), "408"},
		{"slow chunks", openDoor, drip(chunked, "1\r\n \r\n"), "408"},
		{"slow handshake", tlsDoor, func(t *testing.T, s *target) string {
			t.Helper()
			s.secure = false
			defer func() { s.secure = true }()
			return drip("\x16\x03\x01\x02\x00", "\x01\x00\x01\xfc")(t, s)
		}, "closed"},
		{"nothing sent", openDoor, raw(""), "closed"},
		{"nothing sent after a request", openDoor, raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), "200"},
		{"answers never read", openDoor, neverRead, "closed"},
		{"10,000 connections that send nothing", openDoor, crowd(10_000, ""), "200"},
		{"2,000 connections with half a header", openDoor, crowd(2000, "GET / HTTP/1.1\r\nX: "), "200"},
		{"2,000 idle connections after a request", patientDoor, crowd(2000, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), "200"},
	}
}

// neverRead asks for large answers and reads none, until the server gives up.
func neverRead(t *testing.T, s *target) string {
	t.Helper()
	c := s.dial(t)
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
	request := strings.Repeat("GET /openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n", 100)
	for range 10_000 {
		if _, err := io.WriteString(c, request); err != nil {
			return "closed"
		}
	}
	return fmt.Sprintf("open after %d requests", 10_000*100)
}

func allAttacks() []attack {
	var all []attack
	for _, group := range [][]attack{
		slowAttacks(), headerAttacks(), framingAttacks(), pathAttacks(), zipAttacks(), jsonAttacks(), keyAttacks(), tokenAttacks(), tlsAttacks(),
	} {
		all = append(all, group...)
	}
	return all
}
