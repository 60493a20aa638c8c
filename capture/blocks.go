package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// How much is read at once: what stays in a core's caches until it has been decoded, unless more is wanted in one piece.
// That is faster than mapping the file.
const (
	usualSize = 128 << 10
	blockSize = 1 << 20 // at most
)

// blocks hands out the bytes of a stream in order, without copying them out of its buffer and without allocating.
type blocks struct {
	in     *input
	r      io.Reader // in, or the decompressor over it
	buf    []byte
	lo, hi int         // the bytes not handed out yet: buf[lo:hi]
	base   int64       // offset in the stream of buf[0]
	err    error       // why no more bytes will come
	kept   chan *block // blocks to be used again; nil where the one buffer always is
	block  *block      // that buf belongs to, if they are kept
}

// keptMost is how many blocks may wait to be used again.
const keptMost = 16

// block is a buffer that what was read from it outlasts: until it is given back.
type block struct {
	buf  []byte
	home chan *block
}

// giveBack lets the block be used again.
func (b *block) giveBack() {
	select {
	case b.home <- b:
	default: // there are enough
	}
}

func newBlocks(in *input, r io.Reader) *blocks {
	return &blocks{in: in, r: r}
}

// offset is where in the (decompressed) stream the next byte stands.
func (b *blocks) offset() int64 { return b.base + int64(b.lo) }

// peek gives the next n bytes, n at most blockSize, without taking them. When the stream ends before, it gives those
// that are left and the reason: io.EOF when there is none, io.ErrUnexpectedEOF when there are some.
func (b *blocks) peek(ctx context.Context, n int) ([]byte, error) {
	if b.hi-b.lo < n {
		if err := b.fill(ctx, n); err != nil {
			return b.buf[b.lo:b.hi], err
		}
	}
	return b.buf[b.lo : b.lo+n], nil
}

// take marks the next n bytes, peeked at before, as read.
func (b *blocks) take(n int) { b.lo += n }

// fill reads until n bytes are there.
func (b *blocks) fill(ctx context.Context, n int) error {
	if b.kept != nil {
		b.turn(n)
	} else {
		b.tidy(n)
	}
	b.in.ctx = ctx
	for b.hi < n && b.err == nil {
		var got int
		got, b.err = readSome(b.r, b.buf[b.hi:])
		b.hi += got
	}
	if b.hi >= n {
		return nil
	}
	return b.ended(ctx)
}

// tidy moves the bytes that are left to the front of the buffer, and sees to it that it has room for n.
func (b *blocks) tidy(n int) {
	from := b.buf[b.lo:b.hi]
	if len(b.buf) < n {
		b.buf = make([]byte, sizeFor(n))
	}
	b.base += int64(b.lo)
	b.hi = copy(b.buf, from)
	b.lo = 0
}

// sizeFor is the size of a buffer that n bytes are wanted from.
func sizeFor(n int) int {
	if n > usualSize {
		return blockSize
	}
	return usualSize
}

// turn goes on to a block with room for n bytes, and puts the bytes that are left in front.
func (b *blocks) turn(n int) {
	var next *block
	select {
	case next = <-b.kept:
	default:
	}
	if next == nil || len(next.buf) < n {
		next = &block{buf: make([]byte, sizeFor(n)), home: b.kept}
	}
	b.base += int64(b.lo)
	b.hi = copy(next.buf, b.buf[b.lo:b.hi])
	b.buf, b.block, b.lo = next.buf, next, 0
}

// keep makes what was peeked at last until its block is given back.
func (b *blocks) keep() {
	if b.kept == nil {
		b.kept = make(chan *block, keptMost)
	}
}

// readSome is r.Read, but gives up on a reader that gives neither bytes nor an error.
func readSome(r io.Reader, p []byte) (int, error) {
	for range 100 {
		if n, err := r.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// ended is the error for a caller that wanted more bytes than the stream had.
func (b *blocks) ended(ctx context.Context) error {
	if errors.Is(b.err, io.EOF) && b.hi > b.lo {
		return io.ErrUnexpectedEOF
	}
	if ctx.Err() != nil && errors.Is(b.err, ctx.Err()) {
		return ctx.Err()
	}
	return b.err
}

// skip takes n bytes, which may be more than the buffer holds.
func (b *blocks) skip(ctx context.Context, n int64) error {
	for n > 0 {
		step := int(min(n, blockSize))
		if _, err := b.peek(ctx, step); err != nil {
			b.take(b.hi - b.lo)
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		b.take(step)
		n -= int64(step)
	}
	return nil
}

// endOf turns the ordinary end of a source into nil.
func endOf(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// short is the error for a stream that ended inside what, which begins at offset at and needs want bytes. Only a stream
// that is at its end was truncated; anything else keeps its own error.
func short(err error, what string, at int64, got, want int) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("offset %d: %s ends after %d of %d bytes: %w", at, what, got, want, ErrTruncated)
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	default:
		return fmt.Errorf("offset %d: %s: %w", at, what, err)
	}
}

// rest is what was read but not handed out.
func (b *blocks) rest() io.Reader { return bytes.NewReader(b.buf[b.lo:b.hi]) }
