package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"mlids/feature"
)

// ReadCSV reads a table from CSV text, plain or gzip.
//
// A first row with more names than numbers is the header: columns come in any order, under any of their spellings.
// Without header the columns come in the schema's order, then the label and, as in NSL-KDD, a difficulty that is not
// read. Passed over are blank rows, rows of nothing but commas, repeated headers, empty fields at a row's end, a byte
// order mark, and columns that the schema does not know (told once to Options.Log).
func ReadCSV(ctx context.Context, r io.Reader, s *feature.Schema, o Options) (*Table, error) {
	plain, err := inflate(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	c := &csvReader{records: newRecords(plain, o.Limits.orDefault().Record), opts: &o}
	t, err := c.read(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", o.name(), max(c.at, 1), err)
	}
	return t, nil
}

// csvReader reads one table.
type csvReader struct {
	*records
	opts   *Options
	build  *builder
	header []string // nil for a file without
	need   int      // fewest fields that a row may have
	at     int      // line of the record in hand
}

func (c *csvReader) read(ctx context.Context, s *feature.Schema) (*Table, error) {
	first, err := c.start(ctx, s)
	if err != nil {
		return nil, err
	}
	for fields := first; ; {
		if fields != nil {
			if err := c.row(ctx, fields); err != nil {
				return nil, err
			}
		}
		if fields, c.at, err = c.next(); errors.Is(err, io.EOF) {
			return c.build.finish(ctx)
		}
		if err != nil {
			return nil, malformed(err)
		}
	}
}

// malformed marks errors of a decompressor.
func malformed(err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &corrupt) {
		return fmt.Errorf("%w: gzip: %w", ErrSyntax, err)
	}
	return err
}

// start reads the header, or finds that there is none; then it returns the first row.
func (c *csvReader) start(ctx context.Context, s *feature.Schema) (first [][]byte, err error) {
	fields, line, err := c.next()
	c.at = line
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: no rows, not even a header", ErrSyntax)
	}
	if err != nil {
		return nil, malformed(err)
	}
	fields[0] = bytes.TrimPrefix(fields[0], []byte("\uFEFF"))
	if bytes.HasPrefix(fields[0], []byte{0xFF, 0xFE}) || bytes.HasPrefix(fields[0], []byte{0xFE, 0xFF}) {
		return nil, fmt.Errorf("%w: text in UTF-16; want UTF-8", ErrSyntax)
	}
	if isHeader(fields) {
		c.header = make([]string, len(fields))
		for i, f := range fields {
			c.header[i] = strings.ToValidUTF8(string(bytes.TrimSpace(f)), "\uFFFD")
		}
	} else {
		first = fields
	}
	if s, err = c.opts.schema(s, c.header); err != nil {
		return nil, err
	}
	c.build = newBuilder(s, c.opts)
	c.build.table.lines = true
	header := c.header
	if header == nil {
		if header, err = c.positions(ctx, s, len(fields)); err != nil {
			return nil, err
		}
	}
	c.need = len(header)
	for c.need > 0 && header[c.need-1] == "" {
		c.need--
	}
	return first, c.build.arrange(ctx, header, true)
}

// isHeader tells names from values: a header has no number in it, but for an unnamed column or a file of odd names.
func isHeader(fields [][]byte) bool {
	names, numbers := 0, 0
	for _, f := range fields {
		f = bytes.TrimSpace(f)
		switch _, ok := ParseNumber(f); {
		case len(f) == 0:
		case ok:
			numbers++
		default:
			names++
		}
	}
	return names > numbers
}

// positions is the header that a file without one would have.
func (c *csvReader) positions(ctx context.Context, s *feature.Schema, n int) ([]string, error) {
	header := make([]string, 0, n)
	for _, column := range s.Columns {
		header = append(header, column.Name)
	}
	width := len(header)
	name := s.Label[0]
	if c.opts.Label != "" && s.IsLabel(c.opts.Label) {
		name = c.opts.Label
	}
	labelled := append(slices.Clone(header), name)
	switch n {
	case width:
		return header, nil
	case width + 1:
		return labelled, nil
	case width + 2:
		c.opts.tell(ctx, "column behind the label ignored: taken for NSL-KDD's difficulty", "field", n)
		return append(labelled, ""), nil
	}
	return nil, fmt.Errorf("%w: no header, and %d fields; want a header, or schema %s's %d columns (then the label, then a difficulty)",
		ErrColumn, n, s.ID(), width)
}

// row puts one record into the table.
func (c *csvReader) row(ctx context.Context, fields [][]byte) error {
	cells := c.build.layout.cells
	if len(fields) != len(cells) {
		var err error
		if fields, err = c.fit(fields, len(cells)); err != nil {
			return err
		}
	}
	if len(fields[0]) == 0 && allEmpty(fields) {
		return nil
	}
	row := c.build.row()
	for i := range fields {
		cell := &cells[i]
		if !cell.put(row, fields[i]) {
			if c.isRepeat(fields) {
				return nil
			}
			return cell.refuse(fields[i])
		}
		c.build.infinite(cell, row, fields[i])
		if cell.keep {
			c.build.note(cell, fields[i])
		}
	}
	return c.build.commit(ctx, c.at)
}

// fit accepts rows that lack, or have too many, empty fields at their end.
func (c *csvReader) fit(fields [][]byte, width int) ([][]byte, error) {
	n := len(fields)
	for len(fields) > width && len(bytes.TrimSpace(fields[len(fields)-1])) == 0 {
		fields = fields[:len(fields)-1]
	}
	if len(fields) > width || len(fields) < c.need && !allEmpty(fields) {
		return nil, fmt.Errorf("%w: %d fields; want %d", ErrSyntax, n, c.need)
	}
	for len(fields) < width {
		fields = append(fields, nil)
	}
	return fields, nil
}

func allEmpty(fields [][]byte) bool {
	return !slices.ContainsFunc(fields, func(f []byte) bool { return len(bytes.TrimSpace(f)) > 0 })
}

// isRepeat reports whether a row is the header again, as in files that were pasted together.
func (c *csvReader) isRepeat(fields [][]byte) bool {
	return slices.EqualFunc(c.header, fields, func(name string, f []byte) bool {
		return name == string(bytes.TrimSpace(bytes.TrimPrefix(f, []byte("\uFEFF"))))
	})
}
