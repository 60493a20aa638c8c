package sagemaker

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// metrics are the client's own.
type metrics struct {
	calls   *prometheus.CounterVec // outcome
	retries prometheus.Counter
	took    prometheus.Histogram
	breaker prometheus.Gauge
	rows    prometheus.Counter
}

const outcomeOK = "ok"

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_sagemaker_calls_total", Help: "Calls of the SageMaker endpoint by outcome: ok, or the class of the failure after all tries.",
		}, []string{"outcome"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_sagemaker_retries_total", Help: "Tries after the first of a call.",
		}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mlids_sagemaker_call_duration_seconds", Help: "Time of a call with all its tries and the waits between them.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		breaker: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "mlids_sagemaker_breaker_state", Help: "Circuit breaker: 0 closed, 1 half-open (one call tries), 2 open (no calls).",
		}),
		rows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_sagemaker_rows_total", Help: "Rows that the endpoint classified.",
		}),
	}
	for _, c := range []prometheus.Collector{m.calls, m.retries, m.took, m.breaker, m.rows} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) called(outcome string, took time.Duration) {
	m.calls.WithLabelValues(outcome).Inc()
	m.took.Observe(took.Seconds())
}

func (m *metrics) state(s gobreaker.State) { m.breaker.Set(float64(s)) }
