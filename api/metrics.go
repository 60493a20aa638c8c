package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the server's own. No label holds an address or anything else that a client can choose freely.
type metrics struct {
	requests              *prometheus.CounterVec   // route, code
	duration              *prometheus.HistogramVec // route
	rows                  *prometheus.HistogramVec // route
	splitRows, recordRows prometheus.Observer      // of rows
	invokedRows           prometheus.Observer
	predicted             *prometheus.CounterVec // model, class
	panics, fallbacks     prometheus.Counter
	conns                 *prometheus.GaugeVec   // door
	turned                *prometheus.CounterVec // door, why
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_http_requests_total", Help: "Requests answered, by path of the API and status.",
		}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mlids_http_request_duration_seconds", Help: "Time from a request's headers to the end of its answer.",
			Buckets: []float64{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		rows: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mlids_http_request_rows", Help: "Rows classified per request; the sum counts all rows.",
			Buckets: []float64{0, 1, 10, 100, 1000, 10_000, 100_000},
		}, []string{"route"}),
		predicted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mlids_predictions_total", Help: "Rows classified, by model and the class decided for.",
		}, []string{"model", "class"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mlids_http_panics_total", Help: "Requests that ended in a panic and were answered with 500.",
		}),
	}
	m.fallbacks = newFallbacks()
	m.conns = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "mlids_http_connections", Help: "Connections held, by door.",
	}, []string{"door"})
	m.turned = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mlids_http_connections_closed_total",
		Help: "Connections closed because a door was full: idle or slow ones for a newcomer, or the newcomer (full).",
	}, []string{"door", "why"})
	for _, c := range []prometheus.Collector{m.requests, m.duration, m.rows, m.predicted, m.panics, m.fallbacks, m.conns, m.turned} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m.splitRows, m.recordRows = m.rows.WithLabelValues("/api/predictions"), m.rows.WithLabelValues("/predict")
	m.invokedRows = m.rows.WithLabelValues("/invocations")
	return m, nil
}

// routeMetrics are the metrics of one route, found once and not per request.
type routeMetrics struct {
	duration prometheus.Observer
	requests *prometheus.CounterVec // code
	codes    sync.Map               // status → prometheus.Counter
}

func (m *metrics) route(path string) *routeMetrics {
	labels := prometheus.Labels{"route": path}
	return &routeMetrics{duration: m.duration.With(labels), requests: m.requests.MustCurryWith(labels)}
}

func (m *routeMetrics) observe(status int, took time.Duration) {
	m.duration.Observe(took.Seconds())
	counter, ok := m.codes.Load(status)
	if !ok {
		counter, _ = m.codes.LoadOrStore(status, m.requests.WithLabelValues(strconv.Itoa(status)))
	}
	counter.(prometheus.Counter).Inc()
}

// exposition answers /metrics.
func (s *Server) exposition() func(http.ResponseWriter, *http.Request) error {
	h := promhttp.HandlerFor(s.deps.Gather, promhttp.HandlerOpts{})
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}
