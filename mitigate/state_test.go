package mitigate

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// FuzzState reads state files: what is taken is written and read again as the same.
func FuzzState(f *testing.F) {
	p := Policy{}.withDefaults()
	l := newLedger(&p)
	for _, m := range []Match{{Src: single(attacker), Port: near}, {Dst: single(victim), Proto: 17, DstPort: 53}, {Port: far}} {
		a := &Active{Block: Block{Kind: Drop, Match: m, Reason: "test"}, By: byPolicy}
		l.open(epoch, a)
	}
	text, err := l.state()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	for _, text := range []string{
		``, `{}`, `{"version":2}`, `{"version":1,"blocks":[{}]}`, `{"version":1,"blocks":[{"kind":"limit","match":{"src":"10.0.0.1/32"}}]}`,
		`{"version":1,"blocks":[{"kind":"drop","match":{"src":"10.0.0.1/8"}}]}`, `{"version":1,"offenders":[{"match":{},"strikes":-1}]}`,
		`{"version":1,"blocks":[{"kind":"drop","match":{"switch":1,"port":2},"strike":9223372036854775807,"until":"2026-01-01T00:00:00Z"}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := newLedger(&p)
		if err := l.read(bytes.NewReader(text)); err != nil {
			if !errors.Is(err, ErrState) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		for _, a := range l.list() {
			if err := checkBlock(&a.Block); err != nil {
				t.Errorf("took what nobody may ask for: %v", err)
			}
			again := &Active{Block: Block{Kind: a.Kind, Match: a.Match, Rate: a.Rate, ToPort: a.ToPort}}
			if l.open(epoch, again); again.Until.Sub(epoch) > p.Longest || again.Until.Sub(epoch) < time.Second {
				t.Errorf("the next block would last %v", again.Until.Sub(epoch))
			}
		}
		first, err := l.state()
		if err != nil {
			t.Skip(err) // a year that JSON does not have
		}
		other := newLedger(&p)
		if err := other.read(bytes.NewReader(first)); err != nil {
			t.Fatalf("%s is read as %s, and that not at all: %v", text, first, err)
		}
		if len(other.active) != len(l.active) || len(other.history) != len(l.history) {
			t.Errorf("%d blocks and %d offenders, want %d and %d", len(other.active), len(other.history), len(l.active), len(l.history))
		}
	})
}
