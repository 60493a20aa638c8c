package kdd99

import (
	"errors"
	"fmt"
	"time"

	"mlids"
	"mlids/feature"
	"mlids/flow"
)

// ErrSchema is returned for a schema that this package does not compute.
var ErrSchema = errors.New("not the kdd99 schema")

// Config says what to extract.
type Config struct {
	Schema   *feature.Schema // kdd99/1
	Rules    Rules           // KDD99() if zero
	Timeouts Timeouts        // DefaultTimeouts where zero
	MaxFlows int             // open connections at most; 0 for flow.DefaultMaxFlows
	History  int             // connections that windows can look back on; 0 for DefaultHistory
}

// Timeouts say how long a connection may be silent before it is taken to have ended.
type Timeouts struct {
	Attempt time.Duration // after a SYN without answer
	TCP     time.Duration
	UDP     time.Duration
	Closed  time.Duration // after both FINs: late packets are still its own
	Reset   time.Duration // after an RST
	ICMP    time.Duration // for later fragments of a message
}

// DefaultTimeouts are those of Zeek (tcp_attempt_delay, tcp_inactivity_timeout, udp_inactivity_timeout, tcp_close_delay),
// with one second after a reset instead of 0.1.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Attempt: 5 * time.Second, TCP: 5 * time.Minute, UDP: time.Minute,
		Closed: 5 * time.Second, Reset: time.Second, ICMP: 30 * time.Second,
	}
}

// Stats counts what an extractor has done.
type Stats struct {
	flow.Stats        // of connections, ICMP messages included
	Ignored    uint64 // packets of other protocols, and later fragments of which the first is unknown
	Unread     uint64 // connections whose text was not read, because too many were being read
	Forgotten  uint64 // connections whose windows had left the history when they ended: their error rates are 0
}

// Extractor turns packets into rows. It belongs to one goroutine.
type Extractor struct {
	conns
	table *flow.Table[conn]
}

// conns gives the connections of the flow table their meaning.
type conns struct {
	rules      Rules
	timeouts   Timeouts
	services   *services
	history    *history
	slides     *slides
	gure       *gure // instead of slides
	inspectors inspectors
	stats      Stats
	row        Row
	emit       func(*Row)
	message    flow.Flow[conn] // an ICMP message, outside the table
}

// New makes an extractor that hands each finished connection to emit: ICMP messages at once, others in the order of
// package flow. The row is valid during the call.
func New(cfg Config, emit func(*Row)) (*Extractor, error) {
	if cfg.Schema == nil || cfg.Schema.Name != "kdd99" {
		return nil, fmt.Errorf("%w: want kdd99/1", ErrSchema)
	}
	if cfg.Rules == (Rules{}) {
		cfg.Rules = KDD99()
	}
	if cfg.History <= 0 {
		cfg.History = DefaultHistory
	}
	rules, err := newRowRules(cfg.Schema, cfg.Rules)
	if err != nil {
		return nil, err
	}
	x := &Extractor{conns: conns{
		rules: cfg.Rules, timeouts: cfg.Timeouts.orDefault(), services: newServices(cfg.Rules.EphemeralPrivate),
		history: newHistory(cfg.History), emit: emit,
	}}
	if cfg.Rules.GureWindows {
		x.gure = &gure{}
	} else {
		x.slides = newSlides()
	}
	x.row.rules = rules
	x.table = flow.New(flow.Config{Idle: x.timeouts.TCP, MaxFlows: cfg.MaxFlows}, &x.conns)
	return x, nil
}

// mostUnseen is how many rows are made of ICMP messages that a switch counted at a time: windows count no further.
const mostUnseen = 511

// Add takes the next packet.
func (x *Extractor) Add(p *mlids.Packet) {
	switch p.Proto {
	case mlids.ProtoTCP, mlids.ProtoUDP:
		if p.Unseen > 0 && p.Proto == mlids.ProtoTCP { // its sequence numbers have told, or will
			x.table.Advance(p.Time)
			return
		}
		x.table.Add(p)
	case mlids.ProtoICMP, mlids.ProtoICMPv6:
		if p.Fragment {
			x.table.Add(p)
			return
		}
		x.table.Advance(p.Time)
		for range max(min(p.Unseen, mostUnseen), 1) {
			x.single(p)
		}
	default:
		x.stats.Ignored++
		x.table.Advance(p.Time)
	}
}

// Advance tells that time has come to now (ns since the epoch) without a packet, see [flow.Table.Advance].
func (x *Extractor) Advance(now int64) { x.table.Advance(now) }

// Flush ends all connections.
func (x *Extractor) Flush() { x.table.Flush() }

// Stats returns the counts so far.
func (x *Extractor) Stats() Stats {
	s, t := x.stats, x.table.Stats()
	s.Packets += t.Packets + s.Ignored
	s.Flows += t.Flows
	s.Open = t.Open
	s.Unread = x.inspectors.denied
	return s
}

// single makes a row of an ICMP message.
func (x *conns) single(p *mlids.Packet) {
	x.stats.Packets++
	x.stats.Flows++
	f := &x.message
	*f = flow.Flow[conn]{
		Key: flow.KeyOf(p), First: p.Time, Last: p.Time, End: p.Time, Reason: mlids.EndIdle, Ingress: p.Ingress, Answer: p.Answers(),
	}
	x.Begin(f, nil, p)
	x.End(f)
}

