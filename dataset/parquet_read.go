package dataset

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"

	"mlids/feature"
)

// ReadParquet reads a table from the flat columns of a Parquet file of size bytes. Columns of lists and structs are
// passed over like those that the schema does not know.
func ReadParquet(ctx context.Context, r io.ReaderAt, size int64, s *feature.Schema, o Options) (t *Table, err error) {
	defer func() { // the decoder panics on some damaged files
		if v := recover(); v != nil {
			t, err = nil, fmt.Errorf("%s: %w: parquet: %v", o.name(), ErrSyntax, v)
		}
	}()
	if err := checkFooter(r, size); err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: parquet: %w", o.name(), ErrSyntax, err)
	}
	p := parquetReader{file: f, opts: &o, limits: o.Limits.orDefault()}
	if t, err = p.read(ctx, s); err != nil {
		return nil, fmt.Errorf("%s: %w", o.name(), err)
	}
	return t, nil
}

// checkFooter refuses a file whose footer would be larger than the file, for which the decoder would make room.
func checkFooter(r io.ReaderAt, size int64) error {
	var end [8]byte
	if size < 12 {
		return fmt.Errorf("%w: parquet: a file of %d bytes", ErrSyntax, size)
	}
	if _, err := r.ReadAt(end[:], size-8); err != nil {
		return fmt.Errorf("parquet: reading the footer: %w", err)
	}
	if footer := int64(binary.LittleEndian.Uint32(end[:])); string(end[4:]) != "PAR1" || footer > size-12 {
		return fmt.Errorf("%w: parquet: no footer at the end of the file", ErrSyntax)
	}
	return nil
}

// parquetReader reads one file, column by column.
type parquetReader struct {
	file   *parquet.File
	opts   *Options
	limits Limits
	build  *builder
	leaves []*parquet.Column // flat columns, by field of the header
	values []parquet.Value
	rows   int64 // of the whole file
}

func (p *parquetReader) read(ctx context.Context, s *feature.Schema) (*Table, error) {
	var header []string
	for _, c := range p.file.Root().Columns() {
		if c.Leaf() && !c.Repeated() {
			header = append(header, c.Name())
			p.leaves = append(p.leaves, c)
		}
	}
	s, err := p.opts.schema(s, header)
	if err != nil {
		return nil, err
	}
	p.build = newBuilder(s, p.opts)
	if err := p.build.arrange(ctx, header, false); err != nil {
		return nil, err
	}
	if err := p.checkSize(); err != nil {
		return nil, err
	}
	p.values = make([]parquet.Value, blockRows)
	for _, g := range p.file.RowGroups() {
		if err := p.group(ctx, g); err != nil {
			return nil, err
		}
	}
	return p.build.finish(ctx)
}

// checkSize refuses, before anything is read, files whose own account of themselves is beyond the limits.
func (p *parquetReader) checkSize() error {
	rows := int64(0)
	for _, g := range p.file.RowGroups() {
		n := g.NumRows()
		if n < 0 || n > int64(p.limits.Rows)-rows {
			return fmt.Errorf("%w: more than %d rows", ErrLimit, p.limits.Rows)
		}
		rows += n
	}
	p.rows = rows
	if need := p.build.size(int(rows)); need > p.limits.Memory {
		return fmt.Errorf("%w: %d rows take %d MiB; at most %d", ErrLimit, rows, need>>20, p.limits.Memory>>20)
	}
	return nil
}

// group reads one row group.
func (p *parquetReader) group(ctx context.Context, g parquet.RowGroup) error {
	t, chunks, first := p.build.table, g.ColumnChunks(), p.build.table.rows
	want := first + int(g.NumRows())
	for field := range p.leaves {
		c := &p.build.layout.cells[field]
		if c.op == opSkip {
			continue
		}
		row := first
		err := p.chunk(ctx, chunks[p.leaves[field].Index()], func(v parquet.Value) error {
			if row == want {
				return fmt.Errorf("%w: more values than the row group's %d rows", ErrSyntax, g.NumRows())
			}
			row++
			if row%blockRows == 0 && c.keep {
				if err := p.build.checkTexts(row); err != nil {
					return err
				}
			}
			return p.put(c, v)
		})
		if err == nil && row != want {
			err = fmt.Errorf("%w: %d values for the row group's %d rows", ErrSyntax, row-first, g.NumRows())
		}
		if err != nil {
			return fmt.Errorf("row %d: column %s: %w", row, c.name, err)
		}
	}
	t.rows = want
	if c := p.opts.source; c != nil && p.rows > 0 {
		c.n = c.total * int64(want) / p.rows
	}
	p.build.report()
	return p.build.check()
}

// chunk visits the values of one column chunk.
func (p *parquetReader) chunk(ctx context.Context, c parquet.ColumnChunk, visit func(parquet.Value) error) error {
	pages := c.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = p.page(page.Values(), visit)
			parquet.Release(page)
		} else {
			err = fmt.Errorf("%w: parquet: %w", ErrSyntax, err)
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
	}
}

func (p *parquetReader) page(r parquet.ValueReader, visit func(parquet.Value) error) error {
	for {
		n, err := r.ReadValues(p.values)
		for _, v := range p.values[:n] {
			if err := visit(v); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: parquet: %w", ErrSyntax, err)
		}
		if n == 0 {
			return fmt.Errorf("%w: parquet: a page without progress", ErrSyntax)
		}
	}
}

// put appends one value to the column that it belongs to.
func (p *parquetReader) put(c *cell, v parquet.Value) error {
	b := p.build
	if c.op == opNumber && v.Kind() != parquet.ByteArray && v.Kind() != parquet.FixedLenByteArray {
		f, ok := float(v)
		if !ok {
			return fmt.Errorf("%w: a value of type %s; want a number", ErrValue, v.Kind())
		}
		if f != f && endless(v) {
			b.table.Infinite[c.column]++
		}
		b.table.Columns[c.column] = append(b.table.Columns[c.column], f)
		return nil
	}
	content := v.Bytes()
	if f, ok := float(v); ok && !v.IsNull() { // a category, label or text that was stored as a number
		content = AppendNumber(nil, f)
	}
	if c.op == opNumber || c.op == opCode {
		var place [1]float32
		one := *c
		one.out = 0
		if !one.put(place[:], content) {
			return fmt.Errorf("%w: %.40q is not a number", ErrValue, content)
		}
		b.infinite(&one, place[:], content)
		b.table.Columns[c.column] = append(b.table.Columns[c.column], place[0])
	}
	if c.keep {
		b.note(c, content)
		if c.op == opLabel {
			b.table.Label = append(b.table.Label, b.labelCode())
		} else {
			b.endText(c.column)
		}
	}
	return nil
}

// float is the value of a type that stands for a number.
func float(v parquet.Value) (float32, bool) {
	if v.IsNull() {
		return missing, true
	}
	switch v.Kind() {
	case parquet.Boolean:
		if v.Boolean() {
			return 1, true
		}
		return 0, true
	case parquet.Int32:
		return float32(v.Int32()), true
	case parquet.Int64:
		return feature.Float32(float64(v.Int64())), true
	case parquet.Float:
		return feature.Float32(float64(v.Float())), true
	case parquet.Double:
		return feature.Float32(v.Double()), true
	}
	return missing, false
}

// endless reports whether a value is infinite.
func endless(v parquet.Value) bool {
	return v.Kind() == parquet.Float && math.IsInf(float64(v.Float()), 0) || v.Kind() == parquet.Double && math.IsInf(v.Double(), 0)
}
