package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mlids/notify"
)

// chunk is how many messages Publish has on their way at a time.
const chunk = 512

// Publish stores messages and returns when all are safe as Config.Sync has it. After an error some may be stored: publish all of
// them again, with the same IDs. The error wraps ErrFull, ErrSize or ErrAway when that is why.
func (s *Stream) Publish(ctx context.Context, messages []*notify.Message) error {
	for len(messages) > 0 {
		n := min(len(messages), chunk)
		err := s.publish(ctx, messages[:n])
		if errors.Is(err, ErrFull) && s.tidy(ctx, max(sizeOf(messages[:n]), 1)) == nil {
			err = s.publish(ctx, messages[:n])
		}
		if err != nil {
			s.metrics.refused(err)
			return err
		}
		s.metrics.stored.Add(float64(n))
		messages = messages[n:]
	}
	return nil
}

func (s *Stream) publish(ctx context.Context, messages []*notify.Message) error {
	if err := s.room(sizeOf(messages)); err != nil {
		return err
	}
	if s.grouped(messages) {
		if err := s.publishBatch(ctx, messages); !errors.Is(err, errBatch) {
			return err
		}
	}
	return s.publishEach(ctx, messages)
}

func sizeOf(messages []*notify.Message) (bytes int64) {
	for _, m := range messages {
		bytes += int64(len(m.Body))
	}
	return bytes
}

// publishEach has the server store messages one by one, and waits for all of its answers.
func (s *Stream) publishEach(ctx context.Context, messages []*notify.Message) error {
	if err := s.slots.Acquire(ctx, int64(len(messages))); err != nil {
		return fmt.Errorf("%w: gave up waiting for others: %w", ErrAway, err)
	}
	defer s.slots.Release(int64(len(messages)))
	acks := make([]jetstream.PubAckFuture, 0, len(messages))
	var failed error
	for _, m := range messages {
		ack, err := s.js.PublishMsgAsync(&nats.Msg{Subject: m.Subject(), Header: m.Header(), Data: m.Body})
		if err != nil {
			failed = err
			break
		}
		acks = append(acks, ack)
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			failed = errors.Join(failed, err)
		case <-ctx.Done():
			return fmt.Errorf("%w: gave up waiting: %w", ErrAway, ctx.Err())
		}
		if failed != nil {
			break
		}
	}
	return explain(failed)
}

// Codes of JetStream's errors that nats.go has no names for.
const (
	codeResources = 10023 // insufficient resources
	codeStore     = 10077 // the store failed; the text tells why
)

// errStore is a store that failed.
var errStore = errors.New("the queue does not store")

// explain says what an error of the server means.
func explain(err error) error {
	if err == nil {
		return nil
	}
	var api *jetstream.APIError
	switch {
	case errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum), errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: %w", ErrSize, err)
	case !errors.As(err, &api):
		return fmt.Errorf("%w: %w", ErrAway, err)
	case api.Description == "maximum bytes exceeded", api.ErrorCode == codeResources:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", errStore, err)
}
