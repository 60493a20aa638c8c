package kdd99

// Windows are the columns from count to dst_host_srv_rerror_rate.
type Windows struct {
	Count, SrvCount         uint32 // 2-second window: connections to the same host, of the same service
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

// windows puts together what a connection saw when it began and how that went. The diff rates count different services
// and hosts, not connections.
func (p *place) windows(f *failures) (w Windows) {
	s, e := &p.recent, &f.recent
	w.Count, w.SrvCount = uint32(s.host), uint32(s.service)
	w.Rates[serrorRate], w.Rates[srvSerrorRate] = rate(e.host[synError], s.host), rate(e.service[synError], s.service)
	w.Rates[rerrorRate], w.Rates[srvRerrorRate] = rate(e.host[rejError], s.host), rate(e.service[rejError], s.service)
	w.Rates[sameSrvRate], w.Rates[diffSrvRate] = rate(s.both, s.host), rate(several(s.services), s.host)
	w.Rates[srvDiffHostRate] = rate(several(s.hosts), s.service)

	s, e = &p.last, &f.last
	w.HostCount, w.HostSrvCount = uint32(s.host), uint32(s.service)
	w.Rates[hostSameSrvRate], w.Rates[hostDiffSrvRate] = rate(s.both, s.host), rate(several(s.services), s.host)
	w.Rates[hostSameSrcPortRate] = rate(s.port, s.host)
	w.Rates[hostSrvDiffHostRate] = rate(several(s.hosts), s.service)
	w.Rates[hostSerrorRate], w.Rates[hostSrvSerrorRate] = rate(e.host[synError], s.host), rate(e.service[synError], s.service)
	w.Rates[hostRerrorRate], w.Rates[hostSrvRerrorRate] = rate(e.host[rejError], s.host), rate(e.service[rejError], s.service)
	return w
}

// several is n, but 0 where there is only one kind.
func several(n uint16) uint16 {
	if n < 2 {
		return 0
	}
	return n
}

// rate is a share in single precision, as the data's were computed, 0 of nothing.
func rate[N uint16 | int](n, of N) float32 {
	if of == 0 {
		return 0
	}
	return float32(n) / float32(of)
}
