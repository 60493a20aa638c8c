package mitigate

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// ErrPolicy is returned for a policy that contradicts itself.
var ErrPolicy = errors.New("not a policy")

// Policy says what is done about verdicts. Zero fields take the default given.
type Policy struct {
	Rules []Rule         // each counts for itself, the first to have enough says what is done: DefaultRules
	Allow []netip.Prefix // whose packets are never blocked, whatever else holds

	MaxBlocks int           // at a time; at the cap nothing more is blocked, and it is said so: 1000
	First     time.Duration // how long a block lasts, twice as long each time it has to be made again: 1 min
	Longest   time.Duration // it lasts: 24 h
	Forget    time.Duration // since its last block a source counts as new: 24 h
	DryRun    bool          // decide and record, but touch no network

	// Sources that forge their addresses are not blocked by them. When verdicts on this many sources come in by one port
	// for one destination within a second, none of them more than half, what enters that port for it is limited.
	Sources    int    // 20
	Verdicts   int    // so many verdicts at least: 100
	FloodRate  uint32 // packets per second that pass: 10
	FriendRate uint32 // packets per second of a source whose address may be forged, see engine.soften: 100
}

func (p Policy) withDefaults() Policy {
	if len(p.Rules) == 0 {
		p.Rules = DefaultRules()
	}
	p.MaxBlocks = cmp.Or(p.MaxBlocks, 1000)
	p.First = cmp.Or(p.First, time.Minute)
	p.Longest = cmp.Or(p.Longest, 24*time.Hour)
	p.Forget = cmp.Or(p.Forget, 24*time.Hour)
	p.Sources = cmp.Or(p.Sources, 20)
	p.Verdicts = cmp.Or(p.Verdicts, 100)
	p.FloodRate = cmp.Or(p.FloodRate, 10)
	p.FriendRate = cmp.Or(p.FriendRate, 100)
	return p
}

func (p *Policy) check() error {
	for i := range p.Rules {
		if err := p.Rules[i].check(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	switch {
	case p.MaxBlocks < 0:
		return fmt.Errorf("%w: at most %d blocks at a time", ErrPolicy, p.MaxBlocks)
	case p.First < time.Second || p.Longest < p.First || p.Forget < 0:
		return fmt.Errorf("%w: blocks last from %v to %v, forgotten after %v: want a second at least, and the second no shorter than the first",
			ErrPolicy, p.First, p.Longest, p.Forget)
	case p.Sources < 2 || p.Sources > maxTargets || p.Verdicts < p.Sources:
		return fmt.Errorf("%w: %d verdicts on %d sources: want 2 to %d sources, and no fewer verdicts", ErrPolicy, p.Verdicts, p.Sources, maxTargets)
	}
	for _, a := range p.Allow {
		if !a.IsValid() {
			return fmt.Errorf("%w: an entry of the allow-list is no prefix", ErrPolicy)
		}
	}
	return nil
}

// allows finds the entry of the allow-list that a source prefix overlaps with.
func (p *Policy) allows(src netip.Prefix) (netip.Prefix, bool) {
	for _, a := range p.Allow {
		if src.IsValid() && a.Overlaps(src) {
			return a, true
		}
	}
	return netip.Prefix{}, false
}

// single is the prefix of one address.
func single(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}
