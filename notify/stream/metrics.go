package stream

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	stored    prometheus.Counter
	refusals  *prometheus.CounterVec // reason
	forgotten prometheus.Counter
	messages  *prometheus.GaugeVec // queue
	bytes     *prometheus.GaugeVec // queue
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		stored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_queue_stored_total", Help: "Messages stored in the queue.",
		}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_queue_refused_total", Help: "Batches of messages that the queue did not store, so that the request was refused, by reason.",
		}, []string{"reason"}),
		forgotten: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_queue_forgotten_total", Help: "Messages removed because of their age, after every way out had them.",
		}),
		messages: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mlids_queue_messages", Help: "Messages in the queue (live) and among the dead letters (dead).",
		}, []string{"queue"}),
		bytes: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mlids_queue_bytes", Help: "Size of the queue (live) and of the dead letters (dead).",
		}, []string{"queue"}),
	}
	for _, c := range []prometheus.Collector{m.stored, m.refusals, m.forgotten, m.messages, m.bytes} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	for _, reason := range []string{"full", "size", "away", "other"} {
		m.refusals.WithLabelValues(reason)
	}
	return m, nil
}

func (m *metrics) refused(err error) {
	reason := "other"
	switch {
	case errors.Is(err, ErrFull):
		reason = "full"
	case errors.Is(err, ErrSize):
		reason = "size"
	case errors.Is(err, ErrAway):
		reason = "away"
	}
	m.refusals.WithLabelValues(reason).Inc()
}
