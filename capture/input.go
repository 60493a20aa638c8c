package capture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// followPeriod is how often a file that is being written is looked at for more.
const followPeriod = 100 * time.Millisecond

// maxWindow bounds the memory that a zstd stream may ask for: the window of zstd --long, in bytes.
const maxWindow = 128 << 20

// packedBlock is how much of a gzip file is read at once.
const packedBlock = 128 << 10

// input reads a file, a pipe or a growing file, and waits no longer than its context allows.
type input struct {
	r      io.Reader
	ctx    context.Context // of the Next call that reads
	follow bool
	waiter *waiter // nil for what never blocks
	done   atomic.Int64
}

// Read reads what is there. At the end of a followed file it waits until there is more.
func (in *input) Read(p []byte) (int, error) {
	for {
		if err := in.ready(); err != nil {
			return 0, err
		}
		n, err := in.r.Read(p)
		in.done.Add(int64(n))
		if n > 0 || !errors.Is(err, io.EOF) || !in.follow {
			return n, err
		}
		if err := sleep(in.ctx, followPeriod); err != nil {
			return 0, err
		}
	}
}

// ready waits for a pipe to have bytes, so that the read behind it does not block.
func (in *input) ready() error {
	if err := in.ctx.Err(); err != nil || in.waiter == nil {
		return err
	}
	_, err := in.waiter.wait(in.ctx, -1)
	return err
}

// sleep waits for d, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// openInput opens path, "-" being standard input.
func openInput(path string, follow bool) (*input, io.Closer, int64, error) {
	if path == "-" {
		w, err := newWaiter(int(os.Stdin.Fd()))
		if err != nil {
			return nil, nil, 0, fmt.Errorf("standard input: %w", err)
		}
		return &input{r: os.Stdin, waiter: w}, w, 0, nil
	}
	f, err := os.Open(path) //nolint:gosec // the path is what the user wants read
	if err != nil {
		return nil, nil, 0, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = fmt.Errorf("%s: is a directory, not a capture: %w", path, ErrFormat)
	}
	if err != nil {
		return nil, nil, 0, errors.Join(err, f.Close())
	}
	return &input{r: f, follow: follow}, f, st.Size(), nil
}

// decompressed is the stream behind the magic number head: in itself, or what a gzip or zstd stream holds.
func decompressed(in io.Reader, head []byte) (io.Reader, func(), error) {
	switch {
	case len(head) >= 2 && head[0] == 0x1f && head[1] == 0x8b: // RFC 1952
		z, err := gzip.NewReader(bufio.NewReaderSize(in, packedBlock))
		return unpacker{z}, func() {}, err
	case len(head) >= 4 && string(head[:4]) == "\x28\xb5\x2f\xfd": // RFC 8878
		// One goroutine, the caller's: reading waits for the context of the Next call that wants the bytes.
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow),
			zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, err
		}
		return unpacker{z}, z.Close, nil
	default:
		return in, func() {}, nil
	}
}

// unpacker calls the errors of a decompressor by their kind: broken data, unless the stream ended or waiting for it did.
type unpacker struct{ io.Reader }

func (u unpacker) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrClosed):
		return n, err
	}
	return n, fmt.Errorf("decompressing: %w: %w", err, ErrCorrupt)
}
