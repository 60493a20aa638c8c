package influx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mlids/dataset"
	"mlids/feature"
)

// lines writes the rows of a table in line protocol.
type lines struct {
	heads   [][]byte // measurement and tags, by label
	label   []int32  // nil: heads has one element
	columns []column
	number  bool // rows get the field that numbers them
	start   int64
	counted string // a field that every row has
}

// column is one field of the points.
type column struct {
	key    []byte // name and =
	values []float32
	texts  []string // in place of values
	quoted [][]byte // texts of a category's values; the last is for one that the schema lacks
}

// newLines prepares a table for writing.
func newLines(t *dataset.Table, measurement, label string, start int64) (*lines, error) {
	l := &lines{label: t.Label, start: start}
	if err := l.tag(t, measurement, label); err != nil {
		return nil, err
	}
	for i, c := range t.Schema.Columns {
		column := column{key: []byte(escaped(c.Name) + "=")}
		switch {
		case t.Text[i] != nil:
			column.texts = t.Text[i]
		case t.Columns[i] == nil:
			continue
		default:
			column.values = t.Columns[i]
			column.categories(c)
		}
		if l.counted == "" && column.full() {
			l.counted = c.Name
		}
		l.columns = append(l.columns, column)
	}
	if l.number = l.counted == ""; l.number {
		l.counted = rowField
	}
	return l, nil
}

// tag prepares what every line starts with.
func (l *lines) tag(t *dataset.Table, measurement, label string) error {
	head := EscapeMeasurement(measurement)
	if t.Label == nil {
		l.heads = [][]byte{[]byte(head + " ")}
		return nil
	}
	for _, text := range t.Labels {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\\' }) {
			return fmt.Errorf("%w: label %q: InfluxDB has no tags with control characters or backslashes", dataset.ErrLabel, text)
		}
		l.heads = append(l.heads, append(AppendTag([]byte(head), label, text), ' '))
	}
	return nil
}

// labelName is the spelling of the label's tag: attack_type where the schema knows that, as Telegraf's configuration has
// it, or else the schema's own.
func labelName(s *feature.Schema) string {
	const usual = "attack_type"
	if s.IsLabel(usual) || len(s.Label) == 0 {
		return usual
	}
	return s.Label[0]
}

func (c *column) categories(of feature.Column) {
	if of.Kind != feature.Category {
		return
	}
	for _, text := range of.Categories {
		c.quoted = append(c.quoted, appendQuoted(nil, text))
	}
	c.quoted = append(c.quoted, appendQuoted(nil, "unseen"))
}

// full reports whether every row has a value.
func (c *column) full() bool {
	return c.texts != nil || !slices.ContainsFunc(c.values, missing)
}

func missing(v float32) bool { return v != v }

// append appends the line of a row.
func (l *lines) append(dst []byte, row int) []byte {
	head := 0
	if l.label != nil {
		head = int(l.label[row])
	}
	dst = append(dst, l.heads[head]...)
	for i := range l.columns {
		dst = l.columns[i].append(dst, row)
	}
	if l.number {
		dst = append(strconv.AppendInt(append(dst, rowField+"="...), int64(row), 10), "i,"...)
	}
	dst[len(dst)-1] = ' ' // in place of the last comma
	return append(strconv.AppendInt(dst, l.start+int64(row), 10), '\n')
}

// append appends a field and a comma, or nothing for what is missing.
func (c *column) append(dst []byte, row int) []byte {
	if c.texts != nil {
		return append(appendQuoted(append(dst, c.key...), c.texts[row]), ',')
	}
	v := c.values[row]
	if missing(v) {
		return dst
	}
	dst = append(dst, c.key...)
	switch {
	case c.quoted == nil:
		dst = dataset.AppendNumber(dst, v)
	case v < 0:
		dst = append(dst, c.quoted[len(c.quoted)-1]...)
	default:
		dst = append(dst, c.quoted[int(v)]...)
	}
	return append(dst, ',')
}

// escaped is a tag's key or value, or a field's key.
func escaped(text string) string {
	return strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `).Replace(text)
}

// EscapeMeasurement spells a measurement as a line starts with it.
func EscapeMeasurement(name string) string {
	return strings.NewReplacer(",", `\,`, " ", `\ `).Replace(name)
}

// AppendTag appends a tag to the start of a line: ",key=value", or nothing for an empty value. What tags cannot hold,
// control characters and backslashes, becomes an underscore.
func AppendTag(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\\' {
			return '_'
		}
		return r
	}, value)
	return append(append(append(append(dst, ','), escaped(key)...), '='), escaped(value)...)
}

// appendQuoted appends a string field's value.
func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}
