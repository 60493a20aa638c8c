package notify

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
)

// Bodies are spliced from the text that a client sent, which a decoder of package dataset has accepted: its columns, its
// spelling of numbers. Only words that Python writes and JSON has not (NaN, Infinity) become null.

// ErrRow is returned for text that is no row.
var ErrRow = errors.New("no row of JSON")

// AppendSplit appends the body for one row of a split document: its array of columns and the row's array of values.
func AppendSplit(dst, columns, row []byte, attack bool) ([]byte, error) {
	columns, okColumns := inside(columns, '[', ']')
	row, okRow := inside(row, '[', ']')
	if !okColumns || !okRow {
		return dst, fmt.Errorf("%w: want arrays of columns and of values", ErrRow)
	}
	dst = append(dst, `{"columns":[`...)
	dst = appendCells(dst, columns)
	return finishSplit(dst, row, attack), nil
}

// AppendRecord appends the body for a record, an object of column name → value without nested values.
func AppendRecord(dst, record []byte, attack bool) ([]byte, error) {
	record, ok := inside(record, '{', '}')
	if !ok {
		return dst, fmt.Errorf("%w: want an object", ErrRow)
	}
	dst = append(dst, `{"columns":[`...)
	var values []byte
	for more := len(record) > 0; more; {
		var key, value []byte
		if key, record, more = cut(record, ':'); !more {
			return dst, fmt.Errorf("%w: a name without value", ErrRow)
		}
		value, record, more = cut(record, ',')
		dst = append(append(dst, bytes.TrimSpace(key)...), ',')
		values = append(append(values, bytes.TrimSpace(value)...), ',')
	}
	values = bytes.TrimSuffix(values, []byte{','})
	return finishSplit(dst, values, attack), nil
}

// finishSplit appends what comes behind the columns of the row.
func finishSplit(dst, row []byte, attack bool) []byte {
	dst = append(dst, `"prediction"],"index":[0],"data":[[`...)
	dst = appendCells(dst, row)
	if attack {
		return append(dst, `1]]}`...)
	}
	return append(dst, `0]]}`...)
}

// appendCells appends the inside of an array, ready for one more cell.
func appendCells(dst, cells []byte) []byte {
	dst = appendJSON(dst, bytes.TrimSpace(cells))
	if n := len(dst); dst[n-1] != '[' && dst[n-1] != ',' {
		dst = append(dst, ',')
	}
	return dst
}

// inside is what stands between the brackets.
func inside(text []byte, open, end byte) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if len(text) < 2 || text[0] != open || text[len(text)-1] != end {
		return nil, false
	}
	return bytes.TrimSpace(text[1 : len(text)-1]), true
}

// cut divides text at the first mark outside of strings.
func cut(text []byte, mark byte) (before, after []byte, found bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
		case mark:
			return text[:i], text[i+1:], true
		}
	}
	return text, nil, false
}

// stringEnd is the place of the quote that ends the string at text[i], or the text's last byte.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i, len(text)-1)
}

// appendJSON appends text with Python's words replaced by null. Text without capitals N and I, the usual case, is copied.
func appendJSON(dst, text []byte) []byte {
	if bytes.IndexByte(text, 'N') < 0 && bytes.IndexByte(text, 'I') < 0 {
		return append(dst, text...)
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case text[i] == '"':
			end := stringEnd(text, i) + 1
			dst = append(dst, text[i:end]...)
			i = end
		case bytes.HasPrefix(rest, []byte("NaN")):
			dst = append(dst, "null"...)
			i += 3
		case bytes.HasPrefix(rest, []byte("-Infinity")):
			dst = append(dst, "null"...)
			i += 9
		case bytes.HasPrefix(rest, []byte("Infinity")):
			dst = append(dst, "null"...)
			i += 8
		default:
			dst = append(dst, text[i])
			i++
		}
	}
	return dst
}

// Cells walks over the values of a row, an array of values that are not nested, as they are spelled.
func Cells(row []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		rest, ok := inside(row, '[', ']')
		for i, more := 0, ok && len(rest) > 0; more; i++ {
			var cell []byte
			cell, rest, more = cut(rest, ',')
			if !yield(i, bytes.TrimSpace(cell)) {
				return
			}
		}
	}
}
