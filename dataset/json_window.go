package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// window is JSON text: all of it, or the part of a stream that has been read and not yet consumed.
type window struct {
	buf    []byte
	pos    int       // first byte that is not consumed
	r      io.Reader // nil when buf is everything
	offset int64     // of buf[0] in the stream
	keep   int       // first byte to keep when more is read, if before pos; -1 for none
	max    int       // bytes that buf may grow to
}

// more reads on. It returns errShort at the end of the stream.
func (w *window) more() error {
	if w.r == nil {
		return errShort
	}
	from := w.pos
	if w.keep >= 0 {
		from = w.keep
		w.keep = 0
	}
	w.buf = w.buf[:copy(w.buf, w.buf[from:])]
	w.pos -= from
	w.offset += int64(from)
	if len(w.buf) == cap(w.buf) {
		if len(w.buf) >= w.max {
			return fmt.Errorf("%w: more than %d bytes in one piece", ErrLimit, w.max)
		}
		w.buf = append(make([]byte, 0, min(max(2*cap(w.buf), 1<<16), w.max)), w.buf...)
	}
	n, err := w.r.Read(w.buf[len(w.buf):cap(w.buf)])
	w.buf = w.buf[:len(w.buf)+n]
	switch {
	case n > 0 || err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return errShort
	}
	return malformed(err)
}

// try runs a scanner over the text at pos, again with more text as long as it is cut off, and consumes what was scanned.
func (w *window) try(scan func(text []byte, i int) (next int, err error)) error {
	for {
		next, err := scan(w.buf, w.pos)
		if err == nil {
			w.pos = next
			return nil
		}
		if errors.Is(err, errShort) {
			if err = w.more(); err == nil {
				continue
			}
		} else {
			w.pos = max(next, w.pos)
		}
		return err
	}
}

// peek is the next byte that is not white space; 0 at the end.
func (w *window) peek() (byte, error) {
	for {
		w.pos = skipSpace(w.buf, w.pos)
		if w.pos < len(w.buf) {
			return w.buf[w.pos], nil
		}
		if err := w.more(); errors.Is(err, errShort) {
			return 0, nil
		} else if err != nil {
			return 0, err
		}
	}
}

// need skips white space and wants something behind it.
func (w *window) need() error {
	if w.empty() {
		return errShort
	}
	_, err := w.peek()
	return err
}

// open consumes an opening bracket. It reports false when its closing one follows, and consumes that too.
func (w *window) open(bracket byte) (bool, error) {
	switch c, err := w.peek(); {
	case err != nil:
		return false, err
	case c == 0:
		return false, errShort
	case c != bracket:
		return false, fmt.Errorf("%w: unexpected %s; want %c", ErrSyntax, glimpse(w.buf[w.pos:]), bracket)
	}
	w.pos++
	c, err := w.peek()
	if err == nil && c == bracket+2 {
		w.pos++
		return false, nil
	}
	return true, err
}

// array consumes an array; each consumes one element.
func (w *window) array(each func(n int) error) (n int, err error) {
	more, err := w.open('[')
	for ; more && err == nil; n++ {
		if err = w.need(); err != nil {
			return n, err
		}
		if err = each(n); err != nil {
			return n, err
		}
		more, err = w.next(']')
	}
	return n, err
}

// object consumes an object; each consumes the value of one key. No key may come twice.
func (w *window) object(each func(key string) error) error {
	seen := map[string]bool{}
	more, err := w.open('{')
	for more && err == nil {
		var key string
		err = w.try(func(text []byte, i int) (int, error) {
			k, next, err := scanKey(text, i)
			key = string(k)
			return next, err
		})
		if err != nil {
			return err
		}
		if seen[key] || len(seen) >= maxKeys {
			return fmt.Errorf("%w: %q is given twice, or there are more than %d names", ErrSyntax, key, maxKeys)
		}
		seen[key] = true
		if err = each(key); err != nil {
			return err
		}
		more, err = w.next('}')
	}
	return err
}

// maxKeys is how many keys the objects around the rows may have.
const maxKeys = 16

// next consumes the comma behind an element, or the closing bracket.
func (w *window) next(end byte) (more bool, err error) {
	err = w.try(func(text []byte, i int) (next int, err error) {
		next, more, err = scanNext(text, i, end)
		return next, err
	})
	return more, err
}

// finish wants nothing but white space up to the end.
func (w *window) finish() error {
	c, err := w.peek()
	if err == nil && c != 0 || w.pos < len(w.buf) {
		return fmt.Errorf("%w: %s behind the end of the document", ErrSyntax, glimpse(w.buf[w.pos:]))
	}
	return err
}

// start skips a byte order mark.
func (w *window) start() error {
	if _, err := w.peek(); err != nil {
		return err
	}
	for len(w.buf) < 3 && w.more() == nil {
		continue
	}
	if bytes.HasPrefix(w.buf[w.pos:], []byte("\uFEFF")) {
		w.pos += 3
	}
	return nil
}

// empty reports whether no text is left.
func (w *window) empty() bool {
	c, err := w.peek()
	return c == 0 && err == nil && w.pos == len(w.buf)
}

// at completes an error with its place, and makes the end of the text a syntax error.
func (w *window) at(err error) error {
	if errors.Is(err, errShort) {
		return fmt.Errorf("%w: %w at byte %d", ErrSyntax, errShort, w.offset+int64(len(w.buf)))
	}
	if errors.Is(err, ErrSyntax) {
		return fmt.Errorf("%w (at byte %d)", err, w.offset+int64(w.pos))
	}
	return err
}
