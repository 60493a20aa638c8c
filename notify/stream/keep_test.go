package stream_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"mlids/notify"
	"mlids/notify/stream"
)

// What is stored and not acknowledged is handed out after a restart, and nothing else.
func TestRestart(t *testing.T) {
	for _, sync := range []stream.Sync{stream.SyncProcess, stream.SyncPower} {
		cfg := stream.Config{Dir: t.TempDir(), Sync: sync}
		s := open(t, cfg)
		in := feed(t, s, "one", notify.Filter{})
		if err := s.Publish(t.Context(), attacks("x", 20)); err != nil {
			t.Fatal(err)
		}
		take(t, in, 15)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, cfg)
		if left := take(t, feed(t, s, "one", notify.Filter{}), 5); left[0].Message.Alert.ID != "x-15" {
			t.Errorf("%s: after a restart comes %s", sync, left[0].Message.Alert.ID)
		}
	}
}

func TestSameIDIsStoredOnce(t *testing.T) {
	s := open(t, stream.Config{})
	in := feed(t, s, "one", notify.Filter{})
	for range 3 {
		if err := s.Publish(t.Context(), attacks("x", 10)); err != nil {
			t.Fatal(err)
		}
	}
	if lag, err := in.Lag(t.Context()); err != nil || lag != 10 {
		t.Errorf("%d messages, want 10 (%v)", lag, err)
	}
}

// A queue full of what a way out waits for refuses; when the way out has it, there is room again.
func TestFull(t *testing.T) {
	s := open(t, stream.Config{MaxBytes: 64 << 10})
	in := feed(t, s, "slow", notify.Filter{})
	stored := 0
	var err error
	for ; err == nil && stored < 10_000; stored++ {
		err = s.Publish(t.Context(), attacks(string(rune('a'+stored%26))+time.Now().String(), 1))
	}
	if !errors.Is(err, stream.ErrFull) {
		t.Fatalf("after %d messages: %v", stored, err)
	}
	take(t, in, stored-1)
	if err := s.Publish(t.Context(), attacks("more", 1)); err != nil {
		t.Errorf("all is delivered, and still: %v", err)
	}
	take(t, in, 1)
}

func TestTooLarge(t *testing.T) {
	s := open(t, stream.Config{})
	m := attacks("x", 1)
	m[0].Body = make([]byte, 9<<20)
	if err := s.Publish(t.Context(), m); !errors.Is(err, stream.ErrSize) {
		t.Errorf("got %v", err)
	}
}

// A filter's subjects keep other messages away from a way out, and each way out has a position of its own.
func TestWaysAreApart(t *testing.T) {
	s := open(t, stream.Config{})
	benign, err := notify.ParseFilter("prediction=benign model=kdd99")
	if err != nil {
		t.Fatal(err)
	}
	a, b := feed(t, s, "a", notify.Filter{}), feed(t, s, "b", benign)
	messages := attacks("x", 4)
	messages[3].Alert.Verdict.Attack = false
	if err := s.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	take(t, a, 3)
	if got := take(t, b, 1); got[0].Message.Alert.ID != "x-3" {
		t.Errorf("got %s", got[0].Message.Alert.ID)
	}
}

func TestDeadLetters(t *testing.T) {
	s := open(t, stream.Config{})
	in, other := feed(t, s, "a", notify.Filter{}), feed(t, s, "b", notify.Filter{})
	if err := s.Publish(t.Context(), attacks("x", 3)); err != nil {
		t.Fatal(err)
	}
	take(t, other, 3)
	for _, it := range take(t, in, 3) {
		if err := s.Bury(t.Context(), "a", &it, errors.New("refused:\r\nno such topic")); err != nil {
			t.Fatal(err)
		}
	}
	letters := dead(t, s, "")
	if len(letters) != 3 || letters[0].Way != "a" || letters[0].Cause != "refused:  no such topic" || letters[0].Message.Alert.ID != "x-0" {
		t.Fatalf("letters %+v", letters)
	}
	if len(dead(t, s, "b")) != 0 {
		t.Error("another way out has dead letters")
	}
	if err := s.Replay(t.Context(), letters[1]); err != nil {
		t.Fatal(err)
	}
	if got := take(t, in, 1); got[0].Message.Alert.ID != "x-1" {
		t.Errorf("replayed %s", got[0].Message.Alert.ID)
	}
	if lag, err := other.Lag(t.Context()); err != nil || lag != 0 {
		t.Errorf("the other way out gets the replayed letter, too: %d %v", lag, err)
	}
	if err := s.Drop(t.Context(), letters[0].Seq); err != nil {
		t.Fatal(err)
	}
	if left := dead(t, s, "a"); len(left) != 1 || left[0].Message.Alert.ID != "x-2" {
		t.Errorf("left %+v", left)
	}
}

func dead(t *testing.T, s *stream.Stream, way string) (letters []*stream.DeadLetter) {
	t.Helper()
	for letter, err := range s.Dead(t.Context(), way) {
		if err != nil {
			t.Fatal(err)
		}
		letters = append(letters, letter)
	}
	return letters
}

