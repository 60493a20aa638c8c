package mitigate

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/notify"
)

// swamp is a network in which some blocks, and perhaps all questions, get no answer.
type swamp struct {
	network
	stuck map[string]bool
	mute  bool
}

func (s *swamp) Apply(ctx context.Context, b Block) error {
	if s.stuck[b.ID] {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.network.Apply(ctx, b)
}

func (s *swamp) Blocks(ctx context.Context) ([]string, error) {
	if s.mute {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.network.Blocks(ctx)
}

// deaf takes no message.
type deaf struct{}

func (deaf) Publish(ctx context.Context, _ []*notify.Message) error {
	<-ctx.Done()
	return ctx.Err()
}

// Neither a switch that does not answer nor a stream that takes nothing delays what is done elsewhere.
func TestNobodyElseDelaysABlock(t *testing.T) {
	stuck, other := idOf(Match{Src: single(attacker), Port: near}), idOf(Match{Src: single(friend), Port: near})
	for name, s := range map[string]*swamp{
		"another block": {stuck: map[string]bool{stuck: true}}, "a question": {mute: true}, "a stream": {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s.blocks = map[string]Block{}
				d, err := New(Config{Dir: t.TempDir()}, Deps{
					Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry(), Enforcer: s, Publish: deaf{},
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- d.Run(ctx) }()
				time.Sleep(3 * time.Second) // in the bubble: a look at the network is under way
				attack(d, attacker)
				attack(d, friend)
				time.Sleep(2 * patience)
				synctest.Wait()
				if !s.has(other) {
					t.Error("the block waits for something that does not concern it")
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What is asked for a block is done in the order in which it was asked.
func TestLiftComesAfterItsBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &swamp{network: network{blocks: map[string]Block{}}}
		d, _, stop := defend(t, t.TempDir(), Policy{}, &s.network)
		defer stop()
		m := Match{Src: single(attacker), Port: near}
		d.mu.Lock() // so that Run finds both at once
		a := &Active{Block: Block{Kind: Drop, Match: m, Reason: "test"}, By: byPolicy}
		d.enact(time.Now(), a, nil)
		d.book.close(time.Now(), a)
		d.enqueue(task{event: eventLift, active: a})
		d.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		if s.has(idOf(m)) {
			t.Error("the block is there, which was lifted")
		}
		if err := d.Lift(t.Context(), idOf(m), "test"); !errors.Is(err, ErrUnknown) {
			t.Errorf("lift: %v, want %v", err, ErrUnknown)
		}
	})
}
