package ofp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// readAhead is how many bytes a Reader takes from its connection at once.
const readAhead = 128 << 10

// Reader cuts a stream of bytes into messages. It belongs to one goroutine.
type Reader struct {
	r    *bufio.Reader
	last int // bytes of the message that the last Next returned
}

// NewReader makes a reader.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, readAhead)} }

// Next gives the next message. The body is valid until the next call. A header that can begin no message, because of its
// version, type or length, is an error, and the stream is useless behind it. The error is io.EOF at the end of a message and
// io.ErrUnexpectedEOF within one.
func (r *Reader) Next() (Header, []byte, error) {
	if _, err := r.r.Discard(r.last); err != nil {
		return Header{}, nil, err
	}
	r.last = 0
	b, err := r.r.Peek(HeaderSize)
	if err != nil {
		return Header{}, nil, ended(err, len(b))
	}
	h, err := ParseHeader(b)
	switch {
	case err != nil:
		return h, nil, err
	case h.Type != TypeHello && h.Version != Version:
		return h, nil, fmt.Errorf("version %d of a message of type %d: %w", h.Version, h.Type, ErrVersion)
	case h.Type > maxType:
		return h, nil, fmt.Errorf("message of type %d: %w", h.Type, ErrMalformed)
	}
	if b, err = r.r.Peek(int(h.Length)); err != nil {
		return h, nil, fmt.Errorf("%v of %d bytes: %w", h.Type, h.Length, ended(err, len(b)))
	}
	r.last = int(h.Length)
	return h, b[HeaderSize:], nil
}

// ended tells an end between messages from one within.
func ended(err error, have int) error {
	if errors.Is(err, io.EOF) && have > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
