package dataset

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mlids/feature"
)

// operation is what a reader does with a field.
type operation uint8

const (
	opSkip      operation = iota
	opNumber              // to one place of the row's vector
	opCode                // the category's index, to one place of the vector
	opIndicator           // one-hot, to one place per wanted category
	opLabel               // the row's label
	opText                // kept as it is
)

// cell is what a reader does with one column's fields.
type cell struct {
	op     operation
	keep   bool             // the text itself goes to the table: labels and Options.Text
	name   string           // the schema's name, or the source's spelling of a column that the schema lacks
	column int              // index in Schema.Columns; -1 for none
	out    int              // number, code: place in the row's vector
	codes  map[string]int32 // code, indicator: category → index
	hot    []int32          // indicator: place of each category in the vector, -1 for none
}

// shape is what is wanted of a schema's columns, before it is known which of them a source has.
type shape struct {
	schema    *feature.Schema
	cells     []cell // by schema column
	required  []bool
	width     int // length of a row's vector, what only ratios are made of included
	inputs    int // of them that the model takes
	ratios    []ratio
	label     string // spelling of the label's column; "" for the schema's own
	needLabel bool
}

// ratio is a place of the vector that holds the quotient of two others.
type ratio struct{ out, column, over int }

// divide fills in a row's ratios, and returns the part of it that the model takes.
func (sh *shape) divide(row []float32) []float32 {
	for _, r := range sh.ratios {
		row[r.out] = feature.Quotient(row[r.column], row[r.over])
	}
	return row[:sh.inputs]
}

// layout is a shape laid over a source's columns.
type layout struct {
	cells   []cell    // by field of the source
	blank   []float32 // a row before its fields are put: NaN where the source lacks an optional column
	label   int       // field of the label; -1 for none
	ignored []string  // spellings that the schema does not know
}

// categories maps a column's categories to their indexes.
func categories(c feature.Column) map[string]int32 {
	codes := make(map[string]int32, len(c.Categories))
	for i, category := range c.Categories {
		codes[category] = int32(i)
	}
	return codes
}

// newShape starts a shape that wants nothing.
func newShape(s *feature.Schema) *shape {
	sh := &shape{schema: s, cells: make([]cell, len(s.Columns)), required: make([]bool, len(s.Columns))}
	for i, c := range s.Columns {
		sh.cells[i] = cell{name: c.Name, column: i}
	}
	return sh
}

// vectorShape wants a model's inputs, in the order of the vector.
func vectorShape(s *feature.Schema, inputs []feature.Input) (*shape, error) {
	sh := newShape(s)
	sh.width, sh.inputs = len(inputs), len(inputs)
	for place, in := range inputs {
		if err := checkInput(s, in); err != nil {
			return nil, err
		}
		if in.Over > 0 {
			sh.ratios = append(sh.ratios, ratio{out: place, column: in.Column, over: in.Over - 1})
			continue
		}
		c, column := &sh.cells[in.Column], s.Columns[in.Column]
		sh.required[in.Column] = !column.Optional
		if in.Category < 0 {
			if c.op != opSkip {
				return nil, fmt.Errorf("%w: input %s is listed twice", ErrColumn, in.Name)
			}
			c.op, c.out = opNumber, place
			continue
		}
		if c.op == opSkip {
			c.op, c.codes = opIndicator, categories(column)
			c.hot = slices.Repeat([]int32{-1}, len(column.Categories))
		}
		if c.hot[in.Category] >= 0 {
			return nil, fmt.Errorf("%w: input %s is listed twice", ErrColumn, in.Name)
		}
		c.hot[in.Category] = int32(place)
	}
	for i := range sh.ratios {
		r := &sh.ratios[i]
		r.column, r.over = sh.operand(r.column), sh.operand(r.over)
	}
	return sh, nil
}

