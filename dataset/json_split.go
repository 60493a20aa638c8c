package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mlids/feature"
)

// ReadSplit reads a table from JSON as pandas' DataFrame.to_json(orient="split") writes it, {"columns":[…], "index":[…],
// "data":[[…],…]}, also inside {"dataframe_split":{…}}. Keys come in any order and index may be left out; when data comes
// before columns, its text is held in memory.
func ReadSplit(ctx context.Context, r io.Reader, s *feature.Schema, o Options) (*Table, error) {
	limits := o.Limits.orDefault()
	var b *builder
	p := splitParser{window: window{r: r, keep: -1, max: limits.Record}, limits: limits}
	p.onHeader = func(header []string) error {
		s, err := o.schema(s, header)
		if err != nil {
			return err
		}
		b = newBuilder(s, &o)
		if err := b.arrange(ctx, header, false); err != nil {
			return err
		}
		p.layout = b.layout
		return nil
	}
	p.onRow = func(n int) error {
		err := p.try(func(text []byte, i int) (int, error) { return p.layout.row(text, i, b.row(), b) })
		if err != nil {
			return err
		}
		return b.commit(ctx, n+1)
	}
	if err := p.document(); err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), p.at(err))
	}
	t, err := b.finish(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	return t, nil
}

// splitParser walks over the parts of a split document. What is done with them is its user's.
type splitParser struct {
	window
	limits   Limits
	layout   *layout
	known    func() bool // consumes the columns if they are those that layout is for; may be nil
	onHeader func(header []string) error
	onRow    func(n int) error // consumes a row

	columns, index, data bool // seen
	rows, indexes        int
}

// document reads all of it.
func (p *splitParser) document() error {
	if err := p.start(); err != nil {
		return err
	}
	if p.empty() {
		return fmt.Errorf("%w: no text; want a JSON object with columns and data", ErrSyntax)
	}
	if err := p.object(p.outer); err != nil {
		return err
	}
	if err := p.finish(); err != nil {
		return err
	}
	switch {
	case !p.columns:
		return fmt.Errorf("%w: no \"columns\"; want {\"columns\":[…],\"data\":[[…],…]}", ErrSyntax)
	case !p.data:
		return fmt.Errorf("%w: no \"data\"; want {\"columns\":[…],\"data\":[[…],…]}", ErrSyntax)
	}
	if p.keep >= 0 { // data came before columns
		p.pos, p.keep = p.keep, -1
		if err := p.readRows(); err != nil {
			return err
		}
	}
	if p.index && p.indexes != p.rows {
		return fmt.Errorf("%w: index has %d entries for %d rows", ErrSyntax, p.indexes, p.rows)
	}
	return nil
}

// outer reads a key of the outermost object.
func (p *splitParser) outer(key string) error {
	switch key {
	case "dataframe_split":
		if p.columns || p.data || p.index {
			return fmt.Errorf("%w: dataframe_split beside columns, index or data", ErrSyntax)
		}
		return p.object(p.inner)
	case "params": // MLflow's, of no use to these models
		return p.skip()
	}
	return p.inner(key)
}

// inner reads a key of the split object.
func (p *splitParser) inner(key string) (err error) {
	seen := map[string]*bool{"columns": &p.columns, "index": &p.index, "data": &p.data}[key]
	switch {
	case seen == nil:
		return fmt.Errorf("%w: unexpected name %q; want columns, index and data", ErrSyntax, key)
	case *seen:
		return fmt.Errorf("%w: %q is given twice", ErrSyntax, key)
	}
	*seen = true
	switch key {
	case "columns":
		return p.readColumns()
	case "index":
		p.indexes, err = p.array(func(int) error { return p.skip() })
		return err
	}
	if p.columns {
		return p.readRows()
	}
	if _, err := p.peek(); err != nil {
		return err
	}
	p.keep = p.pos
	p.max = int(min(p.limits.Memory, 1<<40))
	_, err = p.array(func(int) error { return p.skip() })
	return err
}

func (p *splitParser) skip() error {
	return p.try(func(text []byte, i int) (int, error) { return skipValue(text, i, 0) })
}

