package kdd99

// Sizes of gureKddcup's windows. Its programs do not bound the first.
const (
	gureCountMax = 1 << 14
	gureHostMax  = 100
)

// gure computes windows as the programs of gureKddcup do: over the connections before the current one, which is not
// counted itself.
type gure struct {
	// ratchet lets the 2-second window never begin before that of the connection computed last. The program does so; it
	// shows only in lists that are not in order of time, and is meant only for lists in order of number.
	ratchet bool
	began   uint64
}

// crowd is what one window holds.
type crowd struct {
	all                                    int
	host, hostSyn, hostRej, same, diff     int // to the same host; same and diff: of a service of the same name or not
	service, serviceSyn, serviceRej, other int // to the same port; other: of these to another host
	port                                   int // from the same source port, to any host
}

// windows computes both windows of connection n, which the history must still hold.
func (g *gure) windows(h *history, n uint64) (w Windows) {
	c := g.recent(h, n)
	w.Count, w.SrvCount = uint32(c.host), uint32(c.service)
	w.Rates[serrorRate], w.Rates[srvSerrorRate] = rate(c.hostSyn, c.host), rate(c.serviceSyn, c.service)
	w.Rates[rerrorRate], w.Rates[srvRerrorRate] = rate(c.hostRej, c.host), rate(c.serviceRej, c.service)
	w.Rates[sameSrvRate], w.Rates[diffSrvRate] = rate(c.same, c.host), rate(c.diff, c.host)
	w.Rates[srvDiffHostRate] = rate(c.other, c.service)

	c = g.last(h, n)
	w.HostCount, w.HostSrvCount = uint32(c.host), uint32(c.service)
	w.Rates[hostSameSrvRate], w.Rates[hostDiffSrvRate] = rate(c.same, c.host), rate(c.diff, c.host)
	w.Rates[hostSameSrcPortRate] = rate(c.port, c.all)
	w.Rates[hostSrvDiffHostRate] = rate(c.other, c.service)
	w.Rates[hostSerrorRate], w.Rates[hostSrvSerrorRate] = rate(c.hostSyn, c.host), rate(c.serviceSyn, c.service)
	w.Rates[hostRerrorRate], w.Rates[hostSrvRerrorRate] = rate(c.hostRej, c.host), rate(c.serviceRej, c.service)
	return w
}

// recent is the 2-second window: connections that began in the same second as the current one or the two before it.
func (g *gure) recent(h *history, n uint64) (c crowd) {
	current := h.at(n)
	start := current.time - current.time%second
	oldest := h.back(n, gureCountMax)
	if g.ratchet {
		oldest = max(oldest, min(g.began, n))
	}
	for i := n; i > oldest; i-- {
		e := h.at(i - 1)
		if e.time < start-windowSpan || e.time >= start+second {
			continue
		}
		g.began = i - 1
		c.add(e, current)
	}
	return c
}

// last is the host window.
func (g *gure) last(h *history, n uint64) (c crowd) {
	for i := n; i > h.back(n, gureHostMax); i-- {
		c.add(h.at(i-1), h.at(n))
	}
	return c
}

// back is the number of the connection that begun most before n, or of the oldest that is remembered.
func (h *history) back(n, most uint64) uint64 { return max(h.first(), n-min(n, most)) }

// add counts one connection in a window of the current one.
func (c *crowd) add(e, current *entry) {
	host, service := e.host == current.host, uint16(e.service) == uint16(current.service)
	syn, rej := 0, 0
	switch e.failure {
	case synError:
		syn = 1
	case rejError:
		rej = 1
	}
	c.all++
	if e.srcPort == current.srcPort {
		c.port++
	}
	if host {
		c.host++
		c.hostSyn += syn
		c.hostRej += rej
		switch {
		case e.name != current.name:
			c.diff++
		case e.name != Other:
			c.same++
		}
	}
	if service {
		c.service++
		c.serviceSyn += syn
		c.serviceRej += rej
		if !host {
			c.other++
		}
	}
}