// A second process is refused, or joins by the socket, however long the directory's name is.
func TestJoin(t *testing.T) {
	for _, dir := range []string{t.TempDir(), t.TempDir() + "/a-directory-whose-name-is-longer-than-the-name-of-a-unix-socket-may-be-which-is-107-bytes-on-linux"} {
		s := open(t, stream.Config{Dir: dir})
		in := feed(t, s, "one", notify.Filter{})
		deps := stream.Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()}
		if _, err := stream.Open(t.Context(), stream.Config{Dir: dir}, deps); !errors.Is(err, stream.ErrBusy) {
			t.Fatalf("a second server: %v", err)
		}
		second := open(t, stream.Config{Dir: dir, Join: true})
		if err := second.Publish(t.Context(), attacks("x", 3)); err != nil {
			t.Fatal(err)
		}
		take(t, in, 3)
	}
}

// Who watches may read through a reader of his own, and neither publish nor touch the streams.
func TestWatchersOnlyRead(t *testing.T) {
	s := open(t, stream.Config{Listen: "127.0.0.1:0", Token: "secret"})
	if _, err := nats.Connect("nats://" + s.Addr()); err == nil {
		t.Error("without the token a client is let in")
	}
	conn, err := nats.Connect("nats://watch:secret@"+s.Addr(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := js.CreateOrUpdateConsumer(t.Context(), stream.Name, jetstream.ConsumerConfig{Durable: "me", FilterSubject: notify.SubjectAttack + "*"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), attacks("x", 1)); err != nil {
		t.Fatal(err)
	}
	got, err := reader.Next(jetstream.FetchMaxWait(5 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := notify.Decode(got.Headers(), got.Data()); err != nil || m.Alert.ID != "x-0" {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := js.Publish(t.Context(), notify.SubjectAttack+"kdd99", []byte("{}")); err == nil {
		t.Error("a watcher can publish")
	}
	if err := js.DeleteStream(t.Context(), stream.Name); err == nil {
		t.Error("a watcher can delete the stream")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []stream.Config{
		{}, {Dir: "x", URL: "nats://y"}, {Dir: "x", Sync: "hope"}, {Dir: "x", MaxBytes: -1}, {Dir: "x", Listen: "0.0.0.0:4222"},
		{Dir: "x", Listen: "127.0.0.1:port"}, {URL: "nats://y", Listen: "127.0.0.1:1"},
	} {
		_, err := stream.Open(t.Context(), cfg, stream.Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()})
		if !errors.Is(err, stream.ErrConfig) {
			t.Errorf("%+v: got %v", cfg, err)
		}
	}
}

func TestRetentionText(t *testing.T) {
	for text, want := range map[string]struct {
		age  time.Duration
		size int64
	}{
		"7d,10GiB": {7 * 24 * time.Hour, 10 << 30}, "36h": {36 * time.Hour, 0}, "512MiB": {0, 512 << 20}, "1TiB, 90m": {90 * time.Minute, 1 << 40},
	} {
		age, size, err := stream.ParseRetention(text)
		if err != nil || age != want.age || size != want.size {
			t.Errorf("%q: %v %d %v", text, age, size, err)
		}
	}
	for _, text := range []string{"", "x", "7", "-1h", "0d", "10GB,", "99999999999d", "-1GiB"} {
		if _, _, err := stream.ParseRetention(text); !errors.Is(err, stream.ErrConfig) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What a way out waits for is not for watchers: neither its position, nor its messages, nor what it asks for.
func TestWatchersLeaveWaysOutAlone(t *testing.T) {
	s := open(t, stream.Config{Listen: "127.0.0.1:0"})
	in := feed(t, s, "aws", notify.Filter{})
	conn, err := nats.Connect("nats://"+s.Addr(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(200*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), attacks("x", 3)); err != nil {
		t.Fatal(err)
	}
	live, err := js.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	for name := range live.ConsumerNames(t.Context()).Name() {
		t.Errorf("a watcher is told of the reader %s", name)
	}
	if c, err := js.Consumer(t.Context(), stream.Name, "aws"); err == nil {
		if m, err := c.Next(jetstream.FetchMaxWait(200 * time.Millisecond)); err == nil {
			t.Errorf("a watcher takes a message of a way out: %v", m.Ack())
		}
	}
	own := jetstream.ConsumerConfig{Durable: "aws", FilterSubject: notify.SubjectBenign + "*", AckPolicy: jetstream.AckExplicitPolicy}
	if _, err := js.CreateOrUpdateConsumer(t.Context(), stream.Name, own); err != nil {
		t.Error(err)
	}
	if err := js.DeleteConsumer(t.Context(), stream.Name, "aws"); err != nil { // of its own
		t.Error(err)
	}
	take(t, in, 3)
	if err := s.Forget(t.Context(), "aws"); err != nil {
		t.Error(err)
	}
}
