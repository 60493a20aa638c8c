package stream_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"mlids/notify"
	"mlids/notify/stream"
)

// external starts a NATS server as somebody else would run it: with a port of its own, and its files in dir.
func external(t *testing.T, dir string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s
}

// An external server keeps what was published and the positions of ways out, also over its own restart.
func TestExternalServer(t *testing.T) {
	dir := t.TempDir()
	first := external(t, dir, server.RANDOM_PORT)
	port := first.Addr().(*net.TCPAddr).Port
	s := open(t, stream.Config{URL: first.ClientURL(), Timeout: time.Second})
	in := feed(t, s, "one", notify.Filter{})
	if err := s.Publish(t.Context(), attacks("before", 100)); err != nil {
		t.Fatal(err)
	}
	take(t, in, 60)
	first.Shutdown()
	first.WaitForShutdown()
	if err := s.Publish(t.Context(), attacks("while", 1)); !errors.Is(err, stream.ErrAway) {
		t.Errorf("published to a server that is away: %v", err)
	}
	second := external(t, dir, port)
	defer second.Shutdown()
	deadline := time.Now().Add(20 * time.Second)
	for s.Publish(t.Context(), attacks("after", 10)) != nil {
		if time.Now().After(deadline) {
			t.Fatal("not connected again")
		}
	}
	ids := map[string]bool{}
	for len(ids) < 50 && time.Now().Before(deadline) {
		items, err := in.Next(t.Context(), 100)
		if err != nil {
			continue // not connected yet
		}
		for _, it := range items {
			ids[it.Message.Alert.ID] = true
			if err := it.Ack(); err != nil {
				t.Error(err)
			}
		}
	}
	for _, m := range append(attacks("before", 100)[60:], attacks("after", 10)...) {
		if !ids[m.Alert.ID] {
			t.Errorf("%s did not arrive", m.Alert.ID)
		}
	}
}
