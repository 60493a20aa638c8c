package client_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mlids"
	"mlids/client"
	"mlids/notify"
)

func note(id string) *notify.Message {
	return &notify.Message{
		Kind: notify.Prediction, Alert: mlids.Alert{ID: id, Verdict: mlids.Verdict{Attack: true, Class: "dos", Probability: 1, Model: "m"}}, Body: []byte(`{"x":1}`),
	}
}

// queueScript is a queue that answers as the test says.
type queueScript struct {
	answers []any // error, or ids separated by blanks
	deleted []string
	asked   []time.Time
}

func (s *queueScript) Close() error { return nil }

func (s *queueScript) Receive(ctx context.Context) ([]notify.Delivery, error) {
	s.asked = append(s.asked, time.Now())
	if len(s.answers) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	if err, ok := answer.(error); ok {
		return nil, err
	}
	var got []notify.Delivery
	for id := range strings.FieldsSeq(answer.(string)) {
		d := notify.Delivery{Message: note(id), Delete: func(context.Context) error { s.deleted = append(s.deleted, id); return nil }}
		if id == "foreign" {
			d.Err = errors.New("none of ours")
		}
		got = append(got, d)
	}
	return got, nil
}

// Messages that come twice are handed on once and deleted each time; failures are waited out, longer and longer.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := errors.New("lost")
		q := &queueScript{answers: []any{"a b", lost, lost, lost, "b foreign c"}}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		var seen []string
		err := client.Follow{Wait: time.Second}.Run(ctx, q, func(m *notify.Message) error { seen = append(seen, m.Alert.ID); return nil })
		if err != nil || strings.Join(seen, " ") != "a b c" || strings.Join(q.deleted, " ") != "a b b c" {
			t.Errorf("seen %v, deleted %v, %v", seen, q.deleted, err)
		}
		for i, least := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			if wait := q.asked[i+2].Sub(q.asked[i+1]); wait < least || wait > 2*least+time.Second {
				t.Errorf("waited %v after failure %d", wait, i+1)
			}
		}
	})
}

func TestFollowKeepsAndEnds(t *testing.T) {
	enough := errors.New("enough")
	q := &queueScript{answers: []any{"a b"}}
	err := client.Follow{Keep: true}.Run(t.Context(), q, func(m *notify.Message) error {
		if m.Alert.ID == "b" {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || len(q.deleted) > 0 {
		t.Errorf("%v, deleted %v", err, q.deleted)
	}
}

// Who has enough ends without an error, and what it took is off the queue.
func TestFollowStops(t *testing.T) {
	q := &queueScript{answers: []any{"a b"}}
	err := client.Follow{}.Run(t.Context(), q, func(*notify.Message) error { return client.ErrStop })
	if err != nil || strings.Join(q.deleted, " ") != "a" {
		t.Errorf("%v, deleted %v", err, q.deleted)
	}
}

// natsServer is a server with the stream of mlids.
func natsServer(t *testing.T, dir string, port int) *natsd.Server {
	t.Helper()
	s, err := natsd.NewServer(&natsd.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(s.Shutdown)
	return s
}

func publish(t *testing.T, s *natsd.Server, ids ...string) {
	t.Helper()
	conn, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "MLIDS", Subjects: []string{"mlids.>"}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		m := note(id)
		if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: m.Subject(), Header: m.Header(), Data: m.Body}); err != nil {
			t.Fatal(err)
		}
	}
}

func openNATS(t *testing.T, s *natsd.Server, query string) *client.NATS {
	t.Helper()
	u, err := url.Parse(s.ClientURL() + query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := client.OpenNATS(u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// follow reads until n messages came.
func follow(t *testing.T, q client.Queue, n int, keep bool) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var seen []string
	err := client.Follow{Keep: keep, Wait: 20 * time.Millisecond, MaxWait: 200 * time.Millisecond}.Run(ctx, q, func(m *notify.Message) error {
		if seen = append(seen, m.Alert.ID); len(seen) == n {
			stop()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(seen, " ")
}

// A named reader goes on where it was, over a restart of the server; others see all.
func TestNATS(t *testing.T) {
	dir := t.TempDir()
	s := natsServer(t, dir, natsd.RANDOM_PORT)
	publish(t, s, "a", "b")
	if got := follow(t, openNATS(t, s, "?name=desk"), 2, false); got != "a b" {
		t.Errorf("first: %s", got)
	}
	q := openNATS(t, s, "?name=desk")
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	s = natsServer(t, dir, port)
	publish(t, s, "c")
	if got := follow(t, q, 1, false); got != "c" {
		t.Errorf("after the restart: %s", got)
	}
	if got := follow(t, openNATS(t, s, ""), 3, true); got != "a b c" {
		t.Errorf("another reader: %s", got)
	}
	q = openNATS(t, s, "?name=late&from=now")
	brief, stop := context.WithCancel(t.Context())
	defer time.AfterFunc(50*time.Millisecond, stop).Stop()
	for begun := time.Now(); brief.Err() == nil; {
		if got, err := q.Receive(brief); len(got) > 0 || err != nil && brief.Err() == nil || time.Since(begun) > 3*time.Second {
			t.Fatalf("a reader from now on: %v, %v after %v", got, err, time.Since(begun))
		}
	}
	publish(t, s, "d")
	if got := follow(t, q, 1, false); got != "d" {
		t.Errorf("a reader from now on: %s", got)
	}
	publish(t, s, "e")
	if got := follow(t, openNATS(t, s, "?name=late&all"), 1, false); got != "e" { // where it began is settled
		t.Errorf("goes on: %s", got)
	}
	for _, query := range []string{"?from=then", "?other=x"} {
		u, _ := url.Parse("nats://127.0.0.1:1" + query)
		if _, err := client.OpenNATS(u); err == nil {
			t.Errorf("%s was read", query)
		}
	}
}
