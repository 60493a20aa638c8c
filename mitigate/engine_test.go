package mitigate

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mlids"
)

var (
	attacker = netip.MustParseAddr("10.0.0.66")
	friend   = netip.MustParseAddr("10.0.0.1")
	victim   = netip.MustParseAddr("10.0.0.2")
	near     = Port{Switch: 1, Number: 2} // the attacker's
	far      = Port{Switch: 1, Number: 1} // the friend's
	epoch    = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// verdict is an alert of the kdd99 model.
func verdict(src, dst netip.Addr, class string, port Port) *mlids.Alert {
	return &mlids.Alert{
		Src: src, Dst: dst, Proto: mlids.ProtoICMP, SrcPort: 8 << 8, Ingress: port,
		Verdict: mlids.Verdict{Attack: class != "normal", Class: class, Probability: 0.99, Model: "kdd99"},
	}
}

func testEngine(p Policy) *engine { return newEngine(p.withDefaults(), nil) }

// A flood is blocked at its hundredth verdict, by source and port; whoever shares its windows is not.
func TestFloodBlocksItsSourceOnly(t *testing.T) {
	e := testEngine(Policy{})
	for i := range 400 {
		now := epoch.Add(time.Duration(i) * time.Millisecond)
		if i%200 == 10 { // the friend's pings look like the flood in KDD's windows
			if p, ok := e.observe(now, verdict(friend, victim, "dos", far)); ok {
				t.Fatalf("the friend was blocked: %+v", p)
			}
		}
		p, ok := e.observe(now, verdict(attacker, victim, "dos", near))
		if want := i%100 == 99; ok != want {
			t.Fatalf("verdict %d: block is %v", i, ok)
		}
		if ok && (p.block.Match != Match{Src: single(attacker), Port: near} || p.block.Kind != Drop) {
			t.Fatalf("block %+v", p.block)
		}
	}
}

// A slow trickle of false verdicts, as the model gives on a telnet session or a visit, blocks nobody.
func TestFewVerdictsBlockNobody(t *testing.T) {
	e := testEngine(Policy{})
	for i := range 5000 {
		for _, class := range []string{"dos", "u2r", "r2l", "probe"} {
			if p, ok := e.observe(epoch.Add(time.Duration(i)*20*time.Millisecond), verdict(friend, victim, class, far)); ok {
				t.Fatalf("blocked at %d: %+v", i, p.block)
			}
		}
	}
	for range 1000 {
		if p, ok := e.observe(epoch.Add(time.Hour), verdict(friend, victim, "r2l", far)); ok {
			t.Fatalf("r2l blocks: %+v", p.block)
		}
	}
}

// A scan is known by its targets: a hundred ports in ten seconds, where the same port a hundred times in that time is none.
func TestScanIsKnownByItsTargets(t *testing.T) {
	e := testEngine(Policy{})
	for i := range 90 {
		a := verdict(friend, victim, "probe", far)
		a.Proto, a.DstPort = mlids.ProtoTCP, 80
		if p, ok := e.observe(epoch.Add(time.Duration(i)*100*time.Millisecond), a); ok {
			t.Fatalf("one port is no scan: %+v", p.block)
		}
	}
	for i := range 120 {
		a := verdict(attacker, victim, "probe", near)
		a.Proto, a.DstPort = mlids.ProtoTCP, uint16(i)
		if _, ok := e.observe(epoch.Add(time.Minute).Add(time.Duration(i)*40*time.Millisecond), a); ok != (i == 99) {
			t.Fatalf("port %d: block is %v", i, ok)
		}
	}
}

// A host that answers an attack, with packets or in the eyes of a sensor that misses some, is no attacker.
func TestVictimIsNotTheAttacker(t *testing.T) {
	e := testEngine(Policy{})
	for i := range 2000 {
		now := epoch.Add(time.Duration(i) * time.Millisecond)
		e.observe(now, verdict(attacker, victim, "dos", near))
		reply := verdict(victim, attacker, "dos", far)
		reply.Answer = i%2 == 0
		if p, ok := e.observe(now, reply); ok {
			t.Fatalf("the victim was blocked at %d: %+v", i, p.block)
		}
	}
}

// Forged sources lead to a block at the port where they come in, for what they hit, and to nothing else: not for friends
// whose addresses are among them, often or once. Where benign flows went the same way before, it is a limit.
func TestForgedSources(t *testing.T) {
	for name, forge := range map[string]func(i int) netip.Addr{
		"random": func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}) },
		"a friend now and then": func(i int) netip.Addr {
			if i%10 == 0 {
				return friend
			}
			return netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)})
		},
		"forty neighbours": func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i % 40)}) },
	} {
		for _, visit := range []struct {
			before time.Duration // the flood
			to     uint16
			port   Port
			want   Kind
		}{{0, 80, near, Drop}, {time.Minute, 80, near, Limit}, {time.Minute, 80, far, Drop}, {time.Minute, 443, near, Drop}, {time.Second, 80, near, Drop}} {
			t.Run(fmt.Sprint(name, visit), func(t *testing.T) {
				e := testEngine(Policy{})
				a := verdict(netip.MustParseAddr("10.0.0.77"), victim, "normal", visit.port)
				a.Proto, a.SrcPort, a.DstPort = mlids.ProtoTCP, 999, visit.to
				if visit.before > 0 {
					e.observe(epoch.Add(-visit.before), a)
				}
				floodFrom(t, e, forge, visit.want)
			})
		}
	}
}

