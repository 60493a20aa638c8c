package mitigate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/notify"
)

// network is an enforcer that only remembers.
type network struct {
	mu      sync.Mutex
	blocks  map[string]Block
	down    error
	applied int
	most    int
	allowed []netip.Prefix
}

func (n *network) Name() string { return "test" }

func (n *network) Apply(_ context.Context, b Block) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down != nil {
		return n.down
	}
	n.applied++
	n.blocks[b.ID] = b
	n.most = max(n.most, len(n.blocks))
	return nil
}

func (n *network) Lift(_ context.Context, b Block) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.down != nil {
		return n.down
	}
	delete(n.blocks, b.ID)
	return nil
}

func (n *network) Blocks(context.Context) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.blocks)), n.down
}

func (n *network) Allow(_ context.Context, sources []netip.Prefix) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.allowed = sources
	return n.down
}

func (n *network) has(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.blocks[id]
	return ok
}

func (n *network) set(down error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
}

// mailbox is a stream that only remembers.
type mailbox struct {
	mu       sync.Mutex
	messages []*notify.Message
}

func (m *mailbox) Publish(_ context.Context, messages []*notify.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages = append(m.messages, messages...)
	return nil
}

// defend runs a defender in a bubble until stop is called.
func defend(t *testing.T, dir string, p Policy, n Enforcer) (d *Defender, box *mailbox, stop func()) {
	t.Helper()
	box = &mailbox{}
	d, err := New(Config{Policy: p, Dir: dir}, Deps{
		Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry(), Enforcer: n, Publish: box,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	synctest.Wait()
	return d, box, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// attack lets a source have verdicts enough for a block.
func attack(d *Defender, src netip.Addr) {
	for range 150 {
		d.Observe(verdict(src, victim, "dos", near))
	}
	synctest.Wait()
}

func records(t *testing.T, dir string) (all []Record) {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, auditName))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if r.Reason == "" || r.ID == "" || r.Enforcer != "test" {
			t.Errorf("record without reason, block or enforcer: %s", lines.Text())
		}
		all = append(all, r)
	}
	return all
}

func events(all []Record) (names []string) {
	for _, r := range all {
		names = append(names, r.Event)
	}
	return names
}

// A block is made at once, lasts its time, and twice as long the next time.
func TestBlocksEndAndGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &network{blocks: map[string]Block{}}
		d, box, stop := defend(t, dir, Policy{First: time.Minute, Longest: 3 * time.Minute}, n)
		defer stop()
		id := idOf(Match{Src: single(attacker), Port: near})
		for i, lasts := range []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute, 3 * time.Minute} {
			attack(d, attacker)
			if !n.has(id) {
				t.Fatalf("block %d was not made", i)
			}
			time.Sleep(lasts - time.Second)
			if !n.has(id) {
				t.Fatalf("block %d ended before %v", i, lasts)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n.has(id) {
				t.Fatalf("block %d lasts longer than %v", i, lasts)
			}
		}
		time.Sleep(25 * time.Hour)
		attack(d, attacker)
		if b := d.Blocks(); len(b) != 1 || b[0].Strike != 1 || !b[0].Confirmed {
			t.Errorf("after a day of peace: %+v", b)
		}
		got := records(t, dir)
		if want := []string{"block", "expire", "block", "expire", "block", "expire", "block", "expire", "block"}; !slices.Equal(events(got), want) {
			t.Errorf("audit log: %q, want %q", events(got), want)
		}
		if len(box.messages) != len(got) {
			t.Errorf("%d messages of %d records", len(box.messages), len(got))
		}
		for _, m := range box.messages {
			if m.Kind != notify.Action || !json.Valid(m.Body) || m.Alert.Src != attacker || m.Alert.ID == "" {
				t.Errorf("message %+v", m)
			}
		}
	})
}

