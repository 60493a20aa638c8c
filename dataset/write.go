package dataset

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"mlids/feature"
)

// WriteCSV writes a table as CSV with a header in the spelling of the schema's own tool. What a reader of this package
// reads back is the same table; weights are not written.
func WriteCSV(w io.Writer, t *Table) error {
	out := bufio.NewWriterSize(w, 1<<16)
	fields := t.fields()
	var line []byte
	for _, f := range fields {
		line = append(appendCSV(line, f.header), ',')
	}
	for row := -1; row < t.rows; row++ {
		if row >= 0 {
			line = line[:0]
			for _, f := range fields {
				line = append(f.appendCSV(line, t, row), ',')
			}
		}
		if len(line) > 0 {
			line[len(line)-1] = '\n'
		}
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// WriteSplit writes a table as split JSON without index, with missing values as null.
func WriteSplit(w io.Writer, t *Table) error {
	out := bufio.NewWriterSize(w, 1<<16)
	fields := t.fields()
	text := []byte(`{"columns":[`)
	for i, f := range fields {
		text = comma(text, i)
		text = appendJSON(text, f.header)
	}
	text = append(text, `],"data":[`...)
	for row := range t.rows {
		text = append(comma(text, row), '[')
		for i, f := range fields {
			text = f.appendJSON(comma(text, i), t, row)
		}
		text = append(text, ']')
		if _, err := out.Write(text); err != nil {
			return fmt.Errorf("writing JSON: %w", err)
		}
		text = text[:0]
	}
	text = append(text, "]}\n"...)
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// comma separates all but the first element.
func comma(text []byte, i int) []byte {
	if i > 0 {
		return append(text, ',')
	}
	return text
}

// field is a column to write: a column of the schema, or the label.
type field struct {
	header string
	column int // -1 for the label
	kind   feature.Kind
}

// fields are what a table has to write: columns in schema order, then the label.
func (t *Table) fields() []field {
	var fields []field
	for i, c := range t.Schema.Columns {
		if t.Columns[i] != nil || t.Text[i] != nil {
			header := c.Header
			if header == "" {
				header = c.Name
			}
			fields = append(fields, field{header, i, c.Kind})
		}
	}
	if t.Label != nil {
		fields = append(fields, field{t.Schema.Label[0], -1, feature.Text})
	}
	return fields
}

// text is a field as text; ok is false for numbers.
func (f field) text(t *Table, row int) (s string, ok bool) {
	switch {
	case f.column < 0:
		return t.Labels[t.Label[row]], true
	case t.Text[f.column] != nil:
		return t.Text[f.column][row], true
	case f.kind != feature.Category:
		return "", false
	}
	switch v := t.Columns[f.column][row]; {
	case v != v:
		return "", true
	case v < 0:
		return unseen, true
	default:
		return t.Schema.Columns[f.column].Categories[int(v)], true
	}
}

// unseen is written for a category that the schema does not have, when its text was not kept.
const unseen = "unseen"

func (f field) appendCSV(line []byte, t *Table, row int) []byte {
	if s, ok := f.text(t, row); ok {
		return appendCSV(line, s)
	}
	if v := t.Columns[f.column][row]; v == v {
		return AppendNumber(line, v)
	}
	return line
}

func (f field) appendJSON(text []byte, t *Table, row int) []byte {
	s, ok := f.text(t, row)
	switch {
	case ok && s == "" && f.column >= 0:
		return append(text, "null"...)
	case ok:
		return appendJSON(text, s)
	}
	v := t.Columns[f.column][row]
	if v != v {
		return append(text, "null"...)
	}
	return AppendNumber(text, v)
}

// appendCSV quotes text where CSV needs it.
func appendCSV(line []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(line, s...)
	}
	return append(append(append(line, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}

// appendJSON quotes text; bytes that are not UTF-8 become replacement characters.
func appendJSON(text []byte, s string) []byte {
	text, _ = jsontext.AppendQuote(text, strings.ToValidUTF8(s, "\uFFFD")) // fails for invalid UTF-8 only
	return text
}

// AppendNumber appends the shortest text that ParseNumber reads back as v, which is finite.
func AppendNumber(text []byte, v float32) []byte {
	if i := int32(v); float32(i) == v && -1<<24 < i && i < 1<<24 {
		return strconv.AppendInt(text, int64(i), 10)
	}
	n := len(text)
	format := byte('f')
	if a := math.Abs(float64(v)); a != 0 && (a < 1e-6 || a >= 1e15) {
		format = 'e'
	}
	text = strconv.AppendFloat(text, float64(v), format, -1, 32)
	if back, ok := ParseNumber(text[n:]); ok && (back == v || v != v) {
		return text
	}
	return strconv.AppendFloat(text[:n], float64(v), 'e', -1, 64)
}
