package influx

import "github.com/prometheus/client_golang/prometheus"

// Why rows are not in the database.
const (
	reasonQueue   = "queue"   // they came faster than they could be summed up
	reasonBacklog = "backlog" // the server was away for too long
	reasonRefused = "refused" // the server does not take them
	reasonEnd     = "end"     // mlids ended while the server was away
)

type metrics struct {
	drops    *prometheus.CounterVec // reason
	written  prometheus.Counter
	failures prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		drops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_influx_rows_dropped_total", Help: "Rows whose verdicts are not in InfluxDB, by reason.",
		}, []string{"reason"}),
		written: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_influx_points_written_total", Help: "Points of verdicts that InfluxDB took.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_influx_write_failures_total", Help: "Writes that InfluxDB did not take, retries included.",
		}),
	}
	for _, c := range []prometheus.Collector{m.drops, m.written, m.failures} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	for _, reason := range []string{reasonQueue, reasonBacklog, reasonRefused, reasonEnd} {
		m.drops.WithLabelValues(reason)
	}
	return m, nil
}

func (m *metrics) dropped(reason string, rows int) {
	m.drops.WithLabelValues(reason).Add(float64(rows))
}
