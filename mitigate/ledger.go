package mitigate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mlids"
)

// Active is a block that is in force, and how it came about.
type Active struct {
	Block
	Since  time.Time
	Strike int    // how often the same was blocked, this time included; each doubles the time
	By     string // policy, or who added it
	Class  string // of the verdict; empty for blocks added by hand
	Model  string

	Forged    bool // the source's address is in use elsewhere in the network: the block is for its port, not for the address
	DryRun    bool // decided, not carried out
	Confirmed bool // the network has it

	refused bool // by the network, when last tried
}

// maxOffenders bounds the memory for who was blocked before.
const maxOffenders = 1 << 12

// offender is who was blocked before.
type offender struct {
	strikes int
	until   time.Time // of the last block
}

// ledger knows what is blocked now and who was blocked before. It belongs to one goroutine.
type ledger struct {
	policy  *Policy
	active  map[Match]*Active
	byID    map[string]*Active
	history map[Match]offender
}

func newLedger(p *Policy) *ledger {
	return &ledger{policy: p, active: map[Match]*Active{}, byID: map[string]*Active{}, history: map[Match]offender{}}
}

// idOf names a block by what it matches: the same is blocked once, and has the same name over restarts.
func idOf(m Match) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%v|%v|%d|%d|%d|%v", m.Src, m.Dst, m.Proto, m.SrcPort, m.DstPort, m.Port))
	return hex.EncodeToString(sum[:6])
}

// covers reports whether a block concerns a flow.
func (l *ledger) covers(a *mlids.Alert) bool {
	src, dst, srcPort, dstPort := single(a.Src), single(a.Dst), uint16(0), uint16(0)
	if hasPorts(a.Proto) {
		srcPort, dstPort = a.SrcPort, a.DstPort
	}
	ports := [...]Port{a.Ingress, {}}
	for _, port := range ports {
		for _, m := range [...]Match{
			{Src: src, Port: port}, {Src: src, Dst: dst, Port: port},
			{Src: src, Dst: dst, Proto: a.Proto, SrcPort: srcPort, DstPort: dstPort, Port: port},
			{Dst: dst, Port: port}, {Dst: dst, Proto: a.Proto, Port: port}, {Dst: dst, Proto: a.Proto, DstPort: dstPort, Port: port},
		} {
			if _, ok := l.active[m]; ok {
				return true
			}
		}
	}
	return false
}

// refusal is why a block is not made.
type refusal string

// The refusals.
const (
	refuseNone  refusal = ""
	refuseAllow refusal = "allow-list"
	refuseCap   refusal = "cap"
)

// judge says whether a block may be made, and the words for it if not.
func (l *ledger) judge(m Match) (refusal, string) {
	if why, words := l.judgeAgain(m); why != refuseNone {
		return why, words
	}
	if _, renewed := l.active[m]; !renewed && len(l.active) >= l.policy.MaxBlocks {
		return refuseCap, fmt.Sprintf("there are %d blocks, no more are allowed at a time", len(l.active))
	}
	return refuseNone, ""
}

// judgeAgain is judge for a block that is in the book already: the allow-list may have changed since.
func (l *ledger) judgeAgain(m Match) (refusal, string) {
	if entry, ok := l.policy.allows(m.Src); ok {
		return refuseAllow, fmt.Sprintf("%v is allowed by %v", m.Src, entry)
	}
	return refuseNone, ""
}

// open puts a block into the book. With no time of its own it lasts as long as the strikes say.
func (l *ledger) open(now time.Time, a *Active) {
	past := l.history[a.Match]
	if now.Sub(past.until) > l.policy.Forget {
		past.strikes = 0
	}
	a.ID, a.Since, a.Strike = idOf(a.Match), now, past.strikes+1
	if a.Until.IsZero() {
		a.Until = now.Add(l.term(a.Strike))
	}
	l.put(a)
	l.remember(a)
}

func (l *ledger) put(a *Active) { l.active[a.Match], l.byID[a.ID] = a, a }

