package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// records splits CSV text (RFC 4180, LF or CRLF) into records, in a buffer of its own that grows up to one record's limit.
type records struct {
	r      io.Reader
	buf    []byte // buf[pos:] is not consumed yet
	pos    int
	line   int   // of buf[pos], counted from 1
	most   int   // bytes of one record
	err    error // of r; io.EOF at its end
	fields [][]byte
	quoted []byte // fields whose quotes had to be taken out
}

func newRecords(r io.Reader, most int) *records {
	return &records{r: r, buf: make([]byte, 0, min(most, 1<<18)), line: 1, most: most}
}

// next returns the fields of the next record that is not blank, valid until the call after, and the line where it begins.
// It returns io.EOF at the end.
func (c *records) next() (fields [][]byte, line int, err error) {
	for {
		end := bytes.IndexByte(c.buf[c.pos:], '\n')
		if end < 0 && c.err == nil {
			if err := c.fill(); err != nil {
				return nil, c.line, err
			}
			continue
		}
		if end < 0 {
			if len(c.buf) == c.pos {
				return nil, c.line, c.err
			}
			end = len(c.buf) - c.pos
		}
		text := c.buf[c.pos : c.pos+end]
		if bytes.IndexByte(text, '"') >= 0 {
			return c.nextQuoted()
		}
		c.pos = min(c.pos+end+1, len(c.buf))
		c.line++
		if n := len(text); n > 0 && text[n-1] == '\r' {
			text = text[:n-1]
		}
		if len(bytes.TrimSpace(text)) > 0 {
			return c.split(text), c.line - 1, nil
		}
	}
}

// split cuts a line without quotes at its commas.
func (c *records) split(text []byte) [][]byte {
	c.fields = c.fields[:0]
	start := 0
	for i, b := range text {
		if b == ',' {
			c.fields = append(c.fields, text[start:i])
			start = i + 1
		}
	}
	c.fields = append(c.fields, text[start:])
	return c.fields
}

// fill reads more text behind what is not consumed yet.
func (c *records) fill() error {
	if c.pos > 0 {
		c.buf = c.buf[:copy(c.buf, c.buf[c.pos:])]
		c.pos = 0
	}
	if len(c.buf) == cap(c.buf) {
		if len(c.buf) >= c.most {
			return fmt.Errorf("%w: a row of more than %d bytes; is a quote left open?", ErrLimit, c.most)
		}
		c.buf = append(make([]byte, 0, min(2*cap(c.buf), c.most)), c.buf...)
	}
	n, err := c.r.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	c.err = err
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// errPartial says that a record goes on behind the buffer's end.
var errPartial = errors.New("partial record")

// nextQuoted reads a record that has quotes in its first line. Such a record may go over several lines.
func (c *records) nextQuoted() (fields [][]byte, line int, err error) {
	for {
		size, lines, err := c.splitQuoted(c.buf[c.pos:], c.err != nil)
		if err == nil {
			line := c.line
			c.pos += size
			c.line += lines
			return c.fields, line, nil
		}
		if !errors.Is(err, errPartial) {
			return nil, c.line, err
		}
		if err := c.fill(); err != nil {
			return nil, c.line, err
		}
	}
}

// splitQuoted cuts the record at the beginning of text. A quote opens a field only at its start; elsewhere it is text.
func (c *records) splitQuoted(text []byte, last bool) (size, lines int, err error) {
	c.fields, c.quoted = c.fields[:0], c.quoted[:0]
	for i := 0; ; {
		var field []byte
		if i < len(text) && text[i] == '"' {
			field, i, err = c.unquote(text, i+1, last)
			if err != nil {
				return 0, 0, err
			}
		} else {
			n := bytes.IndexAny(text[i:], ",\n")
			if n < 0 {
				n = len(text) - i
			}
			field, i = text[i:i+n], i+n
		}
		switch {
		case i == len(text) && !last:
			return 0, 0, errPartial
		case i < len(text) && text[i] == ',':
			c.fields = append(c.fields, field)
			i++
			continue
		}
		c.fields = append(c.fields, bytes.TrimSuffix(field, []byte("\r")))
		size = min(i+1, len(text))
		return size, max(1, bytes.Count(text[:size], []byte("\n"))), nil
	}
}

// unquote reads the field behind an opening quote and returns the position of the delimiter behind its closing quote.
func (c *records) unquote(text []byte, i int, last bool) (field []byte, next int, err error) {
	start, from, doubled := len(c.quoted), i, false
	for {
		n := bytes.IndexByte(text[i:], '"')
		switch {
		case n < 0 && last:
			return nil, 0, fmt.Errorf("%w: a quoted field is not closed", ErrSyntax)
		case n < 0 || i+n+1 == len(text) && !last:
			return nil, 0, errPartial
		}
		i += n + 1
		if i < len(text) && text[i] == '"' { // a doubled quote is one quote of text
			c.quoted = append(c.quoted, text[from:i]...)
			i++
			from, doubled = i, true
			continue
		}
		field = text[from : i-1]
		if doubled {
			c.quoted = append(c.quoted, field...)
			field = c.quoted[start:len(c.quoted):len(c.quoted)]
		}
		if i < len(text) && text[i] == '\r' {
			i++
		}
		if i < len(text) && text[i] != ',' && text[i] != '\n' {
			return nil, 0, fmt.Errorf("%w: %q behind a closing quote; want a comma or the line's end", ErrSyntax, text[i])
		}
		return field, i, nil
	}
}
