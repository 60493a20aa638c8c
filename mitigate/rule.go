package mitigate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mlids"
)

// ErrRule is returned for a rule that cannot be read or makes no sense.
var ErrRule = errors.New("not a rule")

// Scope is how much of a source's traffic a rule's blocks concern, and what its verdicts are counted by.
type Scope string

// The scopes.
const (
	BySource Scope = "source" // all that the source sends
	ByPair   Scope = "pair"   // what the source sends to one destination
	ByFlow   Scope = "flow"   // one flow
)

// Rule says which verdicts, and how many of them, lead to a block.
type Rule struct {
	Model       string   // that gave the verdict; empty for any
	Classes     []string // that it gave; empty for any class of attack
	Probability float64  // of the class, at least

	Verdicts int           // this many
	Targets  int           // on flows to this many different destinations and ports
	Within   time.Duration // in this time
	Packets  uint32        // on flows of this many packets per second at least to which nothing comes back; 0 for all flows

	Kind   Kind
	Scope  Scope
	Rate   uint32 // packets per second, of Limit
	ToPort uint32 // of Redirect
}

// DefaultRules are reasoned in docs/mitigation.md: a hundred verdicts in a second are more connections than a person's
// programs make, whatever a model says of them; a scan is known by how much it tries.
func DefaultRules() []Rule {
	return []Rule{
		{Model: "kdd99", Classes: []string{"dos"}, Probability: 0.5, Verdicts: 100, Targets: 1, Within: time.Second, Kind: Drop, Scope: BySource},
		{
			Model: "kdd99", Classes: []string{"dos", "probe"}, Probability: 0.5, Verdicts: 100, Targets: 100, Within: 10 * time.Second,
			Kind: Drop, Scope: BySource,
		},
		{
			Model: "cicflow", Classes: []string{"attack"}, Probability: 0.5, Verdicts: 1, Targets: 1, Within: time.Second, Packets: 5000,
			Kind: Drop, Scope: ByPair,
		},
	}
}

// ParseRule reads a rule as String prints it: words of the form key=value, all but action optional.
//
//	model=kdd99 class=dos,probe probability=0.9 verdicts=100 targets=1 within=1s action=drop scope=source
//	class=dos action=limit rate=50 scope=pair
//	model=cicflow packets=5000 action=drop scope=pair
func ParseRule(text string) (Rule, error) {
	r := Rule{Verdicts: 1, Targets: 1, Within: time.Second, Scope: BySource}
	for word := range strings.FieldsSeq(text) {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return Rule{}, fmt.Errorf("%w: %q: want key=value", ErrRule, word)
		}
		if err := r.set(key, value); err != nil {
			return Rule{}, fmt.Errorf("%w: %s: %w", ErrRule, word, err)
		}
	}
	return r, r.check()
}

func (r *Rule) set(key, value string) (err error) {
	number := func(to *uint32) error {
		n, err := strconv.ParseUint(value, 10, 32)
		*to = uint32(n)
		return err
	}
	switch key {
	case "model":
		r.Model = value
	case "class":
		r.Classes = strings.Split(value, ",")
	case "probability":
		r.Probability, err = strconv.ParseFloat(value, 64)
	case "verdicts":
		r.Verdicts, err = strconv.Atoi(value)
	case "targets":
		r.Targets, err = strconv.Atoi(value)
	case "within":
		r.Within, err = time.ParseDuration(value)
	case "packets":
		err = number(&r.Packets)
	case "action":
		r.Kind = Kind(value)
	case "scope":
		r.Scope = Scope(value)
	case "rate":
		err = number(&r.Rate)
	case "port":
		err = number(&r.ToPort)
	default:
		err = errors.New("known keys are model, class, probability, verdicts, targets, within, packets, action, scope, rate, port")
	}
	return err
}

// maxCount bounds what is kept for a source.
const maxCount = 100_000

func (r *Rule) check() error {
	var wrong string
	switch {
	case r.Kind != Drop && r.Kind != Limit && r.Kind != Redirect:
		wrong = "action is one of drop, limit, redirect"
	case r.Scope != BySource && r.Scope != ByPair && r.Scope != ByFlow:
		wrong = "scope is one of source, pair, flow"
	case (r.Kind == Limit) != (r.Rate > 0):
		wrong = "rate (packets per second) goes with action=limit"
	case (r.Kind == Redirect) != (r.ToPort > 0):
		wrong = "port (of the switch) goes with action=redirect"
	case r.Verdicts < 1 || r.Verdicts > maxCount:
		wrong = fmt.Sprintf("verdicts is a number from 1 to %d", maxCount)
	case r.Targets < 1 || r.Targets > min(r.Verdicts, maxTargets):
		wrong = fmt.Sprintf("targets is a number from 1 to verdicts, at most %d", maxTargets)
	case r.Within < time.Millisecond || r.Within > time.Hour:
		wrong = "within is a time from 1ms to 1h"
	case !(r.Probability >= 0 && r.Probability <= 1):
		wrong = "probability is a number from 0 to 1"
	case slices.Contains(r.Classes, ""):
		wrong = "class is a list of names"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrRule, wrong)
}

// String is the rule as ParseRule reads it.
func (r Rule) String() string {
	var b strings.Builder
	if r.Model != "" {
		fmt.Fprintf(&b, "model=%s ", r.Model)
	}
	if len(r.Classes) > 0 {
		fmt.Fprintf(&b, "class=%s ", strings.Join(r.Classes, ","))
	}
	fmt.Fprintf(&b, "probability=%g verdicts=%d targets=%d within=%s ", r.Probability, r.Verdicts, r.Targets, r.Within)
	if r.Packets > 0 {
		fmt.Fprintf(&b, "packets=%d ", r.Packets)
	}
	fmt.Fprintf(&b, "action=%s scope=%s", r.Kind, r.Scope)
	if r.Kind == Limit {
		fmt.Fprintf(&b, " rate=%d", r.Rate)
	}
	if r.Kind == Redirect {
		fmt.Fprintf(&b, " port=%d", r.ToPort)
	}
	return b.String()
}

// takes reports whether the rule counts a verdict on a flow that carries so many packets a second unanswered.
func (r *Rule) takes(v *mlids.Verdict, load float64) bool {
	return v.Attack && load >= float64(r.Packets) && v.Probability >= r.Probability && cmp.Or(r.Model, v.Model) == v.Model &&
		(len(r.Classes) == 0 || slices.Contains(r.Classes, v.Class))
}
