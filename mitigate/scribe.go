package mitigate

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"mlids"
	"mlids/notify"
)

// Bounds of what waits for a disk or a stream that does not keep up: batches of records.
const (
	mostUnwritten  = 1024
	mostUntold     = 1024
	publishTimeout = 5 * time.Second
)

// scribe keeps and tells what is done, in order, beside the work itself: a disk that takes seconds to write, or a stream that takes
// nothing, delays no block.
type scribe struct {
	log     *slog.Logger
	metrics *metrics
	audit   *auditLog
	path    string                 // of the state
	state   func() ([]byte, error) // of now
	to      Publisher              // may be nil

	unwritten chan batch
	untold    chan []*Record
	ended     sync.WaitGroup
	give      context.CancelFunc // up telling
}

// batch is what is written at once. kept is closed when it is on the disk, or lost.
type batch struct {
	records []*Record
	kept    chan struct{}
}

// start begins the work.
func (s *scribe) start(ctx context.Context) {
	s.unwritten, s.untold = make(chan batch, mostUnwritten), make(chan []*Record, mostUntold)
	s.ended.Go(func() { s.write(ctx) })
	telling, give := context.WithCancel(ctx)
	s.give = give
	s.ended.Go(func() { s.tell(telling) })
}

// close ends it when all is written and told. Who takes nothing is given up.
func (s *scribe) close() {
	close(s.unwritten)
	defer time.AfterFunc(publishTimeout, s.give).Stop()
	s.ended.Wait()
	s.give()
}

// put hands over records. The channel that it returns is closed when they are on the disk, or lost.
func (s *scribe) put(ctx context.Context, records []*Record) <-chan struct{} {
	b := batch{records, make(chan struct{})}
	if len(records) == 0 {
		close(b.kept)
		return b.kept
	}
	select {
	case s.unwritten <- b:
	default:
		s.lose(ctx, "records are lost: the disk does not keep up", len(records), nil)
		close(b.kept)
	}
	return b.kept
}

func (s *scribe) lose(ctx context.Context, what string, count int, err error) {
	s.metrics.lost.Add(float64(count))
	s.log.ErrorContext(ctx, what, "count", count, "err", err)
}

// write writes until there is no more. What waits is written together: it costs the disk as much as one record.
func (s *scribe) write(ctx context.Context) {
	defer close(s.untold)
	for b := range s.unwritten {
		all := s.waiting(b)
		var records []*Record
		for _, b := range all {
			records = append(records, b.records...)
		}
		s.keep(ctx, records)
		for _, b := range all {
			close(b.kept)
		}
		select {
		case s.untold <- records:
		default:
			s.lose(ctx, "notifications of blocks are lost: nobody takes them", len(records), nil)
		}
	}
}

// waiting is a batch and those behind it.
func (s *scribe) waiting(first batch) []batch {
	n := len(s.unwritten)
	all := append(make([]batch, 0, 1+n), first)
	for range n {
		all = append(all, <-s.unwritten)
	}
	return all
}

// keep puts the book and records on the disk, the book first: a restart lifts what no book has, and records what it takes up. What
// the disk refuses is logged, and done all the same: an attack goes on.
func (s *scribe) keep(ctx context.Context, records []*Record) {
	state, err := s.state()
	if err == nil {
		err = replaceFile(s.path, state)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "the state of blocks is not kept", "err", err)
	}
	if err := s.audit.append(records...); err != nil {
		s.lose(ctx, "records are lost", len(records), err)
	}
}

// tell sends records to whoever listens.
func (s *scribe) tell(ctx context.Context) {
	for records := range s.untold {
		if s.to == nil {
			continue
		}
		messages := make([]*notify.Message, 0, len(records))
		for _, r := range records {
			m, err := messageOf(r)
			if err != nil {
				s.log.ErrorContext(ctx, "a record is no JSON", "id", r.ID, "err", err)
				continue
			}
			messages = append(messages, m)
		}
		s.publish(ctx, messages)
	}
}

func (s *scribe) publish(ctx context.Context, messages []*notify.Message) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := s.to.Publish(ctx, messages); err != nil {
		s.lose(ctx, "notifications of blocks are lost", len(messages), err)
	}
}

// messageOf is a record as notifications carry it.
func messageOf(r *Record) (*notify.Message, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", r.ID, err)
	}
	m := &notify.Message{Kind: notify.Action, Body: body, Alert: mlids.Alert{
		ID: fmt.Sprintf("%s-%s-%d", r.ID, r.Event, r.Time.UnixNano()), Start: r.Time, End: r.Time, Proto: r.Match.Proto,
		SrcPort: r.Match.SrcPort, DstPort: r.Match.DstPort,
		Verdict: mlids.Verdict{Attack: r.Class != "", Class: r.Class, Model: r.Model},
	}}
	if r.Match.Src != nil {
		m.Alert.Src = r.Match.Src.Addr()
	}
	if r.Match.Dst != nil {
		m.Alert.Dst = r.Match.Dst.Addr()
	}
	return m, nil
}
