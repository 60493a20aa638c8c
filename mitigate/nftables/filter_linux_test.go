package nftables

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"mlids/mitigate"
)

// pair is two hosts with a cable: here has the filter, there sends from two addresses.
type pair struct {
	t           *testing.T
	here, there string
}

const (
	attacker = "10.0.0.3"
	friend   = "10.0.0.1"
	attack6  = "fd00::3"
	victim   = "10.0.0.2"
	victim6  = "fd00::2"
)

func newPair(t *testing.T) (*pair, *Filter) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces")
	}
	for _, name := range []string{"ip", "ping"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs %s: run make tools", name)
		}
	}
	tag := fmt.Sprintf("nf%d", os.Getpid())
	p := &pair{t, tag + "a", tag + "b"}
	for _, space := range []string{p.here, p.there} {
		if out, err := exec.Command("ip", "netns", "add", space).CombinedOutput(); err != nil {
			t.Skipf("needs network namespaces: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	}
	p.run("ip", "-n", p.here, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", p.there)
	for space, addresses := range map[string][]string{p.here: {victim + "/24", victim6 + "/64"}, p.there: {attacker + "/24", friend + "/24", attack6 + "/64"}} {
		p.run("ip", "-n", space, "link", "set", "eth0", "up")
		for _, a := range addresses {
			args := []string{"-n", space, "address", "add", a, "dev", "eth0"}
			if strings.Contains(a, ":") {
				args = append(args, "nodad")
			}
			p.run("ip", args...)
		}
	}
	f := p.filter()
	if _, err := f.Blocks(t.Context()); err != nil {
		t.Skipf("needs a kernel with the netdev family of nftables: %v", err)
	}
	return p, f
}

// filter is a filter as a new process has it.
func (p *pair) filter() *Filter {
	p.t.Helper()
	space, err := os.Open("/var/run/netns/" + p.here)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { space.Close() })
	f, err := New("eth0")
	if err != nil {
		p.t.Fatal(err)
	}
	f.netns = int(space.Fd())
	return f
}

func (p *pair) run(name string, args ...string) {
	p.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// passes sends pings from an address, and returns how many of five were answered.
func (p *pair) passes(from string) int {
	p.t.Helper()
	to := victim
	if strings.Contains(from, ":") {
		to = victim6
	}
	out, _ := exec.Command("ip", "netns", "exec", p.there, "ping", "-n", "-I", from, "-c", "5", "-i", "0.01", "-W", "0.3", to).CombinedOutput()
	var sent, got int
	for line := range strings.Lines(string(out)) {
		if _, err := fmt.Sscanf(line, "%d packets transmitted, %d received", &sent, &got); err == nil {
			return got
		}
	}
	p.t.Fatalf("ping says %s", out)
	return 0
}

// await waits until all passes from an address. IPv6's search for neighbours may have been blocked, and begins anew.
func (p *pair) await(what, from string) {
	p.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); p.passes(from) < 5; <-tick.C {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: lifted, and nothing passes from %s", what, from)
		}
	}
}

func block(id string, kind mitigate.Kind, rate uint32, m mitigate.Match) mitigate.Block {
	return mitigate.Block{ID: id, Kind: kind, Rate: rate, Match: m, Until: time.Now().Add(time.Minute), Reason: "test"}
}

// Each kind of match stops what it names, and nothing else; lifted, all passes again.
func TestBlocksStopPackets(t *testing.T) {
	p, f := newPair(t)
	src, dst := netip.MustParsePrefix(attacker+"/32"), netip.MustParsePrefix(victim+"/32")
	p.await("no block", attack6)
	for name, c := range map[string]struct {
		b    mitigate.Block
		from string
		want int // answers of five
	}{
		"source":            {block("0000000000a1", mitigate.Drop, 0, mitigate.Match{Src: src}), attacker, 0},
		"source of IPv6":    {block("0000000000a2", mitigate.Drop, 0, mitigate.Match{Src: netip.MustParsePrefix(attack6 + "/128")}), attack6, 0},
		"prefix":            {block("0000000000a3", mitigate.Drop, 0, mitigate.Match{Src: netip.MustParsePrefix("10.0.0.2/31")}), attacker, 0},
		"prefix of IPv6":    {block("0000000000a4", mitigate.Drop, 0, mitigate.Match{Src: netip.MustParsePrefix("fd00::/64"), Proto: 58}), attack6, 0},
		"pair":              {block("0000000000a5", mitigate.Drop, 0, mitigate.Match{Src: src, Dst: dst}), attacker, 0},
		"another pair":      {block("0000000000a6", mitigate.Drop, 0, mitigate.Match{Src: src, Dst: netip.MustParsePrefix("10.0.0.9/32")}), attacker, 5},
		"its protocol":      {block("0000000000a7", mitigate.Drop, 0, mitigate.Match{Src: src, Proto: 1}), attacker, 0},
		"another protocol":  {block("0000000000a8", mitigate.Drop, 0, mitigate.Match{Src: src, Proto: 6, DstPort: 80}), attacker, 5},
		"a rate it exceeds": {block("0000000000a9", mitigate.Limit, 2, mitigate.Match{Src: src}), attacker, 2},
	} {
		if err := f.Apply(t.Context(), c.b); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := f.Apply(t.Context(), c.b); err != nil { // renews
			t.Errorf("%s again: %v", name, err)
		}
		if ids, err := f.Blocks(t.Context()); err != nil || !slices.Equal(ids, []string{c.b.ID}) {
			t.Errorf("%s: the kernel has %q: %v", name, ids, err)
		}
		if got := p.passes(c.from); got != c.want && (c.b.Kind != mitigate.Limit || got == 0 || got == 5) {
			t.Errorf("%s: %d of 5 passed, want %d", name, got, c.want)
		}
		if got := p.passes(friend); got != 5 {
			t.Errorf("%s: %d of the friend's 5 passed", name, got)
		}
		if err := f.Lift(t.Context(), mitigate.Block{ID: c.b.ID}); err != nil {
			t.Errorf("%s: lift: %v", name, err)
		}
		p.await(name, c.from)
	}
}

// Another process finds the blocks, and can lift them; the kernel ends those whose time is over; allowed sources pass.
func TestBlocksOutliveTheProcess(t *testing.T) {
	p, f := newPair(t)
	src := netip.MustParsePrefix(attacker + "/32")
	short := block("0000000000b1", mitigate.Drop, 0, mitigate.Match{Src: src})
	short.Until = time.Now().Add(700 * time.Millisecond)
	rule := block("0000000000b2", mitigate.Drop, 0, mitigate.Match{Src: src, Proto: 1})
	for _, b := range []mitigate.Block{short, rule} {
		if err := f.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	next := p.filter()
	if ids, err := next.Blocks(t.Context()); err != nil || !slices.Contains(ids, rule.ID) {
		t.Errorf("the next process finds %q: %v", ids, err)
	}
	if err := next.Allow(t.Context(), []netip.Prefix{src}); err != nil {
		t.Fatal(err)
	}
	if got := p.passes(attacker); got != 5 {
		t.Errorf("allowed, and %d of 5 passed", got)
	}
	if err := errors.Join(p.filter().Remove(), next.Apply(t.Context(), rule)); err != nil { // as nft flush ruleset does
		t.Fatal(err)
	}
	if got := p.passes(attacker); got != 5 {
		t.Errorf("allowed, in a table that was made anew, and %d of 5 passed", got)
	}
	if err := errors.Join(next.Allow(t.Context(), nil), next.Lift(t.Context(), mitigate.Block{ID: rule.ID})); err != nil {
		t.Fatal(err)
	}
	p.await("a block whose time is over", attacker)
	if ids, err := next.Blocks(t.Context()); err != nil || len(ids) > 0 {
		t.Errorf("in the end the kernel has %q: %v", ids, err)
	}
	if err := next.Remove(); err != nil {
		t.Error(err)
	}
}

func TestWhatAHostCannotBlock(t *testing.T) {
	f, err := New("eth0")
	if err != nil {
		t.Fatal(err)
	}
	src := netip.MustParsePrefix(attacker + "/32")
	over := block("0000000000c1", mitigate.Drop, 0, mitigate.Match{Src: src})
	over.Until = time.Now().Add(-time.Second)
	for _, b := range []mitigate.Block{
		over, block("0000000000c2", mitigate.Redirect, 0, mitigate.Match{Src: src}),
		block("0000000000c3", mitigate.Drop, 0, mitigate.Match{Src: src, Port: mitigate.Port{Switch: 1, Number: 2}}),
	} {
		if err := f.Apply(t.Context(), b); !errors.Is(err, ErrBlock) {
			t.Errorf("%+v: %v", b, err)
		}
	}
	for _, name := range []string{"", "a/b", "much-too-long-name"} {
		if _, err := New(name); err == nil {
			t.Errorf("%q was taken for an interface", name)
		}
	}
}