// operand is the place of a column that a ratio is made of. Behind the inputs there is one for a column that is none.
func (sh *shape) operand(column int) int {
	c := &sh.cells[column]
	if c.op == opSkip {
		c.op, c.out = opNumber, sh.width
		sh.width++
		sh.required[column] = !sh.schema.Columns[column].Optional
	}
	return c.out
}

// below is the column under a ratio's line as an input.
func below(in feature.Input) feature.Input {
	return feature.Input{Name: in.Name, Column: in.Over - 1, Category: -1}
}

// checkInput refuses inputs that the schema does not have.
func checkInput(s *feature.Schema, in feature.Input) error {
	if in.Over != 0 {
		if err := checkInput(s, below(in)); err != nil {
			return err
		}
	}
	if in.Column < 0 || in.Column >= len(s.Columns) {
		return fmt.Errorf("%w: schema %s has no column %d for input %s", ErrColumn, s.ID(), in.Column, in.Name)
	}
	c := s.Columns[in.Column]
	plain := c.Kind != feature.Category && c.Kind != feature.Text && c.Kind != feature.Time
	if in.Category < 0 && plain || in.Category >= 0 && in.Category < len(c.Categories) {
		return nil
	}
	return fmt.Errorf("%w: column %s of schema %s (%s) gives no input %s", ErrColumn, c.Name, s.ID(), c.Kind, in.Name)
}

// tableShape wants what the options say. Its vectors hold numbers and codes; the places are dealt out by arrange.
func tableShape(s *feature.Schema, o *Options) (*shape, error) {
	sh := newShape(s)
	sh.label, sh.needLabel = o.Label, o.NeedLabel
	inputs := o.Inputs
	if inputs == nil {
		inputs = s.Inputs(false)
	}
	for _, in := range inputs {
		if err := checkInput(s, in); err != nil {
			return nil, err
		}
		sh.want(in.Column)
		if in.Over > 0 {
			sh.want(in.Over - 1)
		}
	}
	for i, c := range s.Columns {
		sh.cells[i].tableOperation(c, o)
	}
	return sh, nil
}

func (sh *shape) want(column int) {
	sh.required[column] = !sh.schema.Columns[column].Optional
	sh.cells[column].op = opNumber
}

func (c *cell) tableOperation(column feature.Column, o *Options) {
	switch column.Kind {
	case feature.Text, feature.Time:
		if o.Text {
			c.op, c.keep = opText, true
		}
	case feature.Category:
		if c.op != opSkip || o.Extra {
			c.op, c.codes, c.keep = opCode, categories(column), o.Text
		}
	default:
		if o.Extra {
			c.op = opNumber
		}
	}
}

// arrange lays the shape over a header. Spellings that occur twice alike are an error unless repeats are to be ignored,
// as CIC's files of 2017 need it. Every missing column is named in one error.
func (sh *shape) arrange(header []string, ignoreRepeats bool) (*layout, error) {
	l := &layout{cells: make([]cell, len(header)), label: sh.findLabel(header)}
	given := make([]int, len(sh.cells)) // field of each schema column, counted from 1
	for i, spelling := range header {
		column, known := sh.schema.Index(spelling)
		switch {
		case i == l.label:
			l.cells[i] = cell{op: opLabel, keep: true, name: spelling, column: -1}
		case !known:
			l.cells[i] = cell{name: spelling, column: -1}
			if strings.TrimSpace(spelling) != "" && !sh.schema.IsLabel(spelling) {
				l.ignored = append(l.ignored, spelling)
			}
		case given[column] == 0:
			given[column] = i + 1
			l.cells[i] = sh.cells[column]
		case ignoreRepeats && header[given[column]-1] == spelling:
			l.ignored = append(l.ignored, spelling)
		default:
			return nil, fmt.Errorf("%w: %q and %q are both column %s", ErrColumn, header[given[column]-1], spelling,
				sh.cells[column].name)
		}
	}
	return l, sh.complete(l, given, header)
}

