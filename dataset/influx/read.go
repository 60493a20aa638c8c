package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mlids/dataset"
	"mlids/feature"
)

// rowField numbers the rows of a table in which every column has gaps.
const rowField = "row"

// Read reads the table of the address, in the order of time. Tags and fields are columns alike, under any spelling that
// the schema knows. A server that goes away in the middle is an error that wraps ErrLost: there is no half table.
func (c *Client) Read(ctx context.Context, s *feature.Schema, o dataset.Options) (*dataset.Table, error) {
	fields, err := c.fields(ctx)
	if err != nil {
		return nil, err
	}
	o.Name = c.addr.Title()
	to := &tableRows{ctx: ctx, schema: s, opts: o, counted: make(chan int, 1)}
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { // while the server looks for the first rows
		defer close(to.counted)
		n, err := c.expected(working, fields)
		to.counted <- n
		return explainWhere(err)
	})
	group.Go(func() error { return to.explain(explainWhere(c.query(working, c.selection(), to))) })
	if err := group.Wait(); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	return c.finish(ctx, to)
}

// expected is how many rows will come, at least: as many as have the field that comes first.
func (c *Client) expected(ctx context.Context, fields []string) (int, error) {
	field := fields[0]
	if slices.Contains(fields, rowField) {
		field = rowField
	}
	n, err := c.count(ctx, field, c.addr.condition())
	if c.addr.Limit > 0 {
		n = min(n, c.addr.Limit)
	}
	return n, err
}

// explainWhere says what where= is when the server does not understand it.
func explainWhere(err error) error {
	if err != nil && strings.Contains(err.Error(), "parsing query") {
		return fmt.Errorf("%w (where= is InfluxQL: text in single quotes, names in double quotes)", err)
	}
	return err
}

func (c *Client) selection() string {
	limit := ""
	if c.addr.Limit > 0 {
		limit = fmt.Sprintf(" LIMIT %d", c.addr.Limit)
	}
	return "SELECT * FROM " + quoted(c.addr.Measurement) + c.addr.condition() + limit
}

func (c *Client) finish(ctx context.Context, to *tableRows) (*dataset.Table, error) {
	if to.table == nil {
		return nil, fmt.Errorf("%w: %s: no row fits%s", ErrRows, c.addr, c.addr.condition())
	}
	if to.table.Len() < to.expect {
		return nil, fmt.Errorf("%w: %s: the server sent %d of %d", ErrRows, c.addr, to.table.Len(), to.expect)
	}
	if to.ties > 0 && c.log != nil {
		c.log.WarnContext(ctx, "rows share their time with another: their order is not known",
			"source", c.addr.Title(), "rows", to.ties)
	}
	return to.table.Table(ctx)
}

// tableRows makes rows into a table.
type tableRows struct {
	ctx    context.Context //nolint:containedctx // of the one query whose rows these are
	schema *feature.Schema
	opts   dataset.Options

	counted chan int // gets the number of rows to expect
	expect  int

	table  *dataset.Appender
	header []string
	last   int64 // time of the row before
	ties   int   // rows that have the time of the row before
	err    error // why a row was not taken
}

// take keeps an error of the table's for explain.
func (t *tableRows) take(err error) error {
	if err == nil {
		return nil
	}
	t.err = err
	return errRow
}

func (t *tableRows) columns(names []string) (err error) {
	if t.table != nil {
		if !slices.Equal(names, t.header) {
			return fmt.Errorf("%w: columns change after row %d", errForm, t.table.Len())
		}
		return nil
	}
	select {
	case t.expect = <-t.counted: // 0 when it could not be counted, which is an error of its own
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
	t.header = names
	header := slices.Clone(names)
	for i, name := range header {
		if i == 0 || name == rowField {
			header[i] = "" // the point's time and number are no columns of the table
		}
	}
	t.table, err = dataset.NewAppender(t.ctx, header, t.expect, t.schema, t.opts)
	return t.take(err)
}

func (t *tableRows) number(field int, v float64) error { return t.take(t.table.Number(field, v)) }

func (t *tableRows) integer(field int, v int64) error {
	if field > 0 {
		return t.number(field, float64(v))
	}
	if v == t.last && t.table.Len() > 0 {
		t.ties++
	}
	t.last = v
	return nil
}

func (t *tableRows) text(field int, v []byte) error { return t.take(t.table.Text(field, v)) }

func (t *tableRows) end() error { return t.take(t.table.End(t.ctx)) }

// explain says how far a query came that failed.
func (t *tableRows) explain(err error) error {
	switch {
	case t.ctx.Err() != nil:
		return t.ctx.Err()
	case t.err != nil:
		return t.err
	case t.table != nil && errors.Is(err, ErrLost):
		return fmt.Errorf("%w, after %d of %d rows; read again when the server is back", err, t.table.Len(), t.expect)
	}
	return err
}
