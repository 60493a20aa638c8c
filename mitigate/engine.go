package mitigate

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"mlids"
)

// Memory of friends and of who spoke first.
const (
	friendSpan = 20 * time.Minute
	friendAge  = 10 * time.Second // a flood's own first packets may look benign
	pairSpan   = 10 * time.Second
	floodSpan  = time.Second
)

// engine finds out from verdicts what should be blocked. It does nothing itself, has no clock, and belongs to one goroutine.
type engine struct {
	policy  Policy
	rules   []*ruleState
	floods  *window[flood, crowd]
	pairs   *window[pair, talk]
	friends *window[netip.Addr, Port]   // addresses in benign use, and where
	known   *window[service, time.Time] // what benign flows lead to, and since when
	loads   *loads
	locate  func(netip.Addr) (Port, bool) // nil: nobody knows
}

type ruleState struct {
	Rule
	window *window[Match, tally]
}

// flood is where packets of many sources meet.
type flood struct {
	port Port
	dst  netip.Addr
}

// service is what flows from one port lead to: a destination, all of it or one protocol or one port.
type service struct {
	port  Port
	dst   netip.Addr
	proto uint8
	to    uint16
}

// pair is a source and a destination; talk is since when verdicts say that the one attacks the other, and how many.
type pair struct{ src, dst netip.Addr }
type talk struct {
	since time.Time
	n     int
}

// proposal is what an engine wants done.
type proposal struct {
	block  Block
	class  string
	model  string
	forged bool // see Active
}

func newEngine(p Policy, locate func(netip.Addr) (Port, bool)) *engine {
	e := &engine{
		policy: p, locate: locate,
		floods: newWindow[flood, crowd](floodSpan), pairs: newWindow[pair, talk](pairSpan),
		friends: newWindow[netip.Addr, Port](friendSpan), known: newWindow[service, time.Time](friendSpan),
		loads: newLoads(),
	}
	for _, r := range p.Rules {
		e.rules = append(e.rules, &ruleState{r, newWindow[Match, tally](r.Within)})
	}
	return e
}

// observe takes a verdict. ok says that p should be done.
func (e *engine) observe(now time.Time, a *mlids.Alert) (p proposal, ok bool) {
	if !a.Src.IsValid() || !a.Dst.IsValid() {
		return proposal{}, false // a recorded row, without addresses
	}
	load := e.loads.add(now, a)
	if !a.Verdict.Attack {
		if !a.Answer && !a.Open {
			e.befriend(now, a)
		}
		return proposal{}, false
	}
	if !slices.ContainsFunc(e.rules, func(r *ruleState) bool { return r.takes(&a.Verdict, load) }) || a.Answer || e.answers(now, a) {
		return proposal{}, false
	}
	port := e.port(a)
	crowded := e.crowd(now, a, port)
	for _, r := range e.rules {
		if !r.takes(&a.Verdict, load) {
			continue
		}
		if match, reached := e.count(now, r, a, port); reached && !ok {
			p, ok = e.propose(r, a, match, load), true
			e.soften(now, a.Src, &p)
		}
	}
	if !ok && crowded != nil {
		p, ok = e.proposeFlood(now, a, port, crowded), true
	}
	return p, ok
}

// befriend notes a benign flow: who it is from, and what it leads to.
func (e *engine) befriend(now time.Time, a *mlids.Alert) {
	port := e.port(a)
	if at, _ := e.friends.at(now, a.Src); at != nil {
		*at = port
	}
	for _, s := range [...]service{{port, a.Dst, 0, 0}, {port, a.Dst, a.Proto, 0}, {port, a.Dst, a.Proto, a.DstPort}} {
		if since, before := e.known.at(now, s); since != nil && since.IsZero() {
			*since = now
			if before != nil {
				*since = *before
			}
		}
	}
}

// visited reports whether benign flows led from a match's port to its destination, since before the attack.
func (e *engine) visited(now time.Time, m *Match) bool {
	since, before := e.known.peek(now, service{m.Port, m.Dst.Addr(), m.Proto, m.DstPort})
	if since == nil {
		since = before
	}
	return since != nil && now.Sub(*since) >= friendAge
}

// port is where the packets came in, by the packets themselves or by who was last seen where.
func (e *engine) port(a *mlids.Alert) Port {
	if a.Ingress == (Port{}) && e.locate != nil {
		if p, ok := e.locate(a.Src); ok {
			return p
		}
	}
	return a.Ingress
}

// answers reports whether the attack may be the answer to one: verdicts say that the destination attacked the source, they
// said so first, and at least half as often. A sensor that sees only some packets takes an answer for the first packet of
// a flow, and the victim for the attacker.
func (e *engine) answers(now time.Time, a *mlids.Alert) bool {
	mine, before := e.pairs.at(now, pair{a.Src, a.Dst})
	if mine == nil {
		return false
	}
	if mine.n++; mine.n == 1 {
		mine.since = now
		if before != nil {
			mine.since = before.since
		}
	}
	theirs, earlier := e.pairs.peek(now, pair{a.Dst, a.Src})
	since, n := mine.since, 0
	for _, t := range []*talk{theirs, earlier} {
		if t != nil {
			n += t.n
			if t.since.Before(since) {
				since = t.since
			}
		}
	}
	total := mine.n
	if before != nil {
		total += before.n
	}
	return since.Before(mine.since) && 2*n >= total
}

