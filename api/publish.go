package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"mlids"
	"mlids/dataset"
	"mlids/feature"
	"mlids/notify"
	"mlids/notify/stream"
)

// Publisher stores messages so that they are not lost; *stream.Stream is one.
type Publisher interface {
	// Publish returns when all messages are stored. It does not keep them.
	Publish(ctx context.Context, messages []*notify.Message) error
}

// Publish says which predictions are published.
type Publish string

// The settings of Publish.
const (
	PublishAttacks Publish = "attacks"
	PublishAll     Publish = "all"
	PublishNone    Publish = "none"
)

// wants reports whether a verdict is published.
func (p Publish) wants(v mlids.Verdict) bool { return v.Attack || p == PublishAll }

// publishBatch is how many messages of a request are made before they are stored: it bounds the memory of a request.
const publishBatch = 256

// keptArena is how many bytes of messages are kept for later requests.
const keptArena = 1 << 20

// publication is the memory of the messages of one request.
type publication struct {
	key      string // the request's idempotency key, or one made for it
	given    bool   // the client gave it
	explain  int    // columns that an attack names as its reason; 0 unless the request asks for explanations
	messages []notify.Message
	list     []*notify.Message
	arena    []byte // of bodies
	ends     []int  // in arena
	facts    facts
}

// publishing tells whether anything of a request is published, and under which key.
func (s *Server) publishing(wk *work, r *http.Request) error {
	wk.publication.key, wk.publication.explain = "", 0
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	if s.deps.Publish == nil || s.cfg.Publish == PublishNone {
		return nil
	}
	wk.publication.given = key != ""
	if key == "" {
		key = s.messageIDs.fresh()
	}
	wk.publication.key = key
	return nil
}

// idempotencyKey reads the header that retries of one request share (draft-ietf-httpapi-idempotency-key-header: a string in
// quotes; without them is fine, too).
func idempotencyKey(r *http.Request) (string, error) {
	key := strings.TrimSpace(r.Header.Get("Idempotency-Key"))
	if n := len(key); n >= 2 && key[0] == '"' && key[n-1] == '"' {
		key = key[1 : n-1]
	}
	if len(key) > 128 || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", problemf(http.StatusBadRequest, "Idempotency-Key: want up to 128 visible ASCII characters")
	}
	return key, nil
}

// publish stores the messages of the rows of a request. When it returns nil they survive the end of the process.
func (s *Server) publish(ctx context.Context, wk *work, c *classifier, table *dataset.Rows) error {
	p := &wk.publication
	if p.key == "" {
		return nil
	}
	p.reset()
	for i := range table.N {
		v := c.verdict(wk, i)
		if !s.cfg.Publish.wants(v) {
			continue
		}
		if err := p.add(c.schema, table, i, v); err != nil {
			return err
		}
		if v.Attack && p.explain > 0 && c.backend == nil {
			inputs := c.model.Inputs()
			p.messages[len(p.messages)-1].Alert.Top = c.judge.Top(table.X[i*inputs:][:inputs], v, p.explain)
		}
		if len(p.messages) == publishBatch {
			if err := s.store(ctx, p); err != nil {
				return err
			}
		}
	}
	return s.store(ctx, p)
}

func (p *publication) reset() {
	p.messages, p.ends, p.arena = p.messages[:0], p.ends[:0], p.arena[:0]
}

// add makes the message of a row.
func (p *publication) add(s *feature.Schema, table *dataset.Rows, i int, v mlids.Verdict) (err error) {
	if columns := table.RawColumns(); len(columns) > 0 {
		p.arena, err = notify.AppendSplit(p.arena, columns, table.Raw(i), v.Attack)
	} else {
		p.arena, err = notify.AppendRecord(p.arena, table.Raw(i), v.Attack)
	}
	if err != nil {
		return fmt.Errorf("row %d: %w", i+1, err)
	}
	if math.IsNaN(v.Probability) { // not known: neither queues nor JSON have a number for that
		v.Probability = 0
	}
	p.ends = append(p.ends, len(p.arena))
	alert := mlids.Alert{ID: p.id(i, v, table.Raw(i)), Verdict: v}
	if columns := table.RawColumns(); len(columns) > 0 {
		p.facts.prepare(s, columns)
		p.facts.read(&alert, table.Raw(i))
	}
	p.messages = append(p.messages, notify.Message{Kind: notify.Prediction, Alert: alert})
	return nil
}

// id is the same for the same row of the same request. A key that a client uses for another request by mistake must not make
// other rows look like copies, so it has a sum of the row in it.
func (p *publication) id(i int, v mlids.Verdict, row []byte) string {
	id := append(make([]byte, 0, len(p.key)+32), p.key...)
	id = strconv.AppendInt(append(id, '-'), int64(i), 10)
	if p.given {
		var d xxhash.Digest
		d.Reset()
		_, _ = d.WriteString(v.Model)
		_, _ = d.Write(row)
		id = hex.AppendEncode(append(id, '-'), d.Sum(nil))
	}
	return string(id)
}

// store publishes what was gathered and starts again.
func (s *Server) store(ctx context.Context, p *publication) error {
	if len(p.messages) == 0 {
		return nil
	}
	p.list = p.list[:0]
	from := 0
	for i := range p.messages {
		p.messages[i].Body = p.arena[from:p.ends[i]:p.ends[i]]
		from = p.ends[i]
		p.list = append(p.list, &p.messages[i])
	}
	err := s.deps.Publish.Publish(ctx, p.list)
	if err != nil {
		*p = publication{key: p.key} // the memory may still be in use
		return publishProblem(err)
	}
	p.reset()
	if cap(p.arena) > keptArena {
		p.arena = nil
	}
	return nil
}

// publishProblem is how a request is answered whose messages are not stored: never as if they were.
func publishProblem(err error) error {
	if errors.Is(err, stream.ErrSize) {
		return problemf(http.StatusRequestEntityTooLarge, "a row is too large to be published: %w", err)
	}
	return problemf(http.StatusServiceUnavailable, "predictions cannot be published, so none is given: %w", err)
}
