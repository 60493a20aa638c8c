package mitigate

import (
	"net/netip"
	"time"
)

// maxKeys bounds each half of a window: what comes beyond is not counted, as under a flood with forged sources, of which
// each sends next to nothing.
const maxKeys = 1 << 15

// maxTargets bounds how many different targets are told apart.
const maxTargets = 256

// window counts by key over the last span. It has two halves and forgets the older one at each half span, so it looks back
// between half a span and a whole one: what it counts did happen within the span.
type window[K comparable, V any] struct {
	half   time.Duration
	turned time.Time
	halves [2]map[K]*V // now, before
}

func newWindow[K comparable, V any](span time.Duration) *window[K, V] {
	return &window[K, V]{half: span / 2, halves: [2]map[K]*V{{}, {}}}
}

// at gives what is counted of a key: in the current half, to be changed, nil when that is full; and in the one before, nil
// when there is nothing.
func (w *window[K, V]) at(now time.Time, key K) (current, before *V) {
	w.turn(now)
	current = w.halves[0][key]
	if current == nil && len(w.halves[0]) < maxKeys {
		current = new(V)
		w.halves[0][key] = current
	}
	return current, w.halves[1][key]
}

// peek is at without a change.
func (w *window[K, V]) peek(now time.Time, key K) (current, before *V) {
	w.turn(now)
	return w.halves[0][key], w.halves[1][key]
}

// forget drops a key.
func (w *window[K, V]) forget(key K) {
	delete(w.halves[0], key)
	delete(w.halves[1], key)
}

// turn forgets what is too old.
func (w *window[K, V]) turn(now time.Time) {
	age := now.Sub(w.turned)
	if age >= 0 && age < w.half {
		return
	}
	if age < 0 || age >= 2*w.half { // set back, or silent for long
		w.halves = [2]map[K]*V{{}, {}}
	} else {
		w.halves = [2]map[K]*V{{}, w.halves[0]}
	}
	w.turned = now
}

// target is what a flow goes to.
type target struct {
	dst   netip.Addr
	proto uint8
	port  uint16
}

// tally counts the verdicts on a source.
type tally struct {
	verdicts int
	targets  map[target]struct{}
}

// add counts a verdict, and its target as long as there are fewer than want.
func (t *tally) add(to target, want int) {
	t.verdicts++
	if len(t.targets) >= want {
		return
	}
	if t.targets == nil {
		t.targets = map[target]struct{}{}
	}
	t.targets[to] = struct{}{}
}

// reaches reports whether both halves of a window together have what the rule asks for.
func (t *tally) reaches(before *tally, r *Rule) bool {
	verdicts, targets := t.verdicts, len(t.targets)
	if before != nil {
		verdicts += before.verdicts
		for to := range before.targets {
			if _, twice := t.targets[to]; !twice {
				targets++
			}
		}
	}
	return verdicts >= r.Verdicts && targets >= r.Targets
}
