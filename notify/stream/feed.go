package stream

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mlids/notify"
)

// mostUnacked is how many messages a way out may have had without saying that they are done with.
const mostUnacked = 4096

// wayMark is the metadata by which consumers of ways out are known.
const wayMark = "mlids.way"

// Feed hands out the messages of one way out, from its own position in the stream.
type Feed struct {
	stream   *Stream
	consumer jetstream.Consumer
	name     string
}

// Item is a message that was handed out. It comes again unless Ack was called.
type Item struct {
	Message *notify.Message // nil when Err is set
	Err     error           // wraps notify.ErrMessage: somebody else put it there
	Tries   uint64          // how often it was handed out, this time included
	Stored  time.Time
	Seq     uint64 // its place in the stream; a dead letter that is replayed has another than before

	Ack     func() error                    // it is done with
	Retry   func(after time.Duration) error // it shall come again
	Working func() error                    // it is being worked on: AckWait starts again
}

// Feed opens the position of a way out, or makes it: at the stream's end, or at its start. Messages come that the filter's subjects
// hold; the rest of the filter is for the caller.
func (s *Stream) Feed(ctx context.Context, name string, f notify.Filter, fromStart bool) (*Feed, error) {
	durable := s.durable(name)
	cfg := jetstream.ConsumerConfig{Durable: durable, DeliverPolicy: jetstream.DeliverNewPolicy}
	if fromStart {
		cfg.DeliverPolicy = jetstream.DeliverAllPolicy
	}
	old, err := s.js.Consumer(ctx, Name, durable)
	switch {
	case err == nil:
		cfg = old.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return nil, fmt.Errorf("way out %s: %w", name, err)
	default:
		s.deps.Log.InfoContext(ctx, "new way out", "name", name, "from_start", fromStart)
	}
	cfg.AckPolicy, cfg.AckWait, cfg.MaxDeliver, cfg.MaxAckPending = jetstream.AckExplicitPolicy, s.cfg.AckWait, -1, mostUnacked
	cfg.FilterSubject, cfg.FilterSubjects = "", append(f.Subjects(), notify.SubjectReplay+notify.Token(name))
	cfg.Metadata = map[string]string{wayMark: name}
	if s.cfg.MaxAge > 0 {
		cfg.InactiveThreshold = max(s.cfg.MaxAge, 24*time.Hour) // a way out that nobody runs any more holds nothing up for ever
	}
	consumer, err := s.js.CreateOrUpdateConsumer(ctx, Name, cfg)
	if err != nil {
		return nil, fmt.Errorf("way out %s: %w", name, err)
	}
	return &Feed{stream: s, consumer: consumer, name: name}, nil
}

// durable is what the position of a way out is called in the server. Permissions of NATS tell no consumer from another, so in the built-in
// server the name is the lock: who watches cannot guess it, and thus neither take a way out's messages nor its position.
func (s *Stream) durable(name string) string {
	if s.key == "" {
		return name
	}
	mac := hmac.New(sha256.New, []byte(s.key))
	mac.Write([]byte(name))
	return name + "_" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// waitForMessages is how long one request waits at the server.
const waitForMessages = 5 * time.Second

// Next waits for messages and returns up to n of them; none when ctx is done.
func (f *Feed) Next(ctx context.Context, n int) ([]Item, error) {
	for {
		batch, err := f.consumer.FetchNoWait(n)
		items, err := f.collect(nil, batch, err)
		if err != nil || len(items) > 0 {
			return items, err
		}
		within, cancel := context.WithTimeout(ctx, waitForMessages)
		batch, err = f.consumer.Fetch(1, jetstream.FetchContext(within))
		items, err = f.collect(items, batch, err)
		cancel()
		if err != nil || ctx.Err() != nil {
			return items, err
		}
		if len(items) > 0 && n > 1 {
			batch, err = f.consumer.FetchNoWait(n - 1)
			return f.collect(items, batch, err)
		}
		if len(items) > 0 {
			return items, nil
		}
	}
}

// collect appends the messages of a batch. That there are none, or no more, is no error.
func (f *Feed) collect(items []Item, batch jetstream.MessageBatch, err error) ([]Item, error) {
	if err == nil {
		for m := range batch.Messages() {
			items = append(items, f.item(m))
		}
		err = batch.Error()
	}
	switch {
	case err == nil, len(items) > 0, errors.Is(err, nats.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.Is(err, jetstream.ErrNoMessages):
		return items, nil
	}
	return nil, fmt.Errorf("%w: way out %s: %w", ErrAway, f.name, err)
}

func (f *Feed) item(m jetstream.Msg) Item {
	it := Item{Ack: m.Ack, Retry: m.NakWithDelay, Working: m.InProgress}
	if meta, err := m.Metadata(); err == nil {
		it.Tries, it.Stored, it.Seq = meta.NumDelivered, meta.Timestamp, meta.Sequence.Stream
	}
	it.Message, it.Err = notify.Decode(m.Headers(), m.Data())
	if it.Err != nil {
		it.Ack = m.Term
	}
	return it
}

// Lag is how many messages of the stream the way out still has to take.
func (f *Feed) Lag(ctx context.Context) (uint64, error) {
	info, err := f.consumer.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: way out %s: %w", ErrAway, f.name, err)
	}
	return info.NumPending + uint64(max(info.NumAckPending, 0)), nil
}

// Forget gives up a way out's position. What it still waited for, it does not get.
func (s *Stream) Forget(ctx context.Context, name string) error {
	if err := s.js.DeleteConsumer(ctx, Name, s.durable(name)); err != nil {
		return fmt.Errorf("way out %s: %w", name, err)
	}
	return nil
}
