package kdd99

import (
	"io"

	"mlids/feature"
)

// flushAt is how many bytes a writer gathers before it writes them.
const flushAt = 1 << 16

// Writer prints rows as CSV or JSON lines. Flush writes what it still holds.
type Writer struct {
	// Unlabelled is the label of rows that have none. When empty, such rows have no field for it: right for files in
	// which no row is labelled.
	Unlabelled string

	w      io.Writer
	buf    []byte
	append func(*Row, []byte) []byte
}

// NewCSV makes a writer of CSV as the data's files are: no header unless the schema's files have one, lines end with LF.
func NewCSV(w io.Writer, s *feature.Schema) *Writer {
	c := &Writer{w: w, append: (*Row).AppendCSV}
	if s.Headed {
		for i, col := range s.Columns {
			if i > 0 {
				c.buf = append(c.buf, ',')
			}
			c.buf = append(c.buf, col.Header...)
		}
		c.buf = append(c.buf, '\n')
	}
	return c
}

// NewJSON makes a writer of JSON lines, see [Row.AppendJSON].
func NewJSON(w io.Writer) *Writer { return &Writer{w: w, append: (*Row).AppendJSON} }

// Write prints one row.
func (c *Writer) Write(r *Row) error {
	if r.Label == "" {
		r.Label = c.Unlabelled
	}
	c.buf = append(c.append(r, c.buf), '\n')
	if len(c.buf) < flushAt {
		return nil
	}
	return c.Flush()
}

// Flush writes what was gathered.
func (c *Writer) Flush() error {
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}