// floodFrom floods the victim's port 80 from forged sources and checks the first block.
func floodFrom(t *testing.T, e *engine, forge func(i int) netip.Addr, kind Kind) {
	t.Helper()
	found := 0
	for i := range 1000 {
		a := verdict(forge(i), victim, "dos", near)
		a.Proto, a.SrcPort, a.DstPort = mlids.ProtoTCP, uint16(i), 80
		p, ok := e.observe(epoch.Add(time.Duration(i)*time.Millisecond/2), a)
		if !ok {
			continue
		}
		found++
		want := Match{Dst: single(victim), Proto: mlids.ProtoTCP, DstPort: 80, Port: near}
		if found == 1 && (p.block.Match != want || p.block.Kind != kind) || p.block.Match.Port != near {
			t.Errorf("verdict %d: %v %+v, want %v", i, p.block.Kind, p.block.Match, kind)
		}
	}
	if found == 0 {
		t.Error("nothing was done")
	}
}

// A flood that forges one friend's address is dropped where it comes in; the friend's own packets enter elsewhere.
func TestForgedFriendIsBlockedAtTheForgersPort(t *testing.T) {
	e := testEngine(Policy{})
	for i := range 100 {
		e.observe(epoch.Add(time.Duration(i)*time.Millisecond), verdict(friend, victim, "normal", far))
		if p, ok := e.observe(epoch.Add(time.Duration(i)*time.Millisecond), verdict(friend, victim, "dos", near)); ok {
			if p.block.Match.Port != near || p.block.Kind != Drop || !p.forged {
				t.Fatalf("block %+v", p.block)
			}
			return
		}
	}
	t.Fatal("nothing was done")
}

// Where no port is known, an address that was in benign use is slowed down, not cut off.
func TestFriendWithoutPortIsLimited(t *testing.T) {
	for _, c := range []struct {
		src  netip.Addr
		want Kind
	}{{friend, Limit}, {attacker, Drop}} {
		e := testEngine(Policy{})
		e.observe(epoch, verdict(friend, victim, "normal", Port{}))
		for i := range 200 {
			if p, ok := e.observe(epoch.Add(time.Minute).Add(time.Duration(i)*time.Millisecond), verdict(c.src, victim, "dos", Port{})); ok {
				if p.block.Kind != c.want || p.block.Kind == Limit && p.block.Rate == 0 {
					t.Errorf("%v: %+v, want %v", c.src, p.block, c.want)
				}
				break
			}
		}
	}
}

func TestScopes(t *testing.T) {
	for text, want := range map[string]Match{
		"class=dos action=drop scope=source":       {Src: single(attacker), Port: near},
		"class=dos action=drop scope=pair":         {Src: single(attacker), Dst: single(victim), Port: near},
		"action=limit rate=5 scope=flow":           {Src: single(attacker), Dst: single(victim), Proto: 17, SrcPort: 9, DstPort: 53, Port: near},
		"model=kdd99 action=redirect port=7":       {Src: single(attacker), Port: near},
		"model=cicflow class=attack action=drop":   {},
		"probability=0.999 action=drop":            {},
		"class=probe,r2l action=drop scope=source": {},
		"packets=1 action=drop scope=source":       {}, // of a finding that tells no packets
	} {
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		a := verdict(attacker, victim, "dos", near)
		a.Proto, a.SrcPort, a.DstPort = mlids.ProtoUDP, 9, 53
		p, ok := testEngine(Policy{Rules: []Rule{r}}).observe(epoch, a)
		if ok != (want != Match{}) || p.block.Match != want || ok && (p.block.Kind != r.Kind || p.block.Rate != r.Rate || p.block.ToPort != r.ToPort) {
			t.Errorf("%s: %v, %+v, want %+v", text, ok, p.block, want)
		}
		if again, err := ParseRule(r.String()); err != nil || again.String() != r.String() {
			t.Errorf("%s is printed as %s: %v", text, r, err)
		}
	}
}

func TestWrongRules(t *testing.T) {
	for _, text := range []string{
		"", "drop", "action=burn", "action=limit", "action=drop rate=3", "action=redirect", "action=drop scope=all", "action=drop verdicts=0",
		"action=drop targets=2", "action=drop within=0s", "action=drop within=2h", "action=drop probability=2", "action=drop probability=NaN",
		"action=drop class=a,,b", "action=drop colour=red", "action=limit rate=-1", "action=drop packets=-1", "action=drop verdicts=99999999",
	} {
		if r, err := ParseRule(text); err == nil {
			t.Errorf("%q was taken: %v", text, r)
		} else if !strings.Contains(err.Error(), ErrRule.Error()) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, r := range DefaultRules() {
		f.Add(r.String())
	}
	f.Add("class=dos action=limit rate=50 scope=pair")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRule(text)
		if err != nil {
			return
		}
		if again, err := ParseRule(r.String()); err != nil || again.String() != r.String() {
			t.Errorf("%q is printed as %q: %v", text, r, err)
		}
	})
}

// However the verdicts come, memory is bounded.
func TestEngineMemoryIsBounded(t *testing.T) {
	e := testEngine(Policy{})
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 300_000 {
		src := netip.AddrFrom4([4]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()), 1})
		e.observe(epoch.Add(time.Duration(i)*time.Microsecond), verdict(src, victim, "dos", near))
	}
	for _, r := range e.rules {
		for _, half := range r.window.halves {
			if len(half) > maxKeys {
				t.Errorf("%d keys", len(half))
			}
		}
	}
	for _, half := range e.pairs.halves {
		if len(half) > maxKeys {
			t.Errorf("%d pairs", len(half))
		}
	}
}
