package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/dataset"
)

// Backend classifies tables elsewhere, in place of the model that is active for cicflow. Requests that name a model are
// still answered by that one.
type Backend interface {
	// Name is how answers and metrics call it.
	Name() string
	// Classify returns a verdict for each row, in the rows' order; a probability that is not known is NaN. It keeps nothing
	// of rows. An error that has a method HTTPStatus() int is answered with that status.
	Classify(ctx context.Context, rows *dataset.Rows) ([]mlids.Verdict, error)
}

const (
	backendHeader  = "X-Mlids-Backend"
	fallbackAnswer = "fallback" // in place of the backend's name when the model of Config.Fallback answered
)

// newBackend makes the classifier that stands for the backend; nil without one. Its decoders take any columns: those that
// the backend wants are not known here.
func (s *Server) newBackend() (*classifier, error) {
	backend := s.deps.Backend
	if backend == nil {
		if s.cfg.Fallback != "" {
			return nil, fmt.Errorf("%w: a fallback without a backend", ErrConfig)
		}
		return nil, nil
	}
	if s.cfg.Fallback != "" {
		if _, err := s.fallback(); err != nil {
			return nil, fmt.Errorf("%w: fallback: %w", ErrConfig, err)
		}
	}
	schema, err := s.catalogue.Find("cicflow/common")
	if err != nil {
		return nil, err
	}
	c := &classifier{backend: backend, name: backend.Name(), schema: schema, classes: []string{"benign", "attack"}}
	for _, class := range c.classes {
		c.predicted = append(c.predicted, s.metrics.predicted.WithLabelValues(c.name, class))
	}
	limits := dataset.Limits{Rows: s.cfg.MaxRows}
	decoder, err := dataset.NewSplitDecoder(schema, nil, limits)
	if err != nil {
		return nil, err
	}
	c.split.Put(decoder)
	c.split.New = func() any { d, _ := dataset.NewSplitDecoder(schema, nil, limits); return d }
	return c, nil
}

// fallback finds the classifier that answers while the backend cannot.
func (s *Server) fallback() (*classifier, error) {
	name := s.cfg.Fallback
	return s.choose(query{model: &name}, "")
}

// verdict is what was said of row i.
func (c *classifier) verdict(wk *work, i int) mlids.Verdict {
	if c.backend != nil {
		return wk.verdicts[i]
	}
	return c.judge.Verdict(wk.scores, i)
}

// consult is classify for a backend. When the backend fails and there is a fallback, that one answers.
func (s *Server) consult(ctx context.Context, wk *work, c *classifier, decoders *sync.Pool, appendVerdict verdictForm) (int, error) {
	d := decoders.Get().(decoder)
	if len(wk.body) <= keptBody {
		defer decoders.Put(d)
	}
	table, err := s.remote(ctx, wk, c, d)
	if err != nil && s.cfg.Fallback != "" && mayFallBack(ctx, err) {
		s.metrics.fallbacks.Inc()
		s.log.DebugContext(ctx, "the fallback answers", "backend", c.name, "err", err)
		local, err := s.fallback()
		if err != nil {
			return 0, err
		}
		wk.answeredBy, wk.caller = fallbackAnswer, nil // the rows are paid for
		return s.classify(ctx, wk, local, &local.split, appendVerdict)
	}
	if err != nil {
		return 0, backendProblem(err)
	}
	wk.answeredBy = c.name
	if err := s.conclude(wk, c, appendVerdict); err != nil {
		return 0, err
	}
	if err := s.publish(ctx, wk, c, table); err != nil {
		return 0, err
	}
	s.count(wk, c)
	return table.N, nil
}

// remote decodes the body, in a slot, and asks the backend, which takes none: it may be slow, and computes elsewhere.
func (s *Server) remote(ctx context.Context, wk *work, c *classifier, d decoder) (*dataset.Rows, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	table, err := d.Decode(wk.body)
	s.release()
	if err != nil {
		return nil, err
	}
	if err := wk.caller.Rows(time.Now(), table.N); err != nil {
		return nil, err
	}
	wk.verdicts, err = c.backend.Classify(ctx, table)
	if err == nil && len(wk.verdicts) != table.N {
		err = problemf(http.StatusBadGateway, "%s gave %d verdicts for %d rows", c.name, len(wk.verdicts), table.N)
	}
	return table, err
}

// conclude writes the answer.
func (s *Server) conclude(wk *work, c *classifier, appendVerdict verdictForm) error {
	wk.counts, wk.sums = grown(wk.counts, len(c.classes)), grown(wk.sums, len(c.classes))
	clear(wk.counts)
	clear(wk.sums)
	wk.out = append(wk.out[:0], '[')
	for i, v := range wk.verdicts {
		if i > 0 {
			wk.out = append(wk.out, ',')
		}
		class, err := json.Marshal(v.Class)
		if err != nil {
			return err
		}
		wk.out = appendVerdict(wk.out, v, string(class), nil)
		k := 0
		if v.Attack { // a backend's own names of attacks are no labels of metrics: there may be any number of them
			k = 1
		}
		wk.counts[k]++
		if !math.IsNaN(v.Probability) {
			wk.sums[k] += v.Probability
		}
	}
	wk.out = append(wk.out, ']', '\n')
	return nil
}

// mayFallBack reports whether a failure is the backend's. What is wrong with a table the fallback could not mend, and
// whoever went away wants no answer.
func mayFallBack(ctx context.Context, err error) bool {
	return ctx.Err() == nil && statusOf(backendProblem(err)) >= http.StatusInternalServerError
}

// backendProblem is what a request is answered with that a backend failed on.
func backendProblem(err error) error {
	var told interface{ HTTPStatus() int }
	if errors.As(err, &told) {
		return problemf(told.HTTPStatus(), "%w", err)
	}
	return err
}

// count adds the verdicts of a request to the metrics.
func (s *Server) count(wk *work, c *classifier) {
	for class, n := range wk.counts {
		if n > 0 {
			c.predicted[class].Add(float64(n))
		}
	}
	if s.deps.Observe != nil {
		s.deps.Observe.Predicted(c.name, c.classes, wk.counts, wk.sums)
	}
}

// sayWho tells in a header which of backend and fallback answered; nothing when there is no backend.
func (wk *work) sayWho(w http.ResponseWriter) {
	if wk.answeredBy != "" {
		w.Header().Set(backendHeader, wk.answeredBy)
	}
}

// appendDetail is the answer with detail=1; it names the backend, where there is one.
func (wk *work) appendDetail(dst []byte, v mlids.Verdict, class string, row []float32) []byte {
	dst = appendFields(dst, v, class, row)
	if wk.answeredBy != "" {
		dst = append(append(append(dst, `,"backend":"`...), wk.answeredBy...), '"')
	}
	return append(dst, '}')
}

func newFallbacks() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{
		Name: "mlids_backend_fallbacks_total", Help: "Requests that the fallback answered because the backend could not.",
	})
}