// Idle is how long a connection in its state may be silent. It is for package flow to call.
func (x *conns) Idle(f *flow.Flow[conn]) time.Duration {
	t, c := &x.timeouts, &f.State
	switch {
	case f.Key.Proto == mlids.ProtoUDP:
		return t.UDP
	case f.Key.Proto != mlids.ProtoTCP:
		return t.ICMP
	case c.tcp.is[0] == reset || c.tcp.is[1] == reset:
		return t.Reset
	case c.tcp.over():
		return t.Closed
	case c.tcp.attempt():
		return t.Attempt
	}
	return t.TCP
}

// begin gives a connection its place in the history.
func (x *conns) begin(p *mlids.Packet, s Service) uint64 {
	e := entry{time: p.Time, host: hostOf(p.Dst), service: uint32(p.Proto)<<16 | uint32(p.DstPort), name: s, srcPort: p.SrcPort}
	if p.Proto == mlids.ProtoICMP || p.Proto == mlids.ProtoICMPv6 {
		e.service = mlids.ProtoICMP<<16 | uint32(s)
	}
	return x.history.add(e)
}

// End makes a row of a connection that has ended. It is for package flow to call.
func (x *conns) End(f *flow.Flow[conn]) {
	c := &f.State
	flag := x.flag(f)
	x.history.mark(c.number, failureOf(flag, x.rules.OnlyRejected))
	content := x.content(f)
	if c.text != 0 {
		x.inspectors.give(c.text)
	}
	reason := reasonOf(f.Reason, c)
	x.stats.Ended[reason]++
	x.row.fill(f, reason, flag, &content, x.windows(c))
	x.emit(&x.row)
}

// flag is how far a connection is.
func (x *conns) flag(f *flow.Flow[conn]) Flag {
	c := &f.State
	switch {
	case f.Key.Proto == mlids.ProtoTCP:
		return c.tcp.flag(c.silent())
	case x.rules.UDPStates && f.Key.Proto == mlids.ProtoUDP && c.streams[1].bytes == 0:
		return S0
	}
	return SF
}

// content is what the text of a connection tells.
func (x *conns) content(f *flow.Flow[conn]) (t Content) {
	c := &f.State
	if c.text != 0 {
		t = x.inspectors.at(c.text).Content
	}
	t.LoggedIn = t.LoggedIn || f.Key.Proto == mlids.ProtoTCP && c.conversed()
	return t
}

// Interim hands out rows of connections as they are now: those that began at or before begun, had a packet later than
// after (ns since the epoch) and are still open; no more than most. Their final rows come later, unchanged by this.
func (x *Extractor) Interim(begun, after int64, most int) {
	x.table.Open(begun, after, most, func(f *flow.Flow[conn]) {
		content := x.content(f)
		x.row.fill(f, mlids.EndNone, x.flag(f), &content, x.outlook(&f.State))
		x.emit(&x.row)
	})
}

// outlook is windows of a connection that goes on.
func (x *conns) outlook(c *conn) Windows {
	known := c.number >= x.history.first()
	switch {
	case x.gure != nil && known:
		return x.gure.windows(x.history, c.number)
	case !c.frozen && known:
		seen := x.history.failures(c.number, &c.place)
		return c.place.windows(&seen)
	}
	return c.place.windows(&c.failures)
}

// windows are the window columns of a connection.
func (x *conns) windows(c *conn) Windows {
	known := c.number >= x.history.first()
	switch {
	case x.gure != nil && known:
		return x.gure.windows(x.history, c.number)
	case !c.frozen && known:
		c.failures = x.history.failures(c.number, &c.place)
	case !c.frozen:
		x.stats.Forgotten++
	}
	return c.place.windows(&c.failures)
}

// conversed is what logged_in means for services without a log-in in clear text: in the data it is 1 where both sides
// sent payload, but for finger.
func (c *conn) conversed() bool {
	switch c.service {
	case Finger, FTP, Telnet, POP2, POP3, Auth:
		return false
	case FTPData:
		return c.streams[0].bytes > 0
	}
	return c.streams[0].bytes > 0 && c.streams[1].bytes > 0
}

// reasonOf is why a connection ended; one that was over has only waited for late packets.
func reasonOf(why mlids.EndReason, c *conn) mlids.EndReason {
	switch {
	case !c.tcp.over():
		return why
	case c.tcp.is[0] == reset || c.tcp.is[1] == reset:
		return mlids.EndRST
	}
	return mlids.EndFIN
}

// orDefault replaces what is not set.
func (t Timeouts) orDefault() Timeouts {
	d := DefaultTimeouts()
	for _, p := range [][2]*time.Duration{
		{&t.Attempt, &d.Attempt}, {&t.TCP, &d.TCP}, {&t.UDP, &d.UDP},
		{&t.Closed, &d.Closed}, {&t.Reset, &d.Reset}, {&t.ICMP, &d.ICMP},
	} {
		if *p[0] <= 0 {
			*p[0] = *p[1]
		}
	}
	return t
}