// term is how long the block of a strike lasts.
func (l *ledger) term(strike int) time.Duration {
	d := l.policy.First
	for range strike - 1 {
		if d *= 2; d >= l.policy.Longest {
			return l.policy.Longest
		}
	}
	return d
}

// remember notes a strike. When there are too many to remember, the ones longest ago are forgotten.
func (l *ledger) remember(a *Active) {
	l.history[a.Match] = offender{a.Strike, a.Until}
	if len(l.history) <= maxOffenders {
		return
	}
	ends := make([]time.Time, 0, len(l.history))
	for _, o := range l.history {
		ends = append(ends, o.until)
	}
	slices.SortFunc(ends, time.Time.Compare)
	l.forget(ends[len(ends)/4])
}

// forget drops offenders whose last block ended before.
func (l *ledger) forget(before time.Time) {
	for m, o := range l.history {
		if o.until.Before(before) && l.active[m] == nil {
			delete(l.history, m)
		}
	}
}

// close takes a block out of the book. It counts as having ended then.
func (l *ledger) close(now time.Time, a *Active) {
	delete(l.active, a.Match)
	delete(l.byID, a.ID)
	if o, ok := l.history[a.Match]; ok {
		o.until = now
		l.history[a.Match] = o
	}
}

// due lists the blocks whose time is over, and says when the next one's will be.
func (l *ledger) due(now time.Time) (over []*Active, next time.Time) {
	for _, a := range l.list() {
		switch {
		case !a.Until.After(now):
			over = append(over, a)
		case next.IsZero() || a.Until.Before(next):
			next = a.Until
		}
	}
	return over, next
}

// list gives the blocks, the oldest first.
func (l *ledger) list() []*Active {
	all := make([]*Active, 0, len(l.active))
	for _, a := range l.active {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *Active) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	return all
}

// valid says what is wrong with a match that somebody gives.
func (m *Match) valid() error {
	masked := func(p netip.Prefix) bool { return !p.IsValid() || p == p.Masked() }
	switch {
	case !m.Src.IsValid() && !m.Dst.IsValid() && m.Port == (Port{}):
		return fmt.Errorf("%w: it would match everything: want a source, a destination or a port of entry", ErrBlock)
	case !masked(m.Src) || !masked(m.Dst):
		return fmt.Errorf("%w: %v to %v: a prefix has bits beyond its length", ErrBlock, m.Src, m.Dst)
	case m.Src.Addr().Is4In6() || m.Dst.Addr().Is4In6(): // allow-list and kernel would take it for another address
		return fmt.Errorf("%w: %v to %v: want IPv4 addresses as IPv4", ErrBlock, m.Src, m.Dst)
	case m.Src.IsValid() && m.Dst.IsValid() && m.Src.Addr().Is4() != m.Dst.Addr().Is4():
		return fmt.Errorf("%w: %v to %v are of two families", ErrBlock, m.Src, m.Dst)
	case (m.SrcPort != 0 || m.DstPort != 0) && !hasPorts(m.Proto):
		return fmt.Errorf("%w: ports go with protocol 6, 17 or 132", ErrBlock)
	}
	return nil
}

// String names the parts that are set, as people write them.
func (m Match) String() string {
	var parts []string
	if m.Src.IsValid() {
		parts = append(parts, "from "+m.Src.String())
	}
	if m.Dst.IsValid() {
		parts = append(parts, "to "+m.Dst.String())
	}
	if m.Proto != 0 {
		parts = append(parts, fmt.Sprintf("protocol %d", m.Proto))
	}
	if m.SrcPort != 0 {
		parts = append(parts, fmt.Sprintf("source port %d", m.SrcPort))
	}
	if m.DstPort != 0 {
		parts = append(parts, fmt.Sprintf("port %d", m.DstPort))
	}
	if m.Port != (Port{}) {
		parts = append(parts, "entering by "+m.Port.String())
	}
	return strings.Join(parts, ", ")
}

// byPolicy is who made the blocks that nobody asked for.
const byPolicy = "policy"
