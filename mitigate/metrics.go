package mitigate

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what a defender counts. No address is a label.
type metrics struct {
	events  *prometheus.CounterVec // by event
	refused *prometheus.CounterVec // by reason, every one
	lost    prometheus.Counter
	apply   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, count func(Kind) int) (*metrics, error) {
	m := &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_mitigation_events_total", Help: "Blocks made, lifted, refused, …, as in the audit log.",
		}, []string{"event"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_mitigation_refused_total", Help: "Blocks not made because of the allow-list or the cap.",
		}, []string{"reason"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_mitigation_records_lost_total", Help: "Records that the audit log or the notifications did not take.",
		}),
		apply: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mlids_mitigation_apply_seconds", Help: "From the decision to the network's confirmation.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
	}
	own, kinds := []prometheus.Collector{m.events, m.refused, m.lost, m.apply}, []Kind{Drop, Limit, Redirect}
	errs := make([]error, 0, len(own)+len(kinds))
	for _, c := range own {
		errs = append(errs, reg.Register(c))
	}
	for _, k := range kinds {
		errs = append(errs, reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "mlids_blocks", Help: "Blocks in force.", ConstLabels: prometheus.Labels{"kind": string(k)},
		}, func() float64 { return float64(count(k)) })))
	}
	return m, errors.Join(errs...)
}
