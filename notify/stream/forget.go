package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// lookEvery is how often Run looks at the stream's size and age.
const lookEvery = 5 * time.Second

// Shares of MaxBytes: above the first, messages that nobody waits for go until the second is reached.
const (
	crowded = 0.9
	roomy   = 0.8
)

// Run forgets messages that are too old, and when space is short others, but only those that no way out waits for. It opens the
// built-in server's files again after a failed write. It returns when ctx is done.
func (s *Stream) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := s.mend(); err != nil && ctx.Err() == nil {
			s.deps.Log.ErrorContext(ctx, "queue: still cannot store", "err", err)
		}
		if err := s.tidy(ctx, 0); err != nil && ctx.Err() == nil {
			s.deps.Log.WarnContext(ctx, "queue: retention", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// tidy applies the retention once. When so many bytes did not fit, it makes room whatever the share of space taken.
func (s *Stream) tidy(ctx context.Context, wanted int64) error {
	s.tidying.Lock()
	defer s.tidying.Unlock()
	live, err := s.look(ctx)
	if err != nil {
		return err
	}
	state := live.CachedInfo().State
	if state.Msgs == 0 {
		return nil
	}
	done, err := s.doneWith(ctx, live, state.LastSeq)
	if err != nil {
		return err
	}
	old, err := s.lastOld(ctx, live)
	if err != nil {
		return err
	}
	upTo := min(done, max(old, lastForRoom(&state, live.CachedInfo().Config.MaxBytes, wanted > 0)))
	if wanted > 0 && s.diskRoom(wanted) != nil { // what is only kept for its age takes the place of what comes
		upTo = done
	}
	if upTo < state.FirstSeq {
		return nil
	}
	if err := live.Purge(ctx, jetstream.WithPurgeSequence(upTo+1)); err != nil {
		return err
	}
	s.metrics.forgotten.Add(float64(upTo + 1 - state.FirstSeq))
	return nil
}

// look measures both streams.
func (s *Stream) look(ctx context.Context) (live jetstream.Stream, err error) {
	for name, label := range map[string]string{Name: "live", DeadName: "dead"} {
		st, err := s.js.Stream(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAway, err)
		}
		state := st.CachedInfo().State
		s.metrics.messages.WithLabelValues(label).Set(float64(state.Msgs))
		s.metrics.bytes.WithLabelValues(label).Set(float64(state.Bytes))
		if name == Name {
			live = st
		}
	}
	return live, nil
}

// doneWith is the last message that every durable reader, way out or not, has acknowledged, and all before it.
func (s *Stream) doneWith(ctx context.Context, live jetstream.Stream, last uint64) (uint64, error) {
	done := last
	list := live.ListConsumers(ctx)
	for info := range list.Info() {
		if info.Config.Durable == "" || info.NumPending == 0 && info.NumAckPending == 0 {
			continue
		}
		done = min(done, info.AckFloor.Stream)
	}
	if err := list.Err(); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrAway, err)
	}
	return done, nil
}

// lastOld is the last message older than MaxAge; 0 for none, and for who joined another's queue: that one's age counts. The server finds it
// as the place before a reader that starts there.
func (s *Stream) lastOld(ctx context.Context, live jetstream.Stream) (uint64, error) {
	start := time.Now().Add(-s.cfg.MaxAge)
	if s.guest || s.cfg.MaxAge <= 0 || live.CachedInfo().State.FirstTime.After(start) {
		return 0, nil
	}
	reader, err := live.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &start, AckPolicy: jetstream.AckNonePolicy,
		MemoryStorage: true, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return 0, err
	}
	info := reader.CachedInfo()
	return info.Delivered.Stream, live.DeleteConsumer(ctx, info.Name)
}

// lastForRoom is the last message that must go for the stream to be roomy, taking all to be of one size; 0 when it is not crowded.
func lastForRoom(state *jetstream.StreamState, most int64, full bool) uint64 {
	if most <= 0 || !full && float64(state.Bytes) < crowded*float64(most) {
		return 0
	}
	excess := float64(state.Bytes) - roomy*float64(most)
	if excess <= 0 {
		return 0
	}
	return state.FirstSeq + uint64(excess/float64(state.Bytes)*float64(state.Msgs))
}
