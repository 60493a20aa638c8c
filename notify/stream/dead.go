package stream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"mlids/notify"
)

// deadSubject is where dead letters are; the last token is the way out.
const deadSubject = "mlids.dead."

// Headers of dead letters, beside those of the message.
const (
	headerWay   = "Mlids-Dead-Way"
	headerCause = "Mlids-Dead-Cause"
	headerTries = "Mlids-Dead-Tries"
)

// maxCause is how many bytes of an error are kept.
const maxCause = 500

// DeadLetter is a message that a way out did not take.
type DeadLetter struct {
	Seq     uint64 // by which it is named
	Way     string
	Cause   string
	Tries   uint64
	Since   time.Time
	Message *notify.Message
}

// Bury stores a message as a dead letter of a way out; once, although it may be handed out again before it is acknowledged.
func (s *Stream) Bury(ctx context.Context, way string, it *Item, cause error) error {
	header := nats.Header(it.Message.Header())
	header[notify.HeaderMsgID] = []string{fmt.Sprintf("dead:%s:%d", way, it.Seq)}
	header[headerWay] = []string{way}
	header[headerCause] = []string{oneLine(cause.Error())}
	header[headerTries] = []string{strconv.FormatUint(it.Tries, 10)}
	_, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: deadSubject + notify.Token(way), Header: header, Data: it.Message.Body})
	return explain(err)
}

// oneLine makes an error fit into a header.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "")
	}
	return text
}

// Dead lists the dead letters of a way out, the oldest first; of all ways out when none is named.
func (s *Stream) Dead(ctx context.Context, way string) iter.Seq2[*DeadLetter, error] {
	subject := deadSubject + "*"
	if way != "" {
		subject = deadSubject + notify.Token(way)
	}
	return func(yield func(*DeadLetter, error) bool) {
		consumer, err := s.js.OrderedConsumer(ctx, DeadName, jetstream.OrderedConsumerConfig{FilterSubjects: []string{subject}})
		if err != nil {
			yield(nil, fmt.Errorf("dead letters: %w", err))
			return
		}
		for left := consumer.CachedInfo().NumPending; left > 0; {
			n := min(left, 256)
			batch, err := consumer.Fetch(int(n), jetstream.FetchMaxWait(s.cfg.Timeout))
			if err != nil {
				yield(nil, fmt.Errorf("dead letters: %w", err))
				return
			}
			count := uint64(0)
			for m := range batch.Messages() {
				count++
				letter, err := deadLetter(m)
				if !yield(letter, err) {
					return
				}
			}
			if count == 0 { // others dropped them meanwhile
				return
			}
			left -= min(left, count)
		}
	}
}

func deadLetter(m jetstream.Msg) (*DeadLetter, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, fmt.Errorf("dead letter: %w", err)
	}
	h := m.Headers()
	letter := &DeadLetter{Seq: meta.Sequence.Stream, Way: h.Get(headerWay), Cause: h.Get(headerCause), Since: meta.Timestamp}
	letter.Tries, _ = strconv.ParseUint(h.Get(headerTries), 10, 64)
	if letter.Message, err = notify.Decode(h, m.Data()); err != nil {
		return letter, fmt.Errorf("dead letter %d: %w", letter.Seq, err)
	}
	return letter, nil
}

// Replay sends a dead letter to its way out again, and only there.
func (s *Stream) Replay(ctx context.Context, letter *DeadLetter) error {
	header := nats.Header(letter.Message.Header())
	header[notify.HeaderMsgID] = []string{fmt.Sprintf("replay:%s:%d", letter.Way, letter.Seq)}
	_, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: notify.SubjectReplay + notify.Token(letter.Way), Header: header, Data: letter.Message.Body})
	if err != nil {
		return fmt.Errorf("dead letter %d: %w", letter.Seq, explain(err))
	}
	return s.Drop(ctx, letter.Seq)
}

// Drop forgets a dead letter.
func (s *Stream) Drop(ctx context.Context, seq uint64) error {
	dead, err := s.js.Stream(ctx, DeadName)
	if err == nil {
		err = dead.DeleteMsg(ctx, seq)
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("dead letter %d: %w", seq, err)
	}
	return nil
}
