package kdd99

import "math"

// Windows are the columns from count to dst_host_srv_rerror_rate.
type Windows struct {
	Count, SrvCount         uint32 // 2-second window: connections to the same host, to the same service
	HostCount, HostSrvCount uint32 // host window: the same
	Rates                   [15]float32
}

// The rates in the schema's order.
const (
	serrorRate = iota
	srvSerrorRate
	rerrorRate
	srvRerrorRate
	sameSrvRate
	diffSrvRate
	srvDiffHostRate
	hostSameSrvRate
	hostDiffSrvRate
	hostSameSrcPortRate
	hostSrvDiffHostRate
	hostSerrorRate
	hostSrvSerrorRate
	hostRerrorRate
	hostSrvRerrorRate
)

// counter computes windows. Its sets serve one computation at a time.
type counter struct {
	rules    WindowRules
	ratchet  uint64   // where the last 2-second window began
	services distinct // at the same host
	hosts    distinct // of the same service
}

// newCounter makes a counter. Windows that count different things are bounded by the room there is for those.
func newCounter(r WindowRules) *counter {
	if r.Distinct {
		r.CountMax, r.HostMax = min(r.CountMax, maxDistinct), min(r.HostMax, maxDistinct)
	}
	return &counter{rules: r}
}

// tally is what one window holds.
type tally struct {
	all                                    int
	host, hostSyn, hostRej, same, diff     int // to the same host
	service, serviceSyn, serviceRej, other int // to the same service; other: of these to another host
	port                                   int // from the same source port
}

// windows computes both windows of connection n, which the history must still hold.
func (c *counter) windows(h *history, n uint64) (w Windows) {
	t := c.tally(h, n, c.rules.CountMax, true)
	w.Count, w.SrvCount = uint32(t.host), uint32(t.service)
	w.Rates[serrorRate], w.Rates[rerrorRate] = rate(t.hostSyn, t.host), rate(t.hostRej, t.host)
	w.Rates[srvSerrorRate], w.Rates[srvRerrorRate] = rate(t.serviceSyn, t.service), rate(t.serviceRej, t.service)
	w.Rates[sameSrvRate], w.Rates[diffSrvRate] = rate(t.same, t.host), rate(t.diff, t.host)
	w.Rates[srvDiffHostRate] = rate(t.other, t.service)

	t = c.tally(h, n, c.rules.HostMax, false)
	w.HostCount, w.HostSrvCount = uint32(t.host), uint32(t.service)
	w.Rates[hostSameSrvRate], w.Rates[hostDiffSrvRate] = rate(t.same, t.host), rate(t.diff, t.host)
	w.Rates[hostSameSrcPortRate] = rate(t.port, t.host)
	if c.rules.PortOfAny {
		w.Rates[hostSameSrcPortRate] = rate(t.port, t.all)
	}
	w.Rates[hostSrvDiffHostRate] = rate(t.other, t.service)
	w.Rates[hostSerrorRate], w.Rates[hostRerrorRate] = rate(t.hostSyn, t.host), rate(t.hostRej, t.host)
	w.Rates[hostSrvSerrorRate], w.Rates[hostSrvRerrorRate] = rate(t.serviceSyn, t.service), rate(t.serviceRej, t.service)
	return w
}

// tally looks at up to limit connections back from n, of these in the time span only if timed.
func (c *counter) tally(h *history, n uint64, limit int, timed bool) (t tally) {
	r, current := c.rules, *h.at(n)
	end, oldest := n, h.first()
	if r.Current {
		end++
	}
	if end-oldest > uint64(limit) {
		oldest = end - uint64(limit)
	}
	since, until := int64(math.MinInt64), int64(math.MaxInt64)
	if timed {
		since, until = c.span(current.time)
		if r.Ratchet {
			oldest = max(oldest, min(c.ratchet, end))
		}
	}
	began := end
	c.services.reset()
	c.hosts.reset()
	for i := end; i > oldest; i-- {
		e := h.at(i - 1)
		if e.time < since || e.time > until { // not break: clocks step back
			continue
		}
		t.all++
		began = i - 1
		c.count(&t, e, &current)
	}
	if timed && t.all > 0 {
		c.ratchet = began
	}
	if r.Distinct {
		t.diff, t.other = several(c.services.n), several(c.hosts.n)
	}
	return t
}

// span is the time window of a connection that began at t: from and until when connections in it began.
func (c *counter) span(t int64) (since, until int64) {
	if !c.rules.WholeSeconds {
		return t - windowSpan, math.MaxInt64
	}
	start := t - t%second
	return start - windowSpan, start + second - 1
}

// count adds one connection to a window of the current one.
func (c *counter) count(t *tally, e, current *entry) {
	host, service := e.host == current.host, e.service == current.service
	syn, rej := int(e.failure&synError), int(e.failure&rejError)/rejError
	if e.srcPort == current.srcPort && (host || c.rules.PortOfAny) {
		t.port++
	}
	if host {
		t.host++
		t.hostSyn += syn
		t.hostRej += rej
		switch {
		case c.rules.Distinct:
			c.services.add(uint64(e.service))
			if service {
				t.same++
			}
		case e.name != current.name:
			t.diff++
		case e.name != uint32(Other):
			t.same++
		}
	}
	if service {
		t.service++
		t.serviceSyn += syn
		t.serviceRej += rej
		if c.rules.Distinct {
			c.hosts.add(e.host)
		} else if !host {
			t.other++
		}
	}
}

// several is n, but 0 where there is only one kind.
func several(n int) int {
	if n < 2 {
		return 0
	}
	return n
}

// rate is a share in single precision, as the data's were computed, 0 of nothing.
func rate(n, of int) float32 {
	if of == 0 {
		return 0
	}
	return float32(n) / float32(of)
}
