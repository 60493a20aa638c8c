package dataset

import (
	"fmt"
	"slices"
	"sort"

	"mlids/feature"
)

// Table is a table of one schema, column-major. It is not changed after it is made.
type Table struct {
	Schema   *feature.Schema
	Columns  [][]float32 // by schema column, one value per row; nil for columns that were not wanted or not there
	Text     [][]string  // by schema column, the source's text; nil unless Options.Text asked for it
	Label    []int32     // label of each row, an index in Labels; nil without labels
	Labels   []string    // in order of first appearance, without spaces around and without KDD's final dot
	Weight   []float32   // how often each row occurred; nil stands for once each
	Infinite []int       // by schema column: values that were infinite in the source, and are missing here
	Source   string      // name of the source
	Ignored  []string    // columns of the source that the schema does not know

	rows   int
	marks  []mark  // where rows came from
	origin []int32 // after Merge: the row of the source that each row is the first occurrence of
	lines  bool    // marks are lines of text, else row numbers
}

// mark says that the rows from row on came from consecutive lines, beginning with line.
type mark struct{ row, line int }

// Len is the number of rows.
func (t *Table) Len() int { return t.rows }

// Has reports whether a column of the schema was read.
func (t *Table) Has(column int) bool { return t.Columns[column] != nil }

// Where says where a row came from: "flows.csv:17", "flows.json: row 3".
func (t *Table) Where(row int) string {
	if t.origin != nil {
		row = int(t.origin[row])
	}
	line := row + 1
	if i := sort.Search(len(t.marks), func(i int) bool { return t.marks[i].row > row }); i > 0 {
		line = t.marks[i-1].line + row - t.marks[i-1].row
	}
	if t.lines {
		return fmt.Sprintf("%s:%d", t.Source, line)
	}
	return fmt.Sprintf("%s: row %d", t.Source, line)
}

// AppendRows appends rows lo to hi-1 as row-major vectors of a model's inputs to dst: (hi-lo) × len(inputs) values.
func (t *Table) AppendRows(dst []float32, inputs []feature.Input, lo, hi int) ([]float32, error) {
	start, width := len(dst), len(inputs)
	dst = slices.Grow(dst, (hi-lo)*width)[:start+(hi-lo)*width]
	for j, in := range inputs {
		column, err := t.column(in)
		if err != nil {
			return dst[:start], err
		}
		over, err := t.over(in)
		if err != nil {
			return dst[:start], err
		}
		for i, v := range column[lo:hi] {
			switch {
			case in.Category >= 0:
				v = hot(v, in.Category)
			case over != nil:
				v = feature.Quotient(v, over[lo+i])
			}
			dst[start+i*width+j] = v
		}
	}
	return dst, nil
}

// expand gives the values of an input over all rows. Plain numbers are shared with the table, not copied.
func (t *Table) expand(in feature.Input) ([]float32, error) {
	column, err := t.column(in)
	if err != nil || in.Category < 0 && in.Over == 0 {
		return column, err
	}
	over, err := t.over(in)
	if err != nil {
		return nil, err
	}
	x := make([]float32, t.rows)
	for i, v := range column {
		if over != nil {
			x[i] = feature.Quotient(v, over[i])
			continue
		}
		x[i] = hot(v, in.Category)
	}
	return x, nil
}

// over is the column below the line of a ratio; nil for other inputs.
func (t *Table) over(in feature.Input) ([]float32, error) {
	if in.Over == 0 {
		return nil, nil
	}
	return t.column(below(in))
}

// column is what an input is made of; all missing for an optional column that the source lacks.
func (t *Table) column(in feature.Input) ([]float32, error) {
	if err := checkInput(t.Schema, in); err != nil {
		return nil, err
	}
	switch {
	case t.Columns[in.Column] != nil:
		return t.Columns[in.Column], nil
	case t.Schema.Columns[in.Column].Optional:
		return slices.Repeat([]float32{missing}, t.rows), nil
	}
	return nil, fmt.Errorf("%w: %s was read without column %s", ErrColumn, t.Source, t.Schema.Columns[in.Column].Name)
}

// hot is the indicator of a category for a column's value.
func hot(v float32, category int) float32 {
	switch {
	case v != v:
		return missing
	case v == float32(category):
		return 1
	}
	return 0
}
