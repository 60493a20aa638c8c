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
	if rate := l.add(epoch.Add(time.Second), load(epoch.Add(-time.Hour), time.Hour+time.Second, 3_609_000, 0)); rate != 9000 {
		t.Errorf("now 9,000/s: %v", rate)
	}
	if rate := l.add(epoch.Add(2*time.Second), load(epoch.Add(time.Second), time.Second, 70, 0)); rate != 70 {
		t.Errorf("the next flow has 70/s: %v", rate)
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
