package stream

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"mlids/notify"
)

// WayState is where a way out stands.
type WayState struct {
	Name     string   `json:"name"`
	Lag      uint64   `json:"waiting"` // messages that it still has to take
	Dead     uint64   `json:"dead"`    // its dead letters
	Subjects []string `json:"subjects"`
}

// Ways lists the ways out that have a position in the stream, or dead letters, by name.
func (s *Stream) Ways(ctx context.Context) ([]WayState, error) {
	live, err := s.js.Stream(ctx, Name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	letters, err := s.deadCounts(ctx)
	if err != nil {
		return nil, err
	}
	ways := []WayState{}
	list := live.ListConsumers(ctx)
	for info := range list.Info() {
		name := info.Config.Metadata[wayMark]
		if name == "" {
			continue
		}
		ways = append(ways, WayState{
			Name: name, Lag: info.NumPending + uint64(max(info.NumAckPending, 0)), Dead: letters[deadSubject+notify.Token(name)],
			Subjects: info.Config.FilterSubjects,
		})
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	slices.SortFunc(ways, func(a, b WayState) int { return cmp.Compare(a.Name, b.Name) })
	return ways, nil
}

// deadCounts counts dead letters by their subject.
func (s *Stream) deadCounts(ctx context.Context) (map[string]uint64, error) {
	dead, err := s.js.Stream(ctx, DeadName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	info, err := dead.Info(ctx, jetstream.WithSubjectFilter(deadSubject+"*"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	return info.State.Subjects, nil
}
