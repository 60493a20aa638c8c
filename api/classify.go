package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"mlids"
	"mlids/dataset"
)

// classify is the hot path: the body in wk becomes vectors, the vectors scores, and those the answer in wk.out, an
// array of what appendVerdict makes of each row. It returns when what is to be published is stored. Nothing in it allocates
// once the buffers have grown, unless something is published.
func (s *Server) classify(ctx context.Context, wk *work, c *classifier, decoders *sync.Pool, appendVerdict verdictForm) (rows int, err error) {
	if c.backend != nil {
		return s.consult(ctx, wk, c, decoders, appendVerdict)
	}
	d := decoders.Get().(decoder)
	if len(wk.body) <= keptBody {
		defer decoders.Put(d)
	}
	table, err := s.judge(ctx, wk, c, d, appendVerdict)
	if err != nil {
		return 0, err
	}
	if err := s.publish(ctx, wk, c, table); err != nil {
		return 0, err
	}
	s.count(wk, c)
	return table.N, nil
}

// judge makes scores and the answer of the body. It holds one of the slots, which waiting for the queue must not.
func (s *Server) judge(ctx context.Context, wk *work, c *classifier, d decoder, appendVerdict verdictForm) (*dataset.Rows, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.release()
	table, err := d.Decode(wk.body)
	if err != nil {
		return nil, err
	}
	if err := wk.caller.Rows(time.Now(), table.N); err != nil {
		return nil, err
	}
	k, inputs := len(c.classes), c.model.Inputs()
	wk.scores = grown(wk.scores, table.N*c.judge.Width())
	wk.counts = grown(wk.counts, k)
	wk.sums = grown(wk.sums, k)
	clear(wk.counts)
	clear(wk.sums)
	if err := c.judge.Scores(wk.scores, table.X); err != nil {
		return nil, fmt.Errorf("model %s: %w", c.name, err)
	}
	wk.out = append(wk.out[:0], '[')
	for i := range table.N {
		v := c.verdict(wk, i)
		class := max(0, slices.Index(c.classes, v.Class))
		wk.counts[class]++
		wk.sums[class] += v.Probability
		if i > 0 {
			wk.out = append(wk.out, ',')
		}
		wk.out = appendVerdict(wk.out, v, c.quoted[class], table.X[i*inputs:][:inputs])
	}
	wk.out = append(wk.out, ']', '\n')
	return table, nil
}

// acquire waits for one of the slots in which predictions are computed.
func (s *Server) acquire(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return problemf(http.StatusServiceUnavailable, "gave up waiting for other requests: %w", ctx.Err())
	}
}

func (s *Server) release() { <-s.slots }

// verdictForm appends the JSON of a verdict on a row; class is its class in quotes.
type verdictForm func(dst []byte, v mlids.Verdict, class string, row []float32) []byte

// appendBit is 1 for an attack, else 0.
func appendBit(dst []byte, v mlids.Verdict, _ string, _ []float32) []byte {
	if v.Attack {
		return append(dst, '1')
	}
	return append(dst, '0')
}

// appendFields is an answer with detail=1 that may go on.
func appendFields(dst []byte, v mlids.Verdict, class string, row []float32) []byte {
	dst = append(dst, `{"prediction":`...)
	dst = appendBit(dst, v, class, row)
	dst = append(dst, `,"class":`...)
	dst = append(dst, class...)
	dst = append(dst, `,"probability":`...)
	dst = appendProbability(dst, v.Probability)
	dst = append(dst, `,"threshold":`...)
	return strconv.AppendFloat(dst, v.Threshold, 'g', -1, 64)
}

// appendStatus is the answer of POST /predict.
func appendStatus(dst []byte, v mlids.Verdict, class string, _ []float32) []byte {
	dst = append(dst, `{"prediction":`...)
	dst = append(dst, class...)
	dst = append(dst, `,"confidence":`...)
	dst = appendProbability(dst, v.Probability)
	return append(dst, `,"status":"success"}`...)
}

// appendProbability writes the shortest number that reads back as the same float32; null for one that is no number, which
// only models from elsewhere can give.
func appendProbability(dst []byte, p float64) []byte {
	if math.IsNaN(p) || math.IsInf(p, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, p, 'g', -1, 32)
}

// grown returns s with length n; its old content is lost.
func grown[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
