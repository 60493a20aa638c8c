package capture

import (
	"context"
	"io"
)

const (
	aheadBytes  = 256 << 10 // in a block: it stays in the caches while it goes from one core to the other
	aheadBlocks = 4
)

// ahead reads a stream on a goroutine of its own, a few blocks before they are wanted.
type ahead struct {
	full   chan aheadBlock
	free   chan []byte
	cancel context.CancelFunc
	done   chan struct{}
}

// aheadBlock holds n bytes behind room for those that are left of the block before.
type aheadBlock struct {
	buf []byte
	n   int
	err error
}

// aheadRoom is in front of a block's bytes: what peek may have to join with them is shorter.
const aheadRoom = blockSize

// newAhead begins to read r, which reads in.
func newAhead(in *input, r io.Reader) *ahead {
	ctx, cancel := context.WithCancel(context.Background())
	a := &ahead{
		full: make(chan aheadBlock, aheadBlocks), free: make(chan []byte, aheadBlocks),
		cancel: cancel, done: make(chan struct{}),
	}
	for range aheadBlocks {
		a.free <- make([]byte, aheadRoom+aheadBytes)
	}
	in.ctx = ctx
	go a.read(ctx, r, in.follow || in.waiter != nil)
	return a
}

// read fills blocks, or hands over what there is at once, until the stream ends or nobody wants it any longer.
func (a *ahead) read(ctx context.Context, r io.Reader, atOnce bool) {
	defer close(a.done)
	defer close(a.full)
	for err := error(nil); err == nil; {
		var b aheadBlock
		select {
		case b.buf = <-a.free:
		case <-ctx.Done():
			return
		}
		for into := b.buf[aheadRoom:]; b.n < len(into) && b.err == nil; {
			var n int
			n, b.err = readSome(r, into[b.n:])
			if b.n += n; atOnce {
				break
			}
		}
		err = b.err
		a.full <- b // has room for all blocks
	}
}

// next waits for the next block. After the one with an error there is none.
func (a *ahead) next(ctx context.Context) (aheadBlock, error) {
	select {
	case b := <-a.full:
		return b, nil
	case <-ctx.Done():
		return aheadBlock{}, ctx.Err()
	}
}

// give takes back a block's buffer.
func (a *ahead) give(buf []byte) {
	if len(buf) == aheadRoom+aheadBytes {
		a.free <- buf
	}
}

// stop ends the goroutine.
func (a *ahead) stop() {
	a.cancel()
	<-a.done
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
