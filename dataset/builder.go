package dataset

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"mlids/feature"
)

// blockRows is how many rows are collected before they are turned into columns.
const blockRows = 1024

// maxLabels is how many distinct labels a table may have.
const maxLabels = 1 << 16

// builder collects rows into a table. Rows are written row-major into a block that stays in the processor's cache and are
// turned into columns blockwise.
type builder struct {
	opts   *Options
	limits Limits
	table  *Table
	layout *layout
	kept   []int // schema column of each place of the vector
	width  int

	block   []float32
	filled  int    // rows in the block
	label   []byte // of the row in progress
	codes   map[string]int32
	texts   []int    // schema columns whose text is kept
	pending []string // their texts in the row in progress, by schema column
	shared  map[string]string
	bytes   int64 // of texts
	flushes int
	expect  int // rows that the source is known to have; 0 when it is not known

	foreseeAt int64 // bytes of the source after which foresee looks again
}

// newBuilder starts a table of a schema; the layout follows when the header is known.
func newBuilder(s *feature.Schema, o *Options) *builder {
	return &builder{
		opts: o, limits: o.Limits.orDefault(), codes: map[string]int32{}, shared: map[string]string{},
		table: &Table{
			Schema: s, Source: o.name(),
			Columns: make([][]float32, len(s.Columns)), Text: make([][]string, len(s.Columns)), Infinite: make([]int, len(s.Columns)),
		},
		pending: make([]string, len(s.Columns)),
	}
}

// arrange takes the source's header and deals out the places of the vector.
func (b *builder) arrange(ctx context.Context, header []string, ignoreRepeats bool) error {
	if len(header) > b.limits.Columns {
		return fmt.Errorf("%w: %d columns, at most %d", ErrLimit, len(header), b.limits.Columns)
	}
	sh, err := tableShape(b.table.Schema, b.opts)
	if err != nil {
		return err
	}
	if b.layout, err = sh.arrange(header, ignoreRepeats); err != nil {
		return err
	}
	for i := range b.layout.cells {
		b.place(&b.layout.cells[i])
	}
	b.width = len(b.kept)
	b.layout.blank = make([]float32, b.width)
	b.block = make([]float32, blockRows*b.width)
	if b.layout.label >= 0 {
		b.table.Label = []int32{}
	}
	if b.table.Ignored = b.layout.ignored; len(b.table.Ignored) > 0 {
		b.opts.tell(ctx, "columns ignored: the schema does not have them",
			"schema", b.table.Schema.ID(), "columns", strings.Join(b.table.Ignored, ", "))
	}
	return nil
}

func (b *builder) place(c *cell) {
	if c.op == opNumber || c.op == opCode {
		c.out = len(b.kept)
		b.kept = append(b.kept, c.column)
		b.table.Columns[c.column] = []float32{}
	}
	if c.keep && c.column >= 0 {
		b.texts = append(b.texts, c.column)
		b.table.Text[c.column] = []string{}
	}
}

// row is the vector of the row in progress.
func (b *builder) row() []float32 {
	b.label = b.label[:0]
	return b.block[b.filled*b.width : (b.filled+1)*b.width]
}

// infinite counts a number that is missing because it is infinite in the source.
func (b *builder) infinite(c *cell, row []float32, field []byte) {
	if c.op == opNumber && row[c.out] != row[c.out] && isInfinite(field) {
		b.table.Infinite[c.column]++
	}
}

// note keeps a field's text until the row is committed.
func (b *builder) note(c *cell, field []byte) {
	if c.op == opLabel {
		b.label = append(b.label[:0], field...)
		return
	}
	s, ok := b.shared[string(field)]
	if !ok {
		s = string(field)
		if len(b.shared) < 1<<16 {
			b.shared[s] = s
		}
		b.bytes += int64(len(s))
	}
	b.pending[c.column] = s
}

// commit ends the row in progress; line is where it began.
func (b *builder) commit(ctx context.Context, line int) error {
	t := b.table
	if t.Label != nil {
		t.Label = append(t.Label, b.labelCode())
	}
	for _, c := range b.texts {
		b.endText(c)
	}
	if n := len(t.marks); n == 0 || t.marks[n-1].line+t.rows-t.marks[n-1].row != line {
		t.marks = append(t.marks, mark{t.rows, line})
	}
	t.rows++
	if b.filled++; b.filled == blockRows {
		return b.flush(ctx)
	}
	return nil
}

