package mitigate

import (
	"strings"
	"testing"
	"time"

	"mlids"
)

// load is an interim finding on a UDP flow that has carried so many packets since its start.
func load(start time.Time, lasts time.Duration, fwd, bwd uint64) *mlids.Alert {
	a := verdict(attacker, victim, "attack", near)
	a.Verdict.Model, a.Proto, a.SrcPort, a.DstPort, a.Open = "cicflow", mlids.ProtoUDP, 5000, 7777, true
	a.Start, a.End, a.FwdPackets, a.BwdPackets = start, start.Add(lasts), fwd, bwd
	return a
}

// A flow of many packets a second to which nothing comes back is a flood; one that is slow, or answered in the same flow or
// another one, is none, whatever the model says.
func TestUnansweredLoad(t *testing.T) {
	const step = 250 * time.Millisecond
	tunnel := func(i int) *mlids.Alert { // the other way has ports of its own
		a := load(epoch, time.Duration(i)*step, uint64(i)*100, 0)
		a.Src, a.Dst, a.SrcPort, a.Verdict.Attack, a.Verdict.Class = victim, attacker, 6000, false, "benign"
		return a
	}
	for name, c := range map[string]struct {
		perStep, back uint64
		beside        func(i int) *mlids.Alert
		first         int // step at which it is blocked, 0 for never
	}{
		"10,000/s":           {perStep: 2500, first: 2},
		"6,000/s":            {perStep: 1500, first: 4},
		"4,000/s":            {perStep: 1000},
		"answered":           {perStep: 2500, back: 25},
		"answered elsewhere": {perStep: 2500, beside: tunnel},
		"hardly answered":    {perStep: 2500, back: 1, first: 2},
	} {
		t.Run(name, func(t *testing.T) {
			e := testEngine(Policy{})
			first := 0
			for i := 1; i < 40 && first == 0; i++ {
				now := epoch.Add(time.Duration(i) * step)
				if c.beside != nil {
					e.observe(now, c.beside(i))
				}
				p, ok := e.observe(now, load(epoch, time.Duration(i)*step, uint64(i)*c.perStep, uint64(i)*c.back))
				if !ok {
					continue
				}
				first = i
				want := Match{Src: single(attacker), Dst: single(victim), Port: near}
				if p.block.Match != want || p.block.Kind != Drop || !strings.Contains(p.block.Reason, "packets per second to which nothing comes back") {
					t.Errorf("%+v", p.block)
				}
			}
			if first != c.first {
				t.Errorf("blocked at step %d, want %d", first, c.first)
			}
		})
	}
}

// A flow that carried much long ago is judged by what it carries now, and ports that are used again begin anew.
func TestLoadIsThatOfTheLastSeconds(t *testing.T) {
	l := newLoads()
	if rate := l.add(epoch, load(epoch.Add(-time.Hour), time.Hour, 3_600_000, 0)); rate != 1000 {
		t.Errorf("an hour of 1,000/s: %v", rate)
	}
	if rate := l.add(epoch.Add(time.Second), load(epoch.Add(-time.Hour), time.Hour+time.Second, 3_609_000, 0)); rate != 4500 {
		t.Errorf("9,000, at least 4,500/s: %v", rate)
	}
	if rate := l.add(epoch.Add(4*time.Second), load(epoch.Add(-time.Hour), time.Hour+4*time.Second, 3_636_000, 0)); rate != 7200 {
		t.Errorf("now 9,000/s, at least 7,200: %v", rate)
	}
	if rate := l.add(epoch.Add(5*time.Second), load(epoch.Add(4*time.Second), time.Second, 70, 0)); rate != 35 {
		t.Errorf("the next flow has 70/s, at least 35: %v", rate)
	}
}

// counted is a flow as a controller's sensor learns of it: a thousand copies a second, and once a second what was counted beyond.
// Each life of it ends after two minutes, as CICFlowMeter has it. found gets what is known every 250 ms.
func counted(rate float64, phase, lasts time.Duration, found func(start, at time.Duration, fwd uint64)) {
	shown, fwd, start, told := 0.0, 0.0, time.Duration(0), phase
	last := 0.0
	for at := 10 * time.Millisecond; at <= lasts; at += 10 * time.Millisecond {
		sent := rate * at.Seconds()
		copies := min(sent-last, 10)
		last, shown, fwd = sent, shown+copies, fwd+copies
		if at >= told {
			told += time.Second
			fwd, shown = fwd+sent-shown, sent
		}
		if at-start > 2*time.Minute {
			start, fwd = at, copies
		}
		if at%(250*time.Millisecond) == 0 {
			found(start, at, uint64(fwd))
		}
	}
}

// What is counted in lumps is not taken for more than it is: a stream of fewer packets than the rule asks for is never blocked, a
// flood of more is, also when its flow was there before.
func TestLoadOfWhatIsCountedInLumps(t *testing.T) {
	for phase := 10 * time.Millisecond; phase <= time.Second; phase += 90 * time.Millisecond {
		first := func(rate float64, lasts time.Duration) (blocked time.Duration) {
			e := testEngine(Policy{})
			counted(rate, phase, lasts, func(start, at time.Duration, fwd uint64) {
				_, ok := e.observe(epoch.Add(at), load(epoch.Add(start), at-start, fwd, 0))
				if ok && blocked == 0 {
					blocked = at
				}
			})
			return blocked
		}
		if at := first(4900, 10*time.Minute); at != 0 {
			t.Errorf("counted from %v on: 4,900/s are blocked after %v", phase, at)
		}
		if at := first(6500, time.Minute); at == 0 || at > 2*time.Second {
			t.Errorf("counted from %v on: 6,500/s are blocked after %v", phase, at)
		}
	}
}

// Which verdicts the built-in rules take of the kdd99 model does not depend on loads.
func TestModelsRulesAreApart(t *testing.T) {
	e := testEngine(Policy{})
	for i := range 1000 {
		a := load(epoch, time.Second, 10_000, 0)
		a.Verdict.Model = "another"
		if p, ok := e.observe(epoch.Add(time.Duration(i)*time.Millisecond), a); ok {
			t.Fatalf("a model without a rule blocks: %+v", p.block)
		}
	}
}
