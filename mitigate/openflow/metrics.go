package openflow

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the controller's counters.
type metrics struct {
	switches, hosts, links                       prometheus.Gauge
	packetIns                                    *prometheus.CounterVec
	flows, coarse, floods, loops, forged, excess prometheus.Counter
	disconnects                                  *prometheus.CounterVec
	installed, carried, blocked                  *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer, feed *Feed) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "mlids_openflow_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "mlids_openflow_" + name, Help: help})
	}
	perSwitch := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mlids_openflow_" + name, Help: help}, []string{"switch"})
	}
	m := &metrics{
		switches: gauge("switches", "Switches known."),
		hosts:    gauge("hosts", "Hosts whose place is known."),
		links:    gauge("links", "Links between switches."),
		packetIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_openflow_packet_ins_total", Help: "Packets that came to the controller, by why.",
		}, []string{"reason"}),
		flows:  counter("flow_mods_total", "Flows put on switches to forward packets."),
		coarse: counter("coarse_flows_total", "Times that a port caused too many flows and got one to a destination instead."),
		floods: counter("floods_total", "Packets sent to all edge ports."),
		loops:  counter("looped_packets_total", "Broadcasts that came back over something that is no switch of ours, and were dropped."),
		forged: counter("foreign_probes_total", "LLDP frames that were not ours: hosts that speak LLDP, or try to forge a link."),
		excess: counter("excess_packet_ins_total", "Packets that asked for a way beyond what the port's meter should have let through."),
		disconnects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_openflow_disconnects_total", Help: "Connections of switches that ended, by why.",
		}, []string{"reason"}),
		installed: perSwitch("flows", "Forwarding flows on a switch at the last count."),
		carried:   perSwitch("flow_packets", "Packets that the present forwarding flows of a switch carried."),
		blocked:   perSwitch("blocked_packets", "Packets that met the present blocks of a switch."),
	}
	dropped := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "mlids_openflow_feed_dropped_total", Help: "Frames that the detector was too slow for.",
	}, func() float64 { return float64(feed.Dropped()) })
	var err error
	for _, c := range []prometheus.Collector{
		m.switches, m.hosts, m.links, m.packetIns, m.flows, m.coarse, m.floods, m.loops, m.forged, m.excess, m.disconnects,
		m.installed, m.carried, m.blocked, dropped,
	} {
		err = errors.Join(err, reg.Register(c))
	}
	return m, err
}

func (m *metrics) state(switches, hosts, links int) {
	m.switches.Set(float64(switches))
	m.hosts.Set(float64(hosts))
	m.links.Set(float64(links))
}

// came counts a packet-in by why it came.
func (m *metrics) came(cookie uint64) {
	reason := "copy"
	if kindOf(cookie) == kindMiss {
		reason = "miss"
	}
	m.packetIns.WithLabelValues(reason).Inc()
}

// tally tells the counters of a switch.
func (m *metrics) tally(id uint64, t *tally) {
	name := switchName(id)
	m.installed.WithLabelValues(name).Set(float64(t.flows))
	m.carried.WithLabelValues(name).Set(float64(t.carried))
	m.blocked.WithLabelValues(name).Set(float64(t.blocked))
}

// forget removes the counters of a switch that left.
func (m *metrics) forget(id uint64) {
	for _, v := range []*prometheus.GaugeVec{m.installed, m.carried, m.blocked} {
		v.DeleteLabelValues(switchName(id))
	}
}