// endText ends the row in progress of one column of text.
func (b *builder) endText(column int) {
	b.table.Text[column] = append(b.table.Text[column], b.pending[column])
	b.pending[column] = ""
}

// labelCode is the code of the row's label. Spaces around it and the dot that ends KDD's lines do not count.
func (b *builder) labelCode() int32 {
	if b.table.Schema.Name == "kdd99" {
		b.label = bytes.TrimRight(b.label, ". \t")
	}
	trimmed := bytes.TrimSpace(b.label)
	k, ok := b.codes[string(trimmed)]
	if !ok {
		k = int32(len(b.codes))
		b.codes[string(trimmed)] = k
		b.bytes += 2 * int64(len(trimmed)) // as key and as label
		b.table.Labels = append(b.table.Labels, strings.ToValidUTF8(string(trimmed), "\uFFFD"))
	}
	return k
}

// flush turns the block into columns, and checks context and limits.
func (b *builder) flush(ctx context.Context) error {
	for place, c := range b.kept {
		column := slices.Grow(b.table.Columns[c], b.filled)
		for i := range b.filled {
			column = append(column, b.block[i*b.width+place])
		}
		b.table.Columns[c] = column
	}
	b.filled = 0
	if b.flushes++; b.flushes%4 == 0 {
		b.report()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.check()
}

// check refuses a table that has grown beyond the limits.
func (b *builder) check() error {
	if rows := b.table.rows; rows > b.limits.Rows {
		return fmt.Errorf("%w: more than %d rows", ErrLimit, b.limits.Rows)
	}
	if err := b.checkTexts(b.table.rows); err != nil {
		return err
	}
	return b.foresee()
}

// checkTexts refuses texts and labels beyond the limits, in a table that has so many rows now.
func (b *builder) checkTexts(rows int) error {
	if len(b.codes) > maxLabels {
		return fmt.Errorf("%w: more than %d distinct labels by row %d; is %s the label's column?", ErrLabel, maxLabels,
			rows, b.layout.cells[b.layout.label].name)
	}
	if b.size(rows) > b.limits.Memory {
		return fmt.Errorf("%w: the table takes more than %d MiB from row %d on; want fewer columns or rows",
			ErrLimit, b.limits.Memory>>20, rows)
	}
	return nil
}

// size is the memory that the table takes with so many rows, in bytes.
func (b *builder) size(rows int) int64 {
	return int64(rows)*int64(4*b.width+4+16*len(b.texts)) + b.bytes + markBytes*int64(len(b.table.marks))
}

const markBytes = 16 // of a mark

// foreseeFrom is how many bytes of a file must have been read to tell how many rows all of it has.
const foreseeFrom = 8 << 20

// foresee refuses a large file early when its table will certainly be too large, and else makes room for its rows at
// once: columns that grow step by step take twice the memory. A file by a quarter too large may still turn out to fit. It
// looks again at each doubling, for a file's parts differ, in how far they are compressed above all.
func (b *builder) foresee() error {
	c := b.opts.source
	if c == nil || c.total <= c.n || c.n < max(foreseeFrom, b.foreseeAt) {
		return nil
	}
	first := b.foreseeAt == 0
	b.foreseeAt = 2 * c.n
	rows := int(float64(b.table.rows) * float64(c.total) / float64(c.n))
	if size := b.size(rows); size > b.limits.Memory+b.limits.Memory/4 {
		return fmt.Errorf("%w: the table of this file would take about %d MiB (%d million rows), at most %d MiB are read; want fewer columns or rows",
			ErrLimit, size>>20, rows/1e6, b.limits.Memory>>20)
	}
	if first {
		b.grow(rows + rows/4 - b.table.rows) // the estimate may be low: readers are ahead of the rows
	}
	return nil
}

// grow makes room for so many further rows.
func (b *builder) grow(rows int) {
	for _, c := range b.kept {
		b.table.Columns[c] = slices.Grow(b.table.Columns[c], rows)
	}
	if b.table.Label != nil {
		b.table.Label = slices.Grow(b.table.Label, rows)
	}
}

func (b *builder) report() {
	if b.opts.Progress == nil {
		return
	}
	p := Progress{Rows: b.table.rows, Of: b.expect}
	if c := b.opts.source; c != nil {
		p.Bytes, p.Total = c.n, c.total
	}
	b.opts.Progress(p)
}

// finish gives the table.
func (b *builder) finish(ctx context.Context) (*Table, error) {
	if err := b.flush(ctx); err != nil {
		return nil, err
	}
	b.report()
	return b.table, nil
}
