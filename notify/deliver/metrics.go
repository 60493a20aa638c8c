package deliver

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	sent, failed, retried, dead, filtered, foreign *prometheus.CounterVec // way
	lag                                            *prometheus.GaugeVec
	duration                                       *prometheus.HistogramVec
}

// wayMetrics are those of one way out.
type wayMetrics struct {
	sent, failed, retried, dead, filtered, foreign prometheus.Counter
	lag                                            prometheus.Gauge
	duration                                       prometheus.Observer
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "mlids_notify_" + name + "_total", Help: help}, []string{"way"})
	}
	m := &metrics{
		sent:     counter("sent", "Messages that a way out took."),
		failed:   counter("failed", "Attempts to deliver a message that failed."),
		retried:  counter("retried", "Messages put back to be tried again."),
		dead:     counter("dead", "Messages that became dead letters."),
		filtered: counter("filtered", "Messages that a way out's filter left out."),
		foreign:  counter("foreign", "Entries of the queue that are no messages of mlids."),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mlids_notify_lag", Help: "Messages that a way out still has to take.",
		}, []string{"way"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mlids_notify_send_seconds", Help: "Time to send one batch, whether it was taken or not.",
			Buckets: []float64{1e-3, 5e-3, 1e-2, 5e-2, .1, .5, 1, 5, 10, 30},
		}, []string{"way"}),
	}
	for _, c := range []prometheus.Collector{m.sent, m.failed, m.retried, m.dead, m.filtered, m.foreign, m.lag, m.duration} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) of(way string) *wayMetrics {
	return &wayMetrics{
		sent: m.sent.WithLabelValues(way), failed: m.failed.WithLabelValues(way), retried: m.retried.WithLabelValues(way),
		dead: m.dead.WithLabelValues(way), filtered: m.filtered.WithLabelValues(way), foreign: m.foreign.WithLabelValues(way),
		lag: m.lag.WithLabelValues(way), duration: m.duration.WithLabelValues(way),
	}
}
