package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// The block types that are read (draft-ietf-opsawg-pcapng, section 4); all others are skipped.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockObsolete  = 2 // the packet block that the enhanced one replaced
	blockSimple    = 3
	blockEnhanced  = 6
)

const (
	blockHead  = 8  // type and length
	blockFrame = 12 // head and the length repeated at the end

	byteOrderMagic = 0x1a2b3c4d
	maxInterfaces  = 1 << 16
)

// pcapng reads the next generation's format.
type pcapng struct {
	big        bool // numbers of this section are big-endian
	interfaces []ngInterface
	last       int64 // time of the packet before: simple packet blocks have none of their own
}

func (g *pcapng) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if g.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (g *pcapng) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if g.big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

// next reads blocks until one holds a packet.
func (g *pcapng) next(ctx context.Context, b *blocks, f *Frame) error {
	for {
		at := b.offset()
		head, err := b.peek(ctx, blockHead)
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return short(err, "block header", at, len(head), blockHead)
		}
		kind := g.u32(head)
		if kind == blockSection {
			if err := g.section(ctx, b); err != nil {
				return err
			}
			continue
		}
		body, err := g.block(ctx, b, kind, g.u32(head[4:]))
		if err != nil {
			return err
		}
		if found, err := g.read(kind, body, f); err != nil {
			return fmt.Errorf("offset %d: %w", at, err)
		} else if found {
			return nil
		}
	}
}

// block takes a block and gives its body, nothing for the kinds that are skipped.
func (g *pcapng) block(ctx context.Context, b *blocks, kind, size uint32) ([]byte, error) {
	at := b.offset()
	if size < blockFrame || size%4 != 0 {
		return nil, fmt.Errorf("offset %d: block of type %d claims %d bytes, expected a multiple of 4 from %d: %w",
			at, kind, size, blockFrame, ErrCorrupt)
	}
	switch kind {
	case blockEnhanced, blockSimple, blockObsolete, blockInterface:
		return g.body(ctx, b, kind, size)
	}
	if err := b.skip(ctx, int64(size)); err != nil {
		return nil, short(err, fmt.Sprintf("block of type %d", kind), at, int(b.offset()-at), int(size))
	}
	return nil, nil
}

// body takes a whole block and gives what stands between its two lengths.
func (g *pcapng) body(ctx context.Context, b *blocks, kind, size uint32) ([]byte, error) {
	at := b.offset()
	if size > blockSize {
		return nil, fmt.Errorf("offset %d: block of type %d claims %d bytes, at most %d are read: %w",
			at, kind, size, blockSize, ErrLength)
	}
	whole, err := b.peek(ctx, int(size))
	if err != nil {
		return nil, short(err, fmt.Sprintf("block of type %d", kind), at, len(whole), int(size))
	}
	if again := g.u32(whole[size-4:]); again != size {
		return nil, fmt.Errorf("offset %d: block of %d bytes says %d at its end: %w", at, size, again, ErrCorrupt)
	}
	b.take(int(size))
	return whole[blockHead : size-4], nil
}

// section begins a new section: byte order and interfaces start afresh.
func (g *pcapng) section(ctx context.Context, b *blocks) error {
	const sectionBlock = 28
	at := b.offset()
	head, err := b.peek(ctx, sectionBlock)
	if err != nil {
		return short(err, "section header", at, len(head), sectionBlock)
	}
	switch order := binary.LittleEndian.Uint32(head[8:]); order {
	case byteOrderMagic:
		g.big = false
	case bits.ReverseBytes32(byteOrderMagic):
		g.big = true
	default:
		return fmt.Errorf("offset %d: byte-order magic %08x, expected %08x: %w", at+8, order, byteOrderMagic, ErrCorrupt)
	}
	size := g.u32(head[4:])
	if size < sectionBlock || size%4 != 0 {
		return fmt.Errorf("offset %d: section header claims %d bytes, expected a multiple of 4 from %d: %w",
			at, size, sectionBlock, ErrCorrupt)
	}
	if major := g.u16(head[12:]); major != 1 {
		return fmt.Errorf("offset %d: pcapng version %d, readable is 1: %w", at+12, major, ErrFormat)
	}
	g.interfaces = g.interfaces[:0]
	_, err = g.body(ctx, b, blockSection, size)
	return err
}

// read takes a block of a kind that matters. It says whether the block holds a packet, which is then in f.
func (g *pcapng) read(kind uint32, body []byte, f *Frame) (bool, error) {
	switch kind {
	case blockEnhanced:
		if len(body) < 20 {
			return false, tooShort("enhanced packet block", len(body), 20)
		}
		return true, g.packet(f, g.u32(body), body[4:], body[20:])
	case blockObsolete:
		if len(body) < 20 {
			return false, tooShort("packet block", len(body), 20)
		}
		return true, g.packet(f, uint32(g.u16(body)), body[4:], body[20:])
	case blockSimple:
		return true, g.simple(f, body)
	case blockInterface:
		return false, g.describe(body)
	}
	return false, nil
}

// packet fills f from the fields that enhanced and obsolete packet blocks share: time, captured and original length.
func (g *pcapng) packet(f *Frame, id uint32, fields, data []byte) error {
	if int64(id) >= int64(len(g.interfaces)) {
		return fmt.Errorf("packet of interface %d, the section has described %d: %w", id, len(g.interfaces), ErrCorrupt)
	}
	size := g.u32(fields[8:])
	if size > MaxFrame || int(size) > len(data) {
		return fmt.Errorf("packet of %d bytes in a block with room for %d: %w", size, len(data), ErrLength)
	}
	in := &g.interfaces[id]
	f.Time = in.nanoseconds(uint64(g.u32(fields))<<32 | uint64(g.u32(fields[4:])))
	f.WireLen = max(g.u32(fields[12:]), size)
	f.Link = in.link
	f.Data = data[:size]
	g.last = f.Time
	return nil
}

// simple fills f from a simple packet block, which belongs to the section's first interface and has no time: it gets
// that of the packet before it.
func (g *pcapng) simple(f *Frame, body []byte) error {
	if len(body) < 4 {
		return tooShort("simple packet block", len(body), 4)
	}
	if len(g.interfaces) == 0 {
		return fmt.Errorf("simple packet block before any interface: %w", ErrCorrupt)
	}
	in := &g.interfaces[0]
	f.WireLen = g.u32(body)
	size := min(f.WireLen, in.snap, MaxFrame)
	if int(size) > len(body)-4 {
		return fmt.Errorf("packet of %d bytes in a block with room for %d: %w", size, len(body)-4, ErrLength)
	}
	f.Time, f.Link, f.Data = g.last, in.link, body[4:4+size]
	return nil
}

func tooShort(what string, got, want int) error {
	return fmt.Errorf("%s with %d bytes in it, expected at least %d: %w", what, got, want, ErrCorrupt)
}
