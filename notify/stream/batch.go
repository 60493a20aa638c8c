package stream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mlids/notify"
)

// batchesInFlight is how many batches are on their way at a time; the server takes 50.
const batchesInFlight = 32

// smallestBatch is from how many messages on a batch is faster than messages for each of which the disk confirms: the server keeps a
// batch in files of its own until it is whole, which takes about as long as ten.
const smallestBatch = 16

// Headers of JetStream's atomic batches (NATS ADR-50).
const (
	headerBatch  = "Nats-Batch-Id"
	headerNumber = "Nats-Batch-Sequence"
	headerCommit = "Nats-Batch-Commit"
)

// errBatch is a batch that was refused as a batch: one of its messages is a copy, or there were too many batches. Its messages
// may be stored one by one.
var errBatch = errors.New("batch refused")

// grouped reports whether messages are better stored as one batch: then the disk confirms once for all of them.
func (s *Stream) grouped(messages []*notify.Message) bool {
	return s.cfg.Sync == SyncPower && s.cfg.URL == "" && len(messages) >= smallestBatch
}

// publishBatch stores all messages or none.
func (s *Stream) publishBatch(ctx context.Context, messages []*notify.Message) error {
	if err := s.batches.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("%w: gave up waiting for others: %w", ErrAway, err)
	}
	defer s.batches.Release(1)
	id := rand.Text()
	for i, m := range messages {
		msg := &nats.Msg{Subject: m.Subject(), Header: m.Header(), Data: m.Body}
		msg.Header[headerBatch] = []string{id}
		msg.Header[headerNumber] = []string{strconv.Itoa(i + 1)}
		if i+1 == len(messages) {
			msg.Header[headerCommit] = []string{"1"}
			return s.commit(ctx, msg)
		}
		if err := s.conn.PublishMsg(msg); err != nil {
			return explain(err)
		}
	}
	return nil
}

// commit sends the last message of a batch, and reads what became of all.
func (s *Stream) commit(ctx context.Context, last *nats.Msg) error {
	within, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	reply, err := s.conn.RequestMsgWithContext(within, last)
	if err != nil {
		return explain(err)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return fmt.Errorf("%w: the answer to a batch: %w", ErrAway, err)
	}
	if answer.Error == nil {
		return nil
	}
	if err := explain(answer.Error); errors.Is(err, ErrFull) || answer.Error.ErrorCode == codeStore {
		return err
	}
	return fmt.Errorf("%w: %w", errBatch, answer.Error)
}
