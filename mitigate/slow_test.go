package mitigate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
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

// absent is a network without a switch: it has no blocks, and takes none.
type absent struct{ network }

func (a *absent) Blocks(ctx context.Context) ([]string, error) {
	blocks, _ := a.network.Blocks(ctx)
	return blocks, nil
}

// A network that is away for an hour costs a record, not one every other second.
func TestNetworkThatIsAwayIsRecordedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &absent{network{blocks: map[string]Block{}, down: errors.New("away")}}
		d, box, stop := defend(t, dir, Policy{First: 2 * time.Hour, Longest: 2 * time.Hour}, n)
		attack(d, attacker)
		time.Sleep(time.Hour)
		n.set(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		want := []string{eventBlock, eventFail, eventRestore}
		if got := events(records(t, dir)); !slices.Equal(got, want) || len(box.messages) != len(want) {
			t.Errorf("%d records, %d messages, the first %v, want %v", len(got), len(box.messages), got[:min(len(got), 9)], want)
		}
	})
}

// A switch that makes up blocks is told to take them back, some at a time.
func TestMadeUpBlocksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &network{blocks: map[string]Block{}}
		for i := range 10_000 {
			n.blocks[fmt.Sprintf("%012x", i)] = Block{}
		}
		_, _, stop := defend(t, dir, Policy{}, n)
		time.Sleep(time.Second)
		synctest.Wait()
		stop()
		if got := len(records(t, dir)); got == 0 || got > 2*mostAtOnce {
			t.Errorf("%d records, want some and no more than %d", got, 2*mostAtOnce)
		}
	})
}

// What is under a block is not counted again, whatever the block's scope.
func TestBlocksCoverTheirFlows(t *testing.T) {
	for _, proto := range []uint8{mlids.ProtoICMP, mlids.ProtoUDP} {
		e, l := testEngine(Policy{Rules: []Rule{{Verdicts: 1, Targets: 1, Within: time.Second, Kind: Drop, Scope: ByFlow}}}), newLedger(&Policy{})
		a := verdict(attacker, victim, "dos", near)
		a.Proto, a.DstPort = proto, 7
		p, ok := e.observe(epoch, a)
		if !ok {
			t.Fatalf("protocol %d: no block", proto)
		}
		l.open(epoch, &Active{Block: p.block})
		if !l.covers(a) {
			t.Errorf("protocol %d: %v does not cover the flow that it was made for", proto, p.block.Match)
		}
	}
}
