package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"mlids/feature"
)

// streamGroup is how many rows StreamParquet puts in a row group, streamBatch how many it hands over at once: what it holds of
// an endless source is one group.
const (
	streamGroup = 1 << 14
	streamBatch = 64
)

// StreamParquet writes CSV text as a Parquet file (Snappy) while it comes. The text has the schema's columns in their order and
// then perhaps the label, with a header or without. Numbers are as exact as in the text: whole ones are int64, others double;
// what is empty is null. Text without rows makes a file without rows.
func StreamParquet(ctx context.Context, w io.Writer, r io.Reader, s *feature.Schema, name string) error {
	p := parquetStream{in: newRecords(r, Limits{}.orDefault().Record), schema: s, rows: make([]parquet.Row, 0, streamBatch)}
	if err := p.copy(ctx, w); err != nil {
		return fmt.Errorf("%s:%d: %w", name, max(p.line, 1), err)
	}
	return nil
}

// parquetStream is one file in the making.
type parquetStream struct {
	in     *records
	line   int
	schema *feature.Schema
	kinds  []feature.Kind // by column; of the label, Text
	out    *parquet.GenericWriter[any]
	rows   []parquet.Row // gathered
}

func (p *parquetStream) copy(ctx context.Context, w io.Writer) error {
	fields, line, err := p.in.next()
	p.line = line
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	p.open(w, len(fields) > len(p.schema.Columns))
	if err == nil && isHeader(fields) && p.schema.Headed {
		fields, p.line, err = p.in.next()
	}
	for n := 1; err == nil; n++ {
		if err := p.add(fields); err != nil {
			return err
		}
		if n%streamGroup == 0 {
			if err := errors.Join(p.write(), p.out.Flush(), ctx.Err()); err != nil {
				return err
			}
		}
		fields, p.line, err = p.in.next()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if err := errors.Join(p.write(), p.out.Close()); err != nil {
		return fmt.Errorf("writing Parquet: %w", err)
	}
	return nil
}

// open begins the file.
func (p *parquetStream) open(w io.Writer, labelled bool) {
	o := ordered{parquet.Group{}, map[string]int{}}
	column := func(name string, kind feature.Kind) {
		node := parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
		switch kind {
		case feature.Integer, feature.Flag:
			node = parquet.Leaf(parquet.Int64Type)
		case feature.Real:
			node = parquet.Leaf(parquet.DoubleType)
		}
		o.Group[name] = parquet.Optional(node)
		o.order[name] = len(p.kinds)
		p.kinds = append(p.kinds, kind)
	}
	for _, c := range p.schema.Columns {
		name := c.Header
		if name == "" {
			name = c.Name
		}
		column(name, c.Kind)
	}
	if labelled {
		column(p.schema.Label[0], feature.Text)
	}
	p.out = parquet.NewGenericWriter[any](w, parquet.NewSchema(p.schema.Name, o), parquet.Compression(&parquet.Snappy))
}

// add gathers one row.
func (p *parquetStream) add(fields [][]byte) error {
	if len(fields) != len(p.kinds) {
		return fmt.Errorf("%w: %d fields, want %d", ErrSyntax, len(fields), len(p.kinds))
	}
	if len(p.rows) == cap(p.rows) {
		if err := p.write(); err != nil {
			return err
		}
	}
	n := len(p.rows)
	p.rows = p.rows[:n+1]
	row := p.rows[n][:0]
	for i, f := range fields {
		v, err := parquetValue(p.kinds[i], f)
		if err != nil {
			return fmt.Errorf("%w: column %d: %w", ErrValue, i+1, err)
		}
		row = append(row, v.Level(0, min(len(f), 1), i))
	}
	p.rows[n] = row
	return nil
}

// parquetValue is a field's value; an empty one is null.
func parquetValue(kind feature.Kind, field []byte) (parquet.Value, error) {
	switch {
	case len(field) == 0:
		return parquet.NullValue(), nil
	case kind == feature.Integer || kind == feature.Flag:
		v, err := strconv.ParseInt(string(field), 10, 64)
		return parquet.Int64Value(v), err
	case kind == feature.Real:
		v, err := strconv.ParseFloat(string(field), 64)
		return parquet.DoubleValue(v), err
	}
	return parquet.ByteArrayValue(bytes.Clone(field)), nil
}

// write hands over the gathered rows.
func (p *parquetStream) write() error {
	_, err := p.out.WriteRows(p.rows)
	p.rows = p.rows[:0]
	return err
}
