package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// FileConfig says how a capture is read.
type FileConfig struct {
	Follow bool // go on at the end of the file as it grows, until the context ends
	Ahead  bool // let Run read, decompress and decode on a goroutine of its own; not for what is followed, nor for pipes
}

// format reads one kind of capture file. Its errors name the offset.
type format interface {
	next(ctx context.Context, b *blocks, f *Frame) error
}

// File is a Source over a pcap or pcapng file, plain or compressed with gzip or zstd.
type File struct {
	name     string
	b        *blocks
	format   format // nil until the first Next has seen the magic number
	close    func() error
	unzip    func()
	err      error
	size     int64
	mayAhead bool
	packets  int64
	closed   atomic.Bool
}

// Open opens the capture at path, "-" being standard input. What is wrong with its contents, Next says.
func Open(path string, cfg FileConfig) (*File, error) {
	in, closer, size, err := openInput(path, cfg.Follow)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	if path == "-" {
		path = "standard input"
	}
	file := newFile(path, in)
	file.close, file.size, file.mayAhead = closer.Close, size, cfg.Ahead && !cfg.Follow && in.waiter == nil
	return file, nil
}

// NewFile reads a capture from r, which name stands for in errors. Close does not close r.
func NewFile(name string, r io.Reader) *File {
	return newFile(name, &input{r: r})
}

func newFile(name string, in *input) *File {
	return &File{
		name: name, b: newBlocks(in, in),
		close: func() error { return nil }, unzip: func() {},
	}
}

// Next fills f with the next frame of the file, see Source. A file that ends within a packet gives its whole packets
// first and then ErrTruncated.
func (s *File) Next(ctx context.Context, f *Frame) error {
	if s.err != nil {
		return s.err
	}
	if s.format == nil {
		if err := s.begin(ctx); err != nil {
			return s.fail(err)
		}
	}
	if err := s.format.next(ctx, s.b, f); err != nil {
		return s.fail(err)
	}
	f.Unready, f.block = false, s.b.block
	s.packets++
	return nil
}

// ahead makes frames last until their blocks are given back, if they shall, for a file that may be read ahead.
func (s *File) ahead(keep bool) bool {
	if s.mayAhead && keep {
		s.b.keep()
	}
	return s.mayAhead
}

// fail keeps err, with the place where it happened, as the answer to every further Next.
func (s *File) fail(err error) error {
	if s.err = err; !errors.Is(err, io.EOF) {
		s.err = fmt.Errorf("%s: packet %d: %w", s.name, s.packets+1, err)
	}
	return s.err
}

// begin finds out by magic numbers how the file is compressed and what format it has.
func (s *File) begin(ctx context.Context) error {
	head, err := s.b.peek(ctx, 4)
	if err != nil {
		return s.noMagic(err, len(head))
	}
	r, stop, err := decompressed(io.MultiReader(s.b.rest(), s.b.in), head)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("offset 0: the header of the compressed file is cut off: %w", ErrTruncated)
		}
		return fmt.Errorf("offset 0: decompressing: %w: %w", err, ErrCorrupt)
	}
	if _, packed := r.(unpacker); packed {
		kept := s.b.kept
		s.b, s.unzip = newBlocks(s.b.in, r), stop
		s.b.kept = kept
		if head, err = s.b.peek(ctx, 4); err != nil {
			return s.noMagic(err, len(head))
		}
	}
	s.format, err = formatOf(ctx, s.b, binary.LittleEndian.Uint32(head))
	return err
}

// noMagic is the error for a file without even a magic number.
func (s *File) noMagic(err error, got int) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("offset 0: the file is empty: %w", ErrTruncated)
	}
	return short(err, "magic number", 0, got, 4)
}

// formatOf reads what stands in front of the first packet.
func formatOf(ctx context.Context, b *blocks, magic uint32) (format, error) {
	if magic == blockSection {
		return &pcapng{}, nil
	}
	if order, ok := pcapMagics[magic]; ok {
		return newPcap(ctx, b, order)
	}
	return nil, fmt.Errorf("offset 0: magic number %08x: %w", binary.BigEndian.Uint32(
		binary.LittleEndian.AppendUint32(nil, magic)), ErrFormat)
}

// Progress is how many bytes of the file were read and how many it has, 0 when that is not known. It may be called from
// any goroutine.
func (s *File) Progress() (done, size int64) { return s.b.in.done.Load(), s.size }

// Close closes the file.
func (s *File) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.unzip()
	return s.close()
}
