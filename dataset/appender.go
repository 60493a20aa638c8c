package dataset

import (
	"context"
	"fmt"
	"strconv"

	"mlids/feature"
)

// Appender builds a table value by value, for sources that are no files: databases. Fields count from 0 in the order of
// the header. It is not safe for concurrent use.
type Appender struct {
	build *builder
	row   []float32 // the row in progress
	text  []byte
}

// NewAppender starts a table under a header, by the same rules as ReadCSV with one. A column called "" is passed over in
// silence. Room is made for the rows that are expected; 0 when that is not known.
func NewAppender(ctx context.Context, header []string, expect int, s *feature.Schema, o Options) (*Appender, error) {
	s, err := o.schema(s, header)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	a := &Appender{build: newBuilder(s, &o)}
	if err := a.build.arrange(ctx, header, false); err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	a.build.reserve(expect)
	a.begin()
	return a, nil
}

// maxReserve is how many rows get room before they are there: a database may say any number.
const maxReserve = 1 << 21

// reserve makes room for so many rows, as far as the limits allow them.
func (b *builder) reserve(rows int) {
	b.expect = max(0, rows)
	b.grow(min(b.expect, b.limits.Rows, maxReserve, int(b.limits.Memory)/(4*b.width+4)))
}

// begin starts a row whose values are all missing.
func (a *Appender) begin() {
	a.row = a.build.row()
	for i := range a.row {
		a.row[i] = missing
	}
}

// Number sets a field of the row in progress. A field that no one sets is missing.
func (a *Appender) Number(field int, v float64) error {
	switch c := &a.build.layout.cells[field]; {
	case c.op == opNumber:
		a.row[c.out] = feature.Float32(v)
		return nil
	case c.op == opSkip && !c.keep:
		return nil
	}
	a.text = strconv.AppendFloat(a.text[:0], v, 'f', -1, 64)
	return a.Text(field, a.text)
}

// Text sets a field of the row in progress by what a CSV file would say; text is not kept.
func (a *Appender) Text(field int, text []byte) error {
	c := &a.build.layout.cells[field]
	if !c.put(a.row, text) {
		return a.wrap(c.refuse(text))
	}
	if c.keep {
		a.build.note(c, text)
	}
	return nil
}

// End ends the row in progress. It fails when the table outgrows its limits or ctx is done.
func (a *Appender) End(ctx context.Context) error {
	if err := a.build.commit(ctx, a.build.table.rows+1); err != nil {
		return a.wrap(err)
	}
	a.begin()
	return nil
}

// Len is the number of rows that have ended.
func (a *Appender) Len() int { return a.build.table.rows }

// Table gives the table; the appender is not used any more.
func (a *Appender) Table(ctx context.Context) (*Table, error) {
	t, err := a.build.finish(ctx)
	if err != nil {
		return nil, a.wrap(err)
	}
	return t, nil
}

func (a *Appender) wrap(err error) error {
	return fmt.Errorf("%s: row %d: %w", a.build.opts.name(), a.build.table.rows+1, err)
}
