package kdd99

// The windows' sizes in the data: count never exceeds 511, dst_host_count never 255.
const (
	countMax = 511
	hostMax  = 255
)

// slides are both windows as the data have them, kept up with each connection that begins.
type slides struct {
	recent slide // began in the last two seconds, countMax at most
	last   slide // the last hostMax
}

func newSlides() *slides {
	return &slides{recent: slide{limit: countMax, span: windowSpan}, last: slide{limit: hostMax}}
}

// place is what a connection saw in the windows when it began, itself included.
type place struct{ recent, last sight }

// sight is what one window holds.
type sight struct {
	all           uint16 // connections
	host, service uint16 // to the same host, of the same service
	both          uint16 // of the same service to the same host
	services      uint16 // different services at the same host
	hosts         uint16 // different hosts of the same service
	port          uint16 // to the same host from the same source port
}

// begin takes up the connection that the history got last.
func (s *slides) begin(h *history) place {
	return place{s.recent.begin(h), s.last.begin(h)}
}

// slide is one window, counted by what its connections have in common.
type slide struct {
	limit    uint64
	span     int64 // 0 for any
	from     uint64
	hosts    tallies
	services tallies
	pairs    tallies // host and service
	ports    tallies // host and source port
}

func (s *slide) begin(h *history) sight {
	n := h.begun - 1
	current := h.at(n)
	for s.from < n && (n-s.from >= s.limit || s.span > 0 && h.at(s.from).time < current.time-s.span) {
		s.leave(h.at(s.from))
		s.from++
	}
	return s.enter(current, n-s.from+1)
}

func (s *slide) enter(e *entry, all uint64) sight {
	host, service := s.hosts.get(e.host), s.services.get(uint64(e.service))
	pair, port := s.pairs.get(pairOf(e)), s.ports.get(portOf(e))
	if pair.n == 0 {
		host.kinds++
		service.kinds++
	}
	for _, t := range [...]*tally{host, service, pair, port} {
		t.n++
	}
	return sight{
		all: uint16(all), host: host.n, service: service.n, both: pair.n,
		services: host.kinds, hosts: service.kinds, port: port.n,
	}
}

func (s *slide) leave(e *entry) {
	last := s.pairs.less(pairOf(e))
	s.ports.less(portOf(e))
	if last {
		s.hosts.get(e.host).kinds--
		s.services.get(uint64(e.service)).kinds--
	}
	s.hosts.less(e.host)
	s.services.less(uint64(e.service))
}

func pairOf(e *entry) uint64 { return mix(e.host) ^ uint64(e.service) }
func portOf(e *entry) uint64 { return mix(e.host) ^ uint64(e.srcPort) }

// failures is how the connections went that a connection saw when it began.
type failures struct{ recent, last outcome }

// outcome counts the connections of one window by how they failed: noError, synError, rejError.
type outcome struct{ host, service [3]uint16 }

// failures looks back from connection n, which the history must still hold, to all that p counted.
func (h *history) failures(n uint64, p *place) (f failures) {
	recent, last := uint64(p.recent.all), uint64(p.last.all)
	var o outcome
	h.outcome(n, 0, min(recent, last), &o)
	f.recent, f.last = o, o
	if recent > last {
		h.outcome(n, last, recent, &f.recent)
	} else {
		h.outcome(n, recent, last, &f.last)
	}
	return f
}

// outcome adds the connections that lie from (included) to (excluded) places before n.
func (h *history) outcome(n, from, to uint64, o *outcome) {
	host, service := h.at(n).host, h.at(n).service
	mask := uint64(len(h.ring) - 1)
	for back := from; back < to; back++ {
		e := &h.ring[(n-back)&mask]
		if e.host == host {
			o.host[e.failure%3]++
		}
		if e.service == service {
			o.service[e.failure%3]++
		}
	}
}