// At the cap, and for allowed sources, nothing is blocked; it is recorded once a minute.
func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &network{blocks: map[string]Block{}}
		gateway := netip.MustParseAddr("10.0.0.254")
		d, _, stop := defend(t, dir, Policy{MaxBlocks: 2, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.240/28")}}, n)
		defer stop()
		for i := range 20 {
			attack(d, netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}))
			attack(d, gateway)
		}
		if len(d.Blocks()) != 2 || n.most != 2 {
			t.Errorf("%d blocks, %d in the network", len(d.Blocks()), n.most)
		}
		if _, err := d.Add(t.Context(), Block{Kind: Drop, Match: Match{Src: netip.MustParsePrefix("10.0.0.0/8")}}, "me"); !errors.Is(err, ErrRefused) {
			t.Errorf("a prefix around the gateway: %v", err)
		}
		if _, err := d.Add(t.Context(), Block{Kind: Drop, Match: Match{Src: single(friend)}}, "me"); !errors.Is(err, ErrRefused) {
			t.Errorf("beyond the cap: %v", err)
		}
		synctest.Wait()
		if got, want := events(records(t, dir)), []string{"block", "refuse", "block", "refuse", "refuse"}; !slices.Equal(got, want) {
			t.Errorf("audit log %q, want %q", got, want)
		}
		if len(n.allowed) != 1 {
			t.Errorf("the network was told to allow %v", n.allowed)
		}
	})
}

// What people add is there when Add returns, and gone when Lift does.
func TestByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &network{blocks: map[string]Block{}}
		d, _, stop := defend(t, dir, Policy{}, n)
		defer stop()
		made, err := d.Add(t.Context(), Block{Kind: Drop, Match: Match{Src: single(attacker)}, Reason: "seen on Monday"}, "alice")
		if err != nil || !n.has(made.ID) || !made.Confirmed || made.Until.Sub(made.Since) != time.Minute {
			t.Fatalf("%+v: %v", made, err)
		}
		if err := d.Lift(t.Context(), made.ID, "bob"); err != nil || n.has(made.ID) {
			t.Errorf("lift: %v, still there: %v", err, n.has(made.ID))
		}
		if err := d.Lift(t.Context(), made.ID, "bob"); !errors.Is(err, ErrUnknown) {
			t.Errorf("lifted twice: %v", err)
		}
		got := records(t, dir)
		if len(got) != 2 || got[0].By != "alice" || got[1].By != "bob" {
			t.Errorf("audit log: %+v", got)
		}
		for name, b := range map[string]Block{
			"everything":   {Kind: Drop},
			"no kind":      {Match: Match{Src: single(attacker)}},
			"no rate":      {Kind: Limit, Match: Match{Src: single(attacker)}},
			"loose prefix": {Kind: Drop, Match: Match{Src: netip.MustParsePrefix("10.0.0.1/8")}},
			"port of what": {Kind: Drop, Match: Match{Src: single(attacker), DstPort: 80}},
			"two families": {Kind: Drop, Match: Match{Src: single(attacker), Dst: netip.MustParsePrefix("fe80::/64")}},
			"IPv4 dressed": {Kind: Drop, Match: Match{Src: netip.MustParsePrefix("::ffff:10.0.0.1/128")}},
			"over":         {Kind: Drop, Match: Match{Src: single(attacker)}, Until: time.Now().Add(-time.Second)},
		} {
			if _, err := d.Add(t.Context(), b, "me"); !errors.Is(err, ErrBlock) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A network that cannot be reached gets its blocks later; what a switch loses comes back; what nobody knows goes.
func TestNetworkIsKeptAsTheBookSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &network{blocks: map[string]Block{}, down: errors.New("no switch")}
		d, _, stop := defend(t, dir, Policy{First: time.Hour}, n)
		defer stop()
		attack(d, attacker)
		if b := d.Blocks(); len(b) != 1 || b[0].Confirmed {
			t.Fatalf("blocks %+v", b)
		}
		n.set(nil)
		time.Sleep(5 * time.Second)
		id := d.Blocks()[0].ID
		if !n.has(id) || !d.Blocks()[0].Confirmed {
			t.Fatal("the block did not come when the network did")
		}
		n.mu.Lock()
		delete(n.blocks, id)
		n.blocks["0123456789ab"] = Block{ID: "0123456789ab"}
		n.mu.Unlock()
		time.Sleep(5 * time.Second)
		if !n.has(id) || n.has("0123456789ab") {
			t.Errorf("the network has %v", n.blocks)
		}
		if got, want := events(records(t, dir)), []string{"block", "fail", "restore", "restore", "unknown"}; !slices.Equal(got, want) {
			t.Errorf("audit log %q, want %q", got, want)
		}
	})
}

