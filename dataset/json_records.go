package dataset

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"mlids/feature"
)

// ReadRecords reads a table from JSON objects of column name → value: one, or an array of them, as pandas'
// DataFrame.to_json(orient="records") writes. All records have the names of the first, in any order.
func ReadRecords(ctx context.Context, r io.Reader, s *feature.Schema, o Options) (*Table, error) {
	limits := o.Limits.orDefault()
	w := window{r: r, keep: -1, max: limits.Record}
	t := recordTable{opts: &o, schema: s, window: &w, limits: limits}
	if err := readRecords(&w, limits, func(n int) error { return t.record(ctx, n) }); err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), w.at(err))
	}
	if t.build == nil { // no record, so no names: an empty table
		s, err := o.schema(s, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name(), err)
		}
		t.build = newBuilder(s, &o)
	}
	table, err := t.build.finish(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	return table, nil
}

// recordTable collects records into a table.
type recordTable struct {
	*window
	opts   *Options
	schema *feature.Schema
	limits Limits
	build  *builder
	keyed  keyed
}

func (t *recordTable) record(ctx context.Context, n int) error {
	if t.build == nil {
		if err := t.begin(ctx); err != nil {
			return err
		}
	}
	err := t.try(func(text []byte, i int) (int, error) {
		return t.keyed.record(text, i, t.build.row(), t.build)
	})
	if err != nil {
		return err
	}
	return t.build.commit(ctx, n+1)
}

// begin takes the names of the first record for the header.
func (t *recordTable) begin(ctx context.Context) (err error) {
	var header []string
	err = t.try(func(text []byte, i int) (int, error) {
		_, err := skipValue(text, i, 0) // all of it must be there
		if err == nil {
			header, _, err = recordKeys(text, i, t.limits.Columns)
		}
		return i, err
	})
	if err != nil {
		return err
	}
	s, err := t.opts.schema(t.schema, header)
	if err != nil {
		return err
	}
	t.build = newBuilder(s, t.opts)
	if err := t.build.arrange(ctx, header, false); err != nil {
		return err
	}
	t.keyed = newKeyed(header, t.build.layout)
	return nil
}

// readRecords walks over an object or an array of objects; each consumes one.
func readRecords(w *window, l Limits, each func(n int) error) error {
	if err := w.start(); err != nil {
		return err
	}
	if w.empty() {
		return fmt.Errorf("%w: no text; want a JSON object of column names and values, or an array of them", ErrSyntax)
	}
	row := func(n int) error {
		if n >= l.Rows {
			return fmt.Errorf("%w: more than %d rows", ErrLimit, l.Rows)
		}
		if err := each(n); err != nil {
			return fmt.Errorf("row %d: %w", n+1, err)
		}
		return nil
	}
	c, err := w.peek()
	switch {
	case err != nil:
		return err
	case c == '[':
		_, err = w.array(row)
	default:
		err = row(0)
	}
	if err != nil {
		return err
	}
	return w.finish()
}

// recordKeys lists the names of the object at text[i].
func recordKeys(text []byte, i, most int) (keys []string, next int, err error) {
	err = eachMember(text, &i, func(key []byte, i int) (int, error) {
		if len(keys) >= most {
			return i, fmt.Errorf("%w: more than %d names", ErrLimit, most)
		}
		keys = append(keys, string(key))
		_, next, err := scanScalar(text, i)
		if err != nil {
			return next, fmt.Errorf("%s: %w", key, err)
		}
		return next, nil
	})
	return keys, i, err
}

// eachMember walks over the object at text[*i]; value reads what is behind a key. At the end *i is behind the object.
func eachMember(text []byte, i *int, value func(key []byte, i int) (next int, err error)) error {
	if *i >= len(text) {
		return errShort
	}
	if text[*i] != '{' {
		return fmt.Errorf("%w: unexpected %s; want an object of column names and values", ErrSyntax, glimpse(text[*i:]))
	}
	*i = skipSpace(text, *i+1)
	if *i < len(text) && text[*i] == '}' {
		*i++
		return nil
	}
	for more := true; more; {
		key, next, err := scanKey(text, *i)
		if err == nil {
			next, err = value(key, skipSpace(text, next))
		}
		if err == nil {
			next, more, err = scanNext(text, next, '}')
		}
		*i = next
		if err != nil {
			return err
		}
	}
	return nil
}

// keyed is a layout whose cells are found by name.
type keyed struct {
	layout *layout
	header []string
	field  map[string]int
	seen   []int // generation in which each field was seen last
	round  int
}

func newKeyed(header []string, l *layout) keyed {
	k := keyed{layout: l, header: header, field: make(map[string]int, len(header)), seen: make([]int, len(header))}
	for i, name := range header {
		k.field[name] = i
	}
	return k
}

// fits reports whether the object at text[i] has the names of the layout, all of them and no others.
func (k *keyed) fits(text []byte, i int) bool {
	n, known := 0, true
	err := eachMember(text, &i, func(key []byte, i int) (int, error) {
		_, ok := k.field[string(key)]
		known = known && ok
		n++
		_, next, err := scanScalar(text, i)
		return next, err
	})
	return err == nil && known && k.layout != nil && n == len(k.header)
}

// record puts the object at text[i] into a vector.
func (k *keyed) record(text []byte, i int, row []float32, b *builder) (next int, err error) {
	k.round++
	count := 0
	err = eachMember(text, &i, func(key []byte, i int) (int, error) {
		field, ok := k.field[string(key)]
		switch {
		case !ok:
			return i, fmt.Errorf("%w: %q, which the first record does not have", ErrColumn, key)
		case k.seen[field] == k.round:
			return i, fmt.Errorf("%w: %q is given twice", ErrSyntax, key)
		}
		k.seen[field] = k.round
		count++
		return k.layout.cells[field].value(text, i, row, b)
	})
	if err == nil && count < len(k.header) {
		err = fmt.Errorf("%w: missing %s", ErrColumn, k.unseen())
	}
	return i, err
}

// unseen names what the record in hand lacks of the layout.
func (k *keyed) unseen() string {
	var b bytes.Buffer
	for i, name := range k.header {
		if k.seen[i] != k.round {
			if b.Len() > 0 {
				b.WriteString(", ")
			}
			b.WriteString(name)
		}
	}
	return b.String()
}