func (p *splitParser) readColumns() error {
	if p.known != nil && p.known() {
		return nil
	}
	var header []string
	_, err := p.array(func(n int) error {
		if n >= p.limits.Columns {
			return fmt.Errorf("%w: more than %d columns", ErrLimit, p.limits.Columns)
		}
		if p.buf[p.pos] != '"' {
			return fmt.Errorf("%w: columns[%d] is %s; want a name in quotes", ErrSyntax, n, glimpse(p.buf[p.pos:]))
		}
		return p.try(func(text []byte, i int) (int, error) {
			name, next, err := scanString(text, i)
			if err == nil {
				header = append(header, string(name))
			}
			return next, err
		})
	})
	if err != nil {
		return err
	}
	return p.onHeader(header)
}

func (p *splitParser) readRows() (err error) {
	p.rows, err = p.array(func(n int) error {
		if n >= p.limits.Rows {
			return fmt.Errorf("%w: more than %d rows", ErrLimit, p.limits.Rows)
		}
		if err := p.onRow(n); err != nil {
			return fmt.Errorf("row %d (data[%d]): %w", n+1, n, err)
		}
		return nil
	})
	return err
}

// row puts the row at text[i] into a vector. Texts of labels and such go to the builder, if there is one.
func (l *layout) row(text []byte, i int, row []float32, b *builder) (next int, err error) {
	if i >= len(text) {
		return i, errShort
	}
	if text[i] != '[' {
		return i, fmt.Errorf("%w: unexpected %s; want an array of %d values", ErrSyntax, glimpse(text[i:]), len(l.cells))
	}
	i = skipSpace(text, i+1)
	last := len(l.cells) - 1
	for k := range l.cells {
		c := &l.cells[k]
		if i < len(text) && text[i] == ']' {
			return i, fmt.Errorf("%w: %d values; want %d, as there are columns", ErrSyntax, k, last+1)
		}
		if i, err = c.value(text, i, row, b); err != nil {
			return i, err
		}
		if i < len(text) && text[i] == ',' && k < last { // most often no space comes between
			i = skipSpace(text, i+1)
			continue
		}
		var more bool
		if i, more, err = scanNext(text, i, ']'); err != nil {
			return i, fmt.Errorf("column %s: %w", c.name, err)
		}
		switch {
		case more && k == last:
			return i, fmt.Errorf("%w: more than %d values; want one for each column", ErrSyntax, last+1)
		case !more && k < last:
			return i, fmt.Errorf("%w: %d values; want %d, as there are columns", ErrSyntax, k+1, last+1)
		}
		if k == last {
			return i, nil
		}
		i = skipSpace(text, i)
	}
	switch {
	case i >= len(text):
		return i, errShort
	case text[i] != ']':
		return i, fmt.Errorf("%w: values in a row without columns", ErrSyntax)
	}
	return i + 1, nil
}

// value puts the JSON value at text[i].
func (c *cell) value(text []byte, i int, row []float32, b *builder) (next int, err error) {
	if c.op == opNumber && i+1 < len(text) && (text[i]-'0' <= 9 || text[i] == '-' && text[i+1]-'0' <= 9) {
		v, next, ok := scanJSONNumber(text, i)
		if ok && next < len(text) {
			row[c.out] = v
			return next, nil
		}
	}
	if c.op == opSkip {
		if next, ok := skipNumber(text, i); ok {
			return next, nil
		}
	}
	content, next, err := scanScalar(text, i)
	if err != nil {
		if errors.Is(err, errShort) {
			return next, err
		}
		return next, fmt.Errorf("column %s: %w", c.name, err)
	}
	if text[i] == 'n' {
		content = nil // null
	}
	if !c.put(row, content) {
		return next, c.refuse(content)
	}
	if b != nil {
		b.infinite(c, row, content)
		if c.keep {
			b.note(c, content)
		}
	}
	return next, nil
}

// skipNumber finds the end of a plain number, without leading zeros, exponent or need for more text.
func skipNumber(text []byte, i int) (next int, ok bool) {
	if i < len(text) && text[i] == '-' {
		i++
	}
	first := i
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	if i == first || i > first+1 && text[first] == '0' {
		return i, false
	}
	if i < len(text) && text[i] == '.' {
		i++
		first = i
		for i < len(text) && text[i]-'0' <= 9 {
			i++
		}
		if i == first {
			return i, false
		}
	}
	return i, i < len(text) && text[i]|0x20 != 'e'
}
