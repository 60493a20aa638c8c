package cicflow

import (
	"encoding/json"
	"io"
	"math"
	"strings"

	"mlids/feature"
	"mlids/flow"
)

// Labels that the tools print for flows that nobody has labelled.
const (
	unlabelledV4   = "NeedManualLabel"
	unlabelled2018 = "No Label"
)

// flushAt is how many bytes a writer gathers before it writes them.
const flushAt = 1 << 16

// Writer prints rows as CSV or JSON lines. Close writes what it still holds; it does not close what it writes to.
type Writer struct {
	w     io.Writer
	buf   []byte
	row   func(*Writer, []byte, *Row) []byte
	what  []textColumn // by column
	keys  []string     // by column, its name as a key of JSON: "name":
	y2018 bool
	clock clock
	print printer
}

// textColumn says what a column that is no number holds.
type textColumn uint8

const (
	number textColumn = iota
	flowID
	srcIP
	dstIP
	timestamp
)

var textColumns = map[string]textColumn{"flow_id": flowID, "src_ip": srcIP, "dst_ip": dstIP, "timestamp": timestamp}

// NewCSV makes a writer of CSV with the dialect's headers (RFC 4180, lines end with LF). Times are in UTC. It writes the
// header at once.
func NewCSV(w io.Writer, s *feature.Schema) *Writer {
	c := newWriter(w, s)
	c.row = (*Writer).csv
	for _, col := range s.Columns {
		c.buf = append(append(c.buf, col.Header...), ',')
	}
	c.buf = append(c.buf, "Label\n"...)
	return c
}

// NewJSON makes a writer of JSON lines: one object per flow with the schema's column names as keys, and besides label
// (when there is one), end_reason and community_id. What is not a finite number is null.
func NewJSON(w io.Writer, s *feature.Schema) *Writer {
	c := newWriter(w, s)
	c.row = (*Writer).json
	return c
}

// NewPrinter makes a writer that writes nothing by itself; AppendJSON is for it.
func NewPrinter(s *feature.Schema) *Writer { return newWriter(nil, s) }

// AppendJSON appends a row as NewJSON's writer prints it, without a line end.
func (c *Writer) AppendJSON(dst []byte, r *Row) []byte {
	dst = c.json(dst, r)
	return dst[:len(dst)-1]
}

func newWriter(w io.Writer, s *feature.Schema) *Writer {
	c := &Writer{w: w, y2018: s.Version == "2018"}
	for _, col := range s.Columns {
		c.what = append(c.what, textColumns[col.Name])
		c.keys = append(c.keys, `"`+col.Name+`":`)
	}
	if c.y2018 {
		c.clock = britain
	}
	return c
}

// Write prints one row.
func (c *Writer) Write(r *Row) error {
	c.buf = c.row(c, c.buf, r)
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

// csv appends a row.
func (c *Writer) csv(b []byte, r *Row) []byte {
	values := r.Values[:len(c.what)]
	for i, what := range c.what {
		switch {
		case what != number:
			b = append(c.text(b, r, what), ',')
		case values[i] == 0: // most of them are
			b = append(b, '0', ',')
		default:
			b = append(appendNumber(b, values[i]), ',')
		}
	}
	return append(appendField(b, c.label(r)), '\n')
}

func (c *Writer) text(b []byte, r *Row, what textColumn) []byte {
	switch what {
	case flowID:
		k := r.id(c.y2018)
		return appendID(b, &k)
	case srcIP:
		return appendAddr(b, &r.Key.Src)
	case dstIP:
		return appendAddr(b, &r.Key.Dst)
	default:
		return c.print.time(b, r.First, c.clock)
	}
}

func (c *Writer) label(r *Row) string {
	switch {
	case r.Label != "":
		return r.Label
	case c.y2018:
		return unlabelled2018
	}
	return unlabelledV4
}

// appendField quotes a field where CSV needs it.
func appendField(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// json appends a row as an object.
func (c *Writer) json(b []byte, r *Row) []byte {
	b = append(b, '{')
	for i, what := range c.what {
		b = append(b, c.keys[i]...)
		switch v := r.Values[i]; {
		case what != number:
			b = append(c.text(append(b, '"'), r, what), '"')
		case math.IsNaN(v) || math.IsInf(v, 0):
			b = append(b, "null"...)
		default:
			b = appendNumber(b, v)
		}
		b = append(b, ',')
	}
	if r.Label != "" {
		quoted, _ := json.Marshal(r.Label) // a string has no way to fail
		b = append(append(append(b, `"label":`...), quoted...), ',')
	}
	b = append(append(b, `"end_reason":"`...), r.Reason.String()...)
	b = append(append(b, `","community_id":"`...), flow.CommunityID(r.Wire, 0)...)
	return append(b, "\"}\n"...)
}
