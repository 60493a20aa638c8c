package dataset

import (
	"bytes"

	"mlids/feature"
)

// Rows are the rows of a request as vectors of a model's inputs, with their original text. They are valid until the
// decoder's next use, and as long as the body is not changed.
type Rows struct {
	N       int       // number of rows
	X       []float32 // row-major, N × inputs
	Ignored []string  // columns that the schema does not know

	body    []byte
	spans   []span
	columns span
}

type span struct{ from, to int }

// Raw is the JSON text of row i as the request spelled it: an array of a split document, an object of a record.
func (r *Rows) Raw(i int) []byte { return r.body[r.spans[i].from:r.spans[i].to] }

// RawColumns is the JSON text of a split document's array of columns, in the order of Raw's values; nil for records.
func (r *Rows) RawColumns() []byte { return r.body[r.columns.from:r.columns.to] }

func (r *Rows) reset(body []byte) {
	*r = Rows{X: r.X[:0], body: body, spans: r.spans[:0]}
}

// grow appends a vector.
func (r *Rows) grow(blank []float32) { r.X = append(r.X, blank...) }

// SplitDecoder decodes split JSON into a model's inputs without a table in between. It keeps its buffers, and the order
// of columns while requests repeat it, so keep decoders in a sync.Pool. It is not safe for concurrent use.
type SplitDecoder struct {
	shape  *shape
	limits Limits
	layout *layout
	header []byte // text of the columns that layout is for
	rows   Rows
}

// NewSplitDecoder makes a decoder for a model's schema and inputs. Of the limits, Rows and Columns count.
func NewSplitDecoder(s *feature.Schema, inputs []feature.Input, l Limits) (*SplitDecoder, error) {
	sh, err := vectorShape(s, inputs)
	if err != nil {
		return nil, err
	}
	return &SplitDecoder{shape: sh, limits: l.orDefault()}, nil
}

// Decode reads a whole document; see [ReadSplit] for its form. Missing optional columns and values are NaN. A document of
// no rows needs no columns. Errors name row and column and wrap ErrSyntax, ErrColumn, ErrValue or ErrLimit.
func (d *SplitDecoder) Decode(body []byte) (*Rows, error) {
	d.rows.reset(body)
	p := splitParser{window: window{buf: body, keep: -1}, limits: d.limits, layout: d.layout}
	var late error // wrong columns are no error in a document without rows
	p.known = func() bool {
		end, err := skipValue(body, p.pos, 0)
		if err != nil {
			return false
		}
		d.rows.columns = span{skipSpace(body, p.pos), end}
		if d.layout == nil || !bytes.Equal(d.header, body[d.rows.columns.from:end]) {
			return false
		}
		p.pos = end
		return true
	}
	p.onHeader = func(header []string) error {
		if p.layout, late = d.shape.arrange(header, false); late == nil {
			d.layout, d.header = p.layout, append(d.header[:0], d.rows.RawColumns()...)
		}
		return nil
	}
	p.onRow = func(int) error {
		if late != nil {
			return late
		}
		return d.row(&p)
	}
	if err := p.document(); err != nil {
		return nil, p.at(err)
	}
	if p.layout != nil {
		d.rows.Ignored = p.layout.ignored
	}
	d.rows.N = p.rows
	return &d.rows, nil
}

func (d *SplitDecoder) row(p *splitParser) error {
	n := len(d.rows.X)
	d.rows.grow(p.layout.blank)
	next, err := p.layout.row(p.buf, p.pos, d.rows.X[n:], nil)
	if err != nil {
		p.pos = max(next, p.pos)
		return err
	}
	d.rows.X = d.rows.X[:n+len(d.shape.divide(d.rows.X[n:]))]
	d.rows.spans = append(d.rows.spans, span{p.pos, next})
	p.pos = next
	return nil
}

// RecordDecoder decodes JSON objects of column name → value, one or an array of them, into a model's inputs. It is not
// safe for concurrent use.
type RecordDecoder struct {
	shape  *shape
	limits Limits
	keyed  keyed
	rows   Rows
}

// NewRecordDecoder makes a decoder for a model's schema and inputs. Of the limits, Rows and Columns count.
func NewRecordDecoder(s *feature.Schema, inputs []feature.Input, l Limits) (*RecordDecoder, error) {
	sh, err := vectorShape(s, inputs)
	if err != nil {
		return nil, err
	}
	return &RecordDecoder{shape: sh, limits: l.orDefault()}, nil
}

// Decode reads an object or an array of objects. Every name that a record lacks is in the error; names that the schema
// does not know are in Rows.Ignored (of the last record whose names were new).
func (d *RecordDecoder) Decode(body []byte) (*Rows, error) {
	d.rows.reset(body)
	w := window{buf: body, keep: -1}
	err := readRecords(&w, d.limits, func(int) error { return d.record(&w) })
	if err != nil {
		return nil, w.at(err)
	}
	if d.keyed.layout != nil && len(d.rows.spans) > 0 {
		d.rows.Ignored = d.keyed.layout.ignored
	}
	d.rows.N = len(d.rows.spans)
	return &d.rows, nil
}

func (d *RecordDecoder) record(w *window) error {
	if !d.keyed.fits(w.buf, w.pos) {
		header, next, err := recordKeys(w.buf, w.pos, d.limits.Columns)
		if err != nil {
			w.pos = max(next, w.pos)
			return err
		}
		l, err := d.shape.arrange(header, false)
		if err != nil {
			return err
		}
		d.keyed = newKeyed(header, l)
	}
	n := len(d.rows.X)
	d.rows.grow(d.keyed.layout.blank)
	next, err := d.keyed.record(w.buf, w.pos, d.rows.X[n:], nil)
	if err != nil {
		w.pos = max(next, w.pos)
		return err
	}
	d.rows.X = d.rows.X[:n+len(d.shape.divide(d.rows.X[n:]))]
	d.rows.spans = append(d.rows.spans, span{w.pos, next})
	w.pos = next
	return nil
}