// complete refuses a layout with missing columns and prepares its blank row.
func (sh *shape) complete(l *layout, given []int, header []string) error {
	l.blank = make([]float32, sh.width)
	var lacking []string
	for i, c := range sh.cells {
		switch {
		case given[i] > 0:
		case sh.required[i]:
			lacking = append(lacking, c.name)
		case c.op == opNumber && sh.width > 0:
			l.blank[c.out] = missing
		case c.op == opIndicator:
			c.spread(l.blank, missing)
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("%w: schema %s wants %s%s", ErrColumn, sh.schema.ID(), missingList(lacking), sh.hint(header))
	}
	if l.label < 0 && (sh.needLabel || sh.label != "") {
		want := sh.label
		if want == "" {
			want = strings.Join(sh.schema.Label, " or ")
		}
		return fmt.Errorf("%w: no column %s with labels%s", ErrColumn, want, sh.hint(header))
	}
	return nil
}

// missingList names columns, all of them up to a length that a person still reads.
func missingList(names []string) string {
	if len(names) == 1 {
		return "the missing column " + names[0]
	}
	return fmt.Sprintf("%d missing columns: %s", len(names), strings.Join(names, ", "))
}

// hint says what a header without commas looks like.
func (sh *shape) hint(header []string) string {
	if len(header) != 1 {
		return ""
	}
	for _, c := range []string{";", "\t", "|"} {
		if strings.Contains(header[0], c) {
			return fmt.Sprintf(" (the header seems separated by %q; want commas)", c)
		}
	}
	return ""
}

// findLabel is the field of the label's column, -1 for none; of several the one whose spelling the schema prefers.
func (sh *shape) findLabel(header []string) int {
	wanted := sh.schema.Label
	if sh.label != "" {
		wanted = []string{sh.label}
	}
	for _, w := range wanted {
		same := func(h string) bool { return feature.Normalise(h) == feature.Normalise(w) }
		if i := slices.IndexFunc(header, same); i >= 0 {
			return i
		}
	}
	return -1
}

// put stores a field in the row's vector. It reports false for text that is not a value of the column.
func (c *cell) put(row []float32, field []byte) bool {
	switch c.op {
	case opNumber:
		v, ok := ParseNumber(field)
		row[c.out] = v
		return ok
	case opCode:
		row[c.out] = c.category(field)
	case opIndicator:
		c.indicate(row, c.category(field))
	}
	return true
}

// category is the index of a field's category, -1 when it is not known and NaN when it is missing. Codes may be written
// as numbers: 6.0 for 6.
func (c *cell) category(field []byte) float32 {
	if k, ok := c.codes[string(field)]; ok {
		return float32(k)
	}
	field = bytes.TrimSpace(field)
	if k, ok := c.codes[string(field)]; ok {
		return float32(k)
	}
	if isMissing(field) {
		return missing
	}
	if v, ok := ParseNumber(field); ok && v == float32(int32(v)) {
		if k, ok := c.codes[strconv.Itoa(int(v))]; ok {
			return float32(k)
		}
	}
	return -1
}

// indicate puts a category one-hot.
func (c *cell) indicate(row []float32, category float32) {
	if category != category {
		c.spread(row, missing)
		return
	}
	c.spread(row, 0)
	if category >= 0 && c.hot[int(category)] >= 0 {
		row[c.hot[int(category)]] = 1
	}
}

// spread puts one value into the places of all categories.
func (c *cell) spread(row []float32, v float32) {
	for _, place := range c.hot {
		if place >= 0 {
			row[place] = v
		}
	}
}

// refuse is the error for text that put does not take.
func (c *cell) refuse(field []byte) error {
	const most = 40
	shown, cut := field, ""
	if len(shown) > most {
		shown, cut = shown[:most], "…"
	}
	return fmt.Errorf("column %s: %w: %q%s is not a number", c.name, ErrValue, shown, cut)
}
