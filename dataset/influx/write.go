package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"mlids/dataset"
)

// How tables are written.
const (
	writers    = 4       // requests at a time: while one waits for the disk others are parsed; a slow server holds all up
	batchRows  = 5000    // rows of a request
	batchBytes = 8 << 20 // bytes of a request, about, when rows are long
)

// Written says what became of a table.
type Written struct {
	Rows        int       // written
	Counted     int       // rows of the measurement, as the server counts them now
	First, Last time.Time // times of the first and the last row
}

// Write writes a table as points of the address's measurement, and creates the database when it is not there. The first
// row has the time Start of the address, or now; the same table from the same Start again overwrites itself. At the end the
// server is asked for its rows, and an error that wraps ErrRows says that some are not there. What was written before an
// error stays. Progress may be nil.
func (c *Client) Write(ctx context.Context, t *dataset.Table, progress func(done, of int)) (Written, error) {
	if c.addr.Measurement == "" {
		return Written{}, fmt.Errorf("%w %s: measurement= is missing", ErrAddress, c.addr)
	}
	start := c.addr.Start
	if start.IsZero() {
		start = time.Now()
	}
	l, err := newLines(t, c.addr.Measurement, cmp.Or(c.addr.Label, labelName(t.Schema)), start.UnixNano())
	if err != nil {
		return Written{}, fmt.Errorf("%s: %w", c.addr, err)
	}
	if err := c.CreateDatabase(ctx); err != nil {
		return Written{}, err
	}
	var done atomic.Int64
	err = c.writeBatches(ctx, l, t.Len(), func(n int) {
		if now := done.Add(int64(n)); progress != nil {
			progress(int(now), t.Len())
		}
	})
	w := Written{Rows: int(done.Load()), First: start, Last: start.Add(time.Duration(max(0, t.Len()-1)))}
	if err != nil {
		return w, fmt.Errorf("%w; %d of %d rows were written", err, w.Rows, t.Len())
	}
	w.Counted, err = c.recount(ctx, l.counted, w)
	return w, err
}

// CreateDatabase makes the database of the address if it is not there. Who may not do that may still write to one that
// is, so that a refusal is no error. Buckets of InfluxDB 2 are not made.
func (c *Client) CreateDatabase(ctx context.Context) error {
	if c.addr.V2 {
		return nil
	}
	statement := url.Values{"q": {"CREATE DATABASE " + quoted(c.addr.Database)}}
	err := c.send(ctx, request{method: http.MethodPost, path: "/query", query: statement, body: []byte{}})
	if errors.Is(err, ErrAccess) {
		return nil
	}
	return err
}

// writeBatches writes all rows, a few batches at a time.
func (c *Client) writeBatches(ctx context.Context, l *lines, n int, done func(rows int)) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	free := make(chan []byte, writers)
	for range writers {
		free <- nil
	}
	for lo := 0; lo < n && working.Err() == nil; lo += batchRows {
		group.Go(func() error {
			buffer := <-free
			defer func() { free <- buffer }()
			var err error
			buffer, err = c.writeRows(working, l, buffer, lo, min(lo+batchRows, n), done)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// writeRows writes rows lo to hi-1, in one request unless they are long.
func (c *Client) writeRows(ctx context.Context, l *lines, buffer []byte, lo, hi int, done func(int)) ([]byte, error) {
	for row := lo; row < hi; {
		buffer = buffer[:0]
		first := row
		for ; row < hi && len(buffer) < batchBytes; row++ {
			buffer = l.append(buffer, row)
		}
		if err := c.Post(ctx, buffer); err != nil {
			return buffer, fmt.Errorf("rows %d to %d: %w", first+1, row, err)
		}
		done(row - first)
	}
	return buffer, nil
}

// Post writes points in line protocol, with times in nanoseconds. A busy or lost server is tried again for a while, so
// that points need times of their own to be written once.
func (c *Client) Post(ctx context.Context, points []byte) error {
	r := request{method: http.MethodPost, path: "/write", body: points, media: "text/plain; charset=utf-8"}
	if c.addr.V2 {
		r.path = "/api/v2/write"
		r.query = url.Values{"org": {c.addr.Org}, "bucket": {c.addr.Database}, "precision": {"ns"}}
	} else {
		r.query = url.Values{"db": {c.addr.Database}, "precision": {"ns"}}
	}
	return c.send(ctx, r)
}

// recount asks the server for the rows that were written, and for all of the measurement.
func (c *Client) recount(ctx context.Context, field string, w Written) (int, error) {
	if w.Rows == 0 {
		return 0, nil
	}
	var there, all int
	group, working := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		between := fmt.Sprintf(" WHERE time >= %d AND time <= %d", w.First.UnixNano(), w.Last.UnixNano())
		there, err = c.count(working, field, between)
		return err
	})
	group.Go(func() (err error) {
		all, err = c.count(working, field, "")
		return err
	})
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("%d rows were written, but could not be counted: %w", w.Rows, err)
	}
	if there < w.Rows {
		return there, fmt.Errorf("%w: %s: %d rows were written, and the server counts %d of them", ErrRows, c.addr, w.Rows, there)
	}
	return all, nil
}