// count adds a verdict to its source, pair or flow, and reports whether the rule's number is reached.
func (e *engine) count(now time.Time, r *ruleState, a *mlids.Alert, port Port) (m Match, reached bool) {
	m = Match{Src: single(a.Src), Port: port}
	if r.Scope != BySource {
		m.Dst = single(a.Dst)
	}
	if r.Scope == ByFlow {
		m.Proto = a.Proto
		if hasPorts(a.Proto) {
			m.SrcPort, m.DstPort = a.SrcPort, a.DstPort
		}
	}
	current, before := r.window.at(now, m)
	if current == nil {
		return m, false
	}
	to := target{dst: a.Dst, proto: a.Proto}
	if hasPorts(a.Proto) {
		to.port = a.DstPort
	}
	current.add(to, r.Targets)
	if !current.reaches(before, &r.Rule) {
		return m, false
	}
	r.window.forget(m)
	return m, true
}

// propose is the block of a rule.
func (e *engine) propose(r *ruleState, a *mlids.Alert, m Match, load float64) proposal {
	why := ""
	if r.Packets > 0 {
		why = fmt.Sprintf(", of %.0f packets per second to which nothing comes back", load)
	}
	return proposal{
		block: Block{
			Kind: r.Kind, Match: m, Rate: r.Rate, ToPort: r.ToPort,
			Reason: fmt.Sprintf("%d verdicts of %s within %v, the last %s (%.4f) on %s%s", r.Verdicts, a.Verdict.Model, r.Within, a.Verdict.Class,
				a.Verdict.Probability, describe(a), why),
		},
		class: a.Verdict.Class, model: a.Verdict.Model,
	}
}

// soften looks whether the source's address was in benign use before. If that was at another port, it is forged here. If
// nothing says by which port the packets come, it may be: then it is slowed down, not cut off.
func (e *engine) soften(now time.Time, src netip.Addr, p *proposal) {
	at, before := e.friends.peek(now, src)
	if at == nil {
		at = before
	}
	if at == nil {
		return
	}
	b := &p.block
	p.forged = *at != b.Match.Port
	if b.Kind == Drop && b.Match.Port == (Port{}) {
		b.Kind, b.Rate = Limit, e.policy.FriendRate
		b.Reason += "; limited only: the address was in benign use, and may be forged"
	}
}

// crowd counts a verdict where packets of many sources meet. It returns the crowd when it is one.
func (e *engine) crowd(now time.Time, a *mlids.Alert, port Port) *crowd {
	key := flood{port, a.Dst}
	current, before := e.floods.at(now, key)
	if current == nil {
		return nil
	}
	current.add(a, e.policy.Sources)
	if all := current.join(before, e.policy.Verdicts); all != nil && all.wide(e.policy.Sources) {
		e.floods.forget(key)
		return all
	}
	return nil
}

// proposeFlood is a limit at the port for the destination, as narrow as all that was seen allows. Where nothing benign went
// before, nothing is let through: the few packets that a limit lets pass are the flood's, too.
func (e *engine) proposeFlood(now time.Time, a *mlids.Alert, port Port, c *crowd) proposal {
	m := Match{Dst: single(a.Dst), Port: port}
	if !c.protos {
		m.Proto = c.proto
		if !c.ports && hasPorts(c.proto) {
			m.DstPort = c.port
		}
	}
	kind, rate := Limit, e.policy.FloodRate
	if port != (Port{}) && !e.visited(now, &m) {
		kind, rate = Drop, 0
	}
	return proposal{
		block: Block{
			Kind: kind, Match: m, Rate: rate,
			Reason: fmt.Sprintf("%d verdicts within %v on %d or more sources, none on more than half: addresses may be forged; the last of %s, %s (%.4f) on %s",
				c.verdicts, floodSpan, e.policy.Sources, a.Verdict.Model, a.Verdict.Class, a.Verdict.Probability, describe(a)),
		},
		class: a.Verdict.Class, model: a.Verdict.Model,
	}
}

// describe names the flow of an alert, for people.
func describe(a *mlids.Alert) string {
	text := fmt.Sprintf("%v → %v, protocol %d", a.Src, a.Dst, a.Proto)
	if hasPorts(a.Proto) {
		text = fmt.Sprintf("%v → %v, protocol %d", netip.AddrPortFrom(a.Src, a.SrcPort), netip.AddrPortFrom(a.Dst, a.DstPort), a.Proto)
	}
	if a.Ingress != (Port{}) {
		text += ", entered by " + a.Ingress.String()
	}
	return text
}

func hasPorts(proto uint8) bool {
	return proto == mlids.ProtoTCP || proto == mlids.ProtoUDP || proto == mlids.ProtoSCTP
}
