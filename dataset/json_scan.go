package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep skipped JSON may be nested.
const maxDepth = 32

// errShort says that the text ends inside a value.
var errShort = errors.New("unexpected end of JSON")

// skipSpace is the position of the next byte that is not white space.
func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// scanString reads the string at text[i], a quote. The content is without escapes; it is part of text when it has none.
func scanString(text []byte, i int) (content []byte, next int, err error) {
	n := bytes.IndexByte(text[i+1:], '"')
	if n < 0 {
		return nil, i, errShort
	}
	content, next = text[i+1:i+1+n], i+n+2
	if bytes.IndexByte(content, '\\') >= 0 {
		return scanEscaped(text, i)
	}
	for _, c := range content {
		if c < ' ' {
			return nil, i, fmt.Errorf("%w: control character %q in a string", ErrSyntax, c)
		}
	}
	if !utf8.Valid(content) {
		return nil, i, fmt.Errorf("%w: a string is not UTF-8", ErrSyntax)
	}
	return content, next, nil
}

func scanEscaped(text []byte, i int) (content []byte, next int, err error) {
	for next = i + 1; next < len(text); next++ {
		switch text[next] {
		case '\\':
			next++
		case '"':
			next++
			if content, err = jsontext.AppendUnquote(nil, text[i:next]); err != nil {
				return nil, i, fmt.Errorf("%w: string: %w", ErrSyntax, err)
			}
			return content, next, nil
		}
	}
	return nil, i, errShort
}

// words are the bare words of JSON, and those that Python adds.
var words = [...]string{"null", "true", "false", "NaN", "Infinity", "-Infinity"}

// scanScalar reads the string, number or word at text[i]; content is its text without quotes. A number or word that
// touches the end of the text counts as cut off.
func scanScalar(text []byte, i int) (content []byte, next int, err error) {
	if i >= len(text) {
		return nil, i, errShort
	}
	switch c := text[i]; {
	case c == '"':
		return scanString(text, i)
	case c == '[' || c == '{':
		return nil, i, fmt.Errorf("%w: a nested value; want a number, string, true, false or null", ErrValue)
	case c-'0' <= 9, c == '-' && i+1 < len(text) && text[i+1]-'0' <= 9:
		_, next, ok := scanJSONNumber(text, i)
		switch {
		case next >= len(text):
			return nil, i, errShort
		case !ok:
			return nil, i, fmt.Errorf("%w: %q is not a number of JSON", ErrSyntax, text[i:next+1])
		}
		return text[i:next], next, nil
	}
	for _, w := range words {
		if bytes.HasPrefix(text[i:], []byte(w)) {
			return text[i : i+len(w)], i + len(w), nil
		}
		if bytes.HasPrefix([]byte(w), text[i:]) {
			return nil, i, errShort
		}
	}
	return nil, i, fmt.Errorf("%w: unexpected %s; want a value", ErrSyntax, glimpse(text[i:]))
}

// scanJSONNumber is scanNumber for JSON, which has no leading zeros.
func scanJSONNumber(text []byte, i int) (v float32, next int, ok bool) {
	v, next, ok = scanNumber(text, i)
	if text[i] == '-' {
		i++
	}
	if text[i] == '0' && i+1 < next && text[i+1]-'0' <= 9 {
		return 0, i + 1, false
	}
	return v, next, ok
}

// skipValue finds the end of any value.
func skipValue(text []byte, i, depth int) (next int, err error) {
	i = skipSpace(text, i)
	if i >= len(text) {
		return i, errShort
	}
	if text[i] != '[' && text[i] != '{' {
		_, next, err = scanScalar(text, i)
		return next, err
	}
	if depth >= maxDepth {
		return i, fmt.Errorf("%w: nested more than %d deep", ErrSyntax, maxDepth)
	}
	end := text[i] + 2 // ']' and '}' are two behind their opening brackets
	if i = skipSpace(text, i+1); i < len(text) && text[i] == end {
		return i + 1, nil
	}
	for {
		if end == '}' {
			if _, i, err = scanKey(text, i); err != nil {
				return i, err
			}
		}
		if i, err = skipValue(text, i, depth+1); err != nil {
			return i, err
		}
		var more bool
		if i, more, err = scanNext(text, i, end); err != nil || !more {
			return i, err
		}
	}
}

// scanKey reads an object's key and the colon behind it.
func scanKey(text []byte, i int) (key []byte, next int, err error) {
	if i = skipSpace(text, i); i >= len(text) {
		return nil, i, errShort
	}
	if text[i] != '"' {
		return nil, i, fmt.Errorf("%w: unexpected %s; want a name in quotes", ErrSyntax, glimpse(text[i:]))
	}
	if key, i, err = scanString(text, i); err != nil {
		return nil, i, err
	}
	if i = skipSpace(text, i); i >= len(text) {
		return nil, i, errShort
	}
	if text[i] != ':' {
		return nil, i, fmt.Errorf("%w: unexpected %s behind %q; want a colon", ErrSyntax, glimpse(text[i:]), key)
	}
	return key, i + 1, nil
}

// scanNext reads the comma behind an element, or the end of its array or object.
func scanNext(text []byte, i int, end byte) (next int, more bool, err error) {
	if i = skipSpace(text, i); i >= len(text) {
		return i, false, errShort
	}
	switch text[i] {
	case ',':
		return i + 1, true, nil
	case end:
		return i + 1, false, nil
	}
	return i, false, fmt.Errorf("%w: unexpected %s; want a comma or %c", ErrSyntax, glimpse(text[i:]), end)
}

// glimpse quotes the beginning of text for an error.
func glimpse(text []byte) string {
	if len(text) == 0 {
		return "end"
	}
	const most = 12
	return fmt.Sprintf("%q", text[:min(len(text), most)])
}