// After a restart blocks go on, those over meanwhile end, those now allowed are lifted, and strikes are remembered.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &network{blocks: map[string]Block{}}
		d, _, stop := defend(t, dir, Policy{First: time.Minute}, n)
		sources := []netip.Addr{netip.MustParseAddr("10.0.0.11"), netip.MustParseAddr("10.0.0.12"), netip.MustParseAddr("10.0.0.13")}
		attack(d, sources[0])
		time.Sleep(50 * time.Second)
		attack(d, sources[1])
		attack(d, sources[2])
		stop()
		if len(n.blocks) != 3 {
			t.Fatalf("the end of the program lifted blocks: %v", n.blocks)
		}
		time.Sleep(20 * time.Second)
		applied := n.applied
		d, _, stop = defend(t, dir, Policy{First: time.Minute, Allow: []netip.Prefix{single(sources[2])}}, n)
		defer stop()
		b := d.Blocks()
		if len(b) != 1 || b[0].Match.Src != single(sources[1]) || !b[0].Confirmed || len(n.blocks) != 1 || n.applied == applied {
			t.Errorf("after the restart: %+v, in the network %v", b, n.blocks)
		}
		attack(d, sources[0])
		if b := d.Blocks(); len(b) != 2 || b[1].Strike != 2 {
			t.Errorf("the second strike: %+v", b)
		}
	})
}

func TestDryRunTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, n := t.TempDir(), &network{blocks: map[string]Block{}}
		d, _, stop := defend(t, dir, Policy{DryRun: true, Allow: []netip.Prefix{single(friend)}}, n)
		attack(d, attacker)
		attack(d, attacker)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		stop()
		if n.applied > 0 || n.allowed != nil {
			t.Errorf("%d blocks, allowed %v", n.applied, n.allowed)
		}
		if got, want := events(records(t, dir)), []string{"dry-run", "expire"}; !slices.Equal(got, want) {
			t.Errorf("audit log %q, want %q", got, want)
		}
	})
}

func TestBrokenStateIsSaid(t *testing.T) {
	for name, text := range map[string]string{
		"no json": "{", "future": `{"version":2}`, "no match": `{"version":1,"blocks":[{"kind":"drop"}]}`,
		"everything": `{"version":1,"blocks":[{"kind":"drop","match":{}}]}`, "nobody": `{"version":1,"offenders":[{}]}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, stateName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New(Config{Dir: dir}, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry(), Enforcer: &network{}})
		if !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is seen and asked for, in any order: no allowed source is blocked, and there are never more blocks than allowed.
func TestAllowListAndCapAlwaysHold(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			allow := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/30"), netip.MustParsePrefix("fd00::/64")}
			n := &network{blocks: map[string]Block{}}
			d, _, stop := defend(t, t.TempDir(), Policy{MaxBlocks: 5, Allow: allow, First: 10 * time.Second}, n)
			defer stop()
			address := func() netip.Addr {
				if rng.IntN(4) == 0 {
					return netip.AddrFrom16([16]byte{0: 0xfd, 7: byte(rng.IntN(2)), 15: byte(rng.IntN(3))})
				}
				return netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(12))})
			}
			for range 120 {
				switch rng.IntN(5) {
				case 0:
					src, _ := address().Prefix(rng.IntN(33))
					_, _ = d.Add(t.Context(), Block{Kind: Drop, Match: Match{Src: src, Port: near}}, "fuzz")
				case 1:
					if b := d.Blocks(); len(b) > 0 {
						_ = d.Lift(t.Context(), b[rng.IntN(len(b))].ID, "fuzz")
					}
				case 2:
					time.Sleep(time.Duration(rng.IntN(20)) * time.Second)
				default:
					attack(d, address())
				}
				synctest.Wait()
				for _, b := range n.blocks {
					for _, a := range allow {
						if b.Match.Src.IsValid() && a.Overlaps(b.Match.Src) {
							t.Fatalf("seed %d: %v is allowed, and blocked by %+v", seed, a, b)
						}
					}
				}
				if len(n.blocks) > 5 || n.most > 5 || len(d.Blocks()) > 5 {
					t.Fatalf("seed %d: %d blocks, at most %d in the network", seed, len(d.Blocks()), n.most)
				}
			}
			if n.applied == 0 {
				t.Errorf("seed %d: nothing was ever blocked", seed)
			}
		})
	}
}
