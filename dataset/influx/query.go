package influx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// query runs a statement and hands the rows of its answer on, as they come.
func (c *Client) query(ctx context.Context, statement string, to rows) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	response, err := c.do(ctx, request{method: http.MethodGet, path: "/query", query: url.Values{
		"db": {c.addr.Database}, "q": {statement}, "epoch": {"ns"}, "chunked": {"true"}, "chunk_size": {"10000"},
	}})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body := &patientReader{r: response.Body, limit: c.addr.Timeout}
	body.timer = time.AfterFunc(body.limit, func() { cancel(fmt.Errorf("nothing came for %v", body.limit)) })
	defer body.timer.Stop()
	err = readAnswer(body, response.Header.Get("Content-Type"), to)
	switch {
	case err == nil || errors.Is(err, errRow):
		return err
	case errors.Is(err, ErrServer):
		return fmt.Errorf("%s: %w", c.addr, err)
	case body.err != nil:
		return fmt.Errorf("%w: %s: %w", ErrLost, c.addr, errors.Join(body.err, context.Cause(ctx)))
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %s: the answer ends in the middle", ErrLost, c.addr)
	}
	return fmt.Errorf("%w: %s: the answer is malformed: %w", ErrServer, c.addr, err)
}

// errRow marks errors of who takes the rows.
var errRow = errors.New("row not taken")

// patientReader reads an answer whose parts may each take up to limit; then timer cancels the request.
type patientReader struct {
	r     io.Reader
	limit time.Duration
	timer *time.Timer
	err   error // that cut the answer off
}

func (p *patientReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.timer.Reset(p.limit)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		p.err = err
	}
	return n, err
}

// values collects one column of a small answer, all others are passed over.
type values struct {
	field  int
	counts []int64
	texts  []string
	bytes  int // of texts
}

// Bounds of what is collected of a small answer.
const (
	maxValues     = 1 << 16
	maxValueBytes = 16 << 20
)

func (v *values) columns([]string) error { return nil }

func (v *values) number(field int, f float64) error { return v.integer(field, int64(f)) }

func (v *values) integer(field int, n int64) error {
	if field == v.field && len(v.counts) < maxValues {
		v.counts = append(v.counts, n)
	}
	return nil
}

func (v *values) text(field int, s []byte) error {
	if field != v.field || len(v.texts) == maxValues {
		return nil
	}
	if v.bytes += len(s); v.bytes > maxValueBytes {
		return fmt.Errorf("%w: names of more than %d bytes", errForm, maxValueBytes)
	}
	v.texts = append(v.texts, string(s))
	return nil
}

func (v *values) end() error { return nil }

// fields lists the names of the measurement's fields; one that has none is not there.
func (c *Client) fields(ctx context.Context) ([]string, error) {
	if c.addr.Measurement == "" {
		return nil, c.noMeasurement(ctx, "the address lacks measurement=")
	}
	keys := values{field: 0}
	if err := c.query(ctx, "SHOW FIELD KEYS FROM "+quoted(c.addr.Measurement), &keys); err != nil {
		return nil, err
	}
	if len(keys.texts) == 0 {
		return nil, c.noMeasurement(ctx, fmt.Sprintf("no measurement %q", c.addr.Measurement))
	}
	return keys.texts, nil
}

// noMeasurement says which measurements there are.
func (c *Client) noMeasurement(ctx context.Context, what string) error {
	names := values{field: 0}
	if err := c.query(ctx, "SHOW MEASUREMENTS LIMIT 20", &names); err != nil {
		return err
	}
	there := "none"
	if len(names.texts) > 0 {
		there = strings.Join(names.texts, ", ")
	}
	return fmt.Errorf("%w %s: %s; the database has %s", ErrAddress, c.addr, what, there)
}

// count is how many points have a field.
func (c *Client) count(ctx context.Context, field, condition string) (int, error) {
	counts := values{field: 1}
	statement := "SELECT COUNT(" + quoted(field) + ") FROM " + quoted(c.addr.Measurement) + condition
	if err := c.query(ctx, statement, &counts); err != nil {
		return 0, err
	}
	if len(counts.counts) == 0 {
		return 0, nil // no point, no row
	}
	return int(counts.counts[0]), nil
}

// condition is the WHERE clause that picks the rows of the address.
func (a *Address) condition() string {
	var all []string
	if a.Where != "" {
		all = append(all, "("+a.Where+")")
	}
	if !a.Start.IsZero() {
		all = append(all, fmt.Sprintf("time >= %d", a.Start.UnixNano()))
	}
	if !a.End.IsZero() {
		all = append(all, fmt.Sprintf("time < %d", a.End.UnixNano()))
	}
	if len(all) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(all, " AND ")
}

// quoted is a name in InfluxQL.
func quoted(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(name) + `"`
}
