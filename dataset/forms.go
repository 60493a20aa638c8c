package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Form is how a JSON document holds the rows of a table.
type Form uint8

// The forms.
const (
	FormSplit   Form = iota // {"columns":[…],"data":[[…],…]}, as SplitDecoder reads it
	FormRecords             // [{column: value, …}, …], as RecordDecoder reads it
	FormRows                // [[value, …], …], without names
)

// Unwrapped is what Unwrap found.
type Unwrapped struct {
	Rows    []byte // the part of the body with the rows: all of it under FormSplit
	Form    Form
	Wrapped bool // in an object of MLflow 2 or TensorFlow Serving
}

var errUnwrapped = errors.New("not wrapped")

// Unwrap finds the rows in a document of the forms that scoring servers take: split JSON, bare or in "dataframe_split", an
// array of records or rows, bare or in "dataframe_records", "instances" or "inputs". It reads no further than it must.
func Unwrap(body []byte) (u Unwrapped, err error) {
	w := window{buf: body, keep: -1}
	if err := w.start(); err != nil {
		return u, w.at(err)
	}
	if c, _ := w.peek(); c == '[' {
		return rowsOf(body[w.pos:], false), nil
	}
	err = w.object(func(key string) error {
		switch key {
		case "dataframe_records", "instances", "inputs":
			if u.Rows != nil {
				return fmt.Errorf("%w: %q beside other rows", ErrSyntax, key)
			}
			from := skipSpace(body, w.pos)
			if from < len(body) && body[from] != '[' {
				return fmt.Errorf("%w: %q is %s; want an array of rows", ErrSyntax, key, glimpse(body[from:]))
			}
			if err := w.try(func(text []byte, i int) (int, error) { return skipValue(text, i, 0) }); err != nil {
				return err
			}
			u = rowsOf(body[from:w.pos], true)
			return nil
		case "params", "signature_name":
			return w.try(func(text []byte, i int) (int, error) { return skipValue(text, i, 0) })
		}
		u.Wrapped = key == "dataframe_split"
		return errUnwrapped
	})
	if errors.Is(err, errUnwrapped) || err == nil && u.Rows == nil {
		return Unwrapped{Rows: body, Form: FormSplit, Wrapped: u.Wrapped}, nil // SplitDecoder says what is wrong with it
	}
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		return Unwrapped{}, w.at(err)
	}
	return u, nil
}

// rowsOf tells records from rows by the first of them.
func rowsOf(array []byte, wrapped bool) Unwrapped {
	u := Unwrapped{Rows: array, Form: FormRecords, Wrapped: wrapped}
	if i := skipSpace(array, 1); i < len(array) && array[i] == '[' {
		u.Form = FormRows
	}
	return u
}

// AppendNamed makes split JSON of rows without names.
func AppendNamed(dst, rows []byte, names []string) ([]byte, error) {
	dst, err := appendNames(dst, names)
	if err != nil {
		return dst, err
	}
	return append(append(dst, rows...), '}'), nil
}

// appendNames starts a split document; its data is to follow.
func appendNames(dst []byte, names []string) (_ []byte, err error) {
	dst = append(dst, `{"columns":[`...)
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = jsontext.AppendQuote(dst, name); err != nil {
			return dst, fmt.Errorf("%w: name of column %d: %w", ErrSyntax, i+1, err)
		}
	}
	return append(dst, `],"data":`...), nil
}

// AppendCSV makes split JSON of CSV text. Of text without header, names gives the names of so many fields.
func AppendCSV(dst, text []byte, names func(fields int) ([]string, error), l Limits) ([]byte, error) {
	l = l.orDefault()
	in := newRecords(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF"))), l.Record)
	fields, line, err := in.next()
	if errors.Is(err, io.EOF) {
		return dst, fmt.Errorf("%w: no rows, not even a header", ErrSyntax)
	}
	if err != nil {
		return dst, fmt.Errorf("line %d: %w", line, err)
	}
	width := len(fields)
	if width > l.Columns {
		return dst, fmt.Errorf("%w: more than %d columns", ErrLimit, l.Columns)
	}
	header := make([]string, width)
	headed := isHeader(fields)
	for i, f := range fields {
		header[i] = string(bytes.TrimSpace(f))
	}
	if !headed {
		if header, err = names(width); err != nil {
			return dst, err
		}
	}
	if dst, err = appendNames(dst, header); err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for n := 0; ; {
		if !headed {
			if n++; n > l.Rows {
				return dst, fmt.Errorf("%w: more than %d rows", ErrLimit, l.Rows)
			}
			if dst, err = appendFields(dst, fields, width, n); err != nil {
				return dst, fmt.Errorf("line %d: %w", line, err)
			}
		}
		headed = false
		if fields, line, err = in.next(); errors.Is(err, io.EOF) {
			return append(dst, ']', '}'), nil
		}
		if err != nil {
			return dst, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// appendFields writes row n: numbers as they are, anything else as text.
func appendFields(dst []byte, fields [][]byte, width, n int) (_ []byte, err error) {
	if len(fields) != width {
		return dst, fmt.Errorf("%w: %d fields; want %d", ErrSyntax, len(fields), width)
	}
	if n > 1 {
		dst = append(dst, ',')
	}
	dst = append(dst, '[')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		f = bytes.TrimSpace(f)
		if v := jsontext.Value(f); v.Kind() == '0' && v.IsValid() {
			dst = append(dst, f...)
		} else if dst, err = jsontext.AppendQuote(dst, f); err != nil {
			return dst, fmt.Errorf("%w: field %d: %w", ErrSyntax, i+1, err)
		}
	}
	return append(dst, ']'), nil
}
