package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// pcapOrder is what a magic number says of the file.
type pcapOrder struct {
	big      bool  // numbers are big-endian
	unit     int64 // nanoseconds in one unit of the time stamps' fraction
	extended bool  // records as the "modified" format of Alexey Kuznetzov's patches has them
}

// pcapMagics are the magic numbers as a little-endian reader sees them.
var pcapMagics = map[uint32]pcapOrder{
	0xa1b2c3d4: {unit: 1000},
	0xd4c3b2a1: {unit: 1000, big: true},
	0xa1b23c4d: {unit: 1},
	0x4d3cb2a1: {unit: 1, big: true},
	0xa1b2cd34: {unit: 1000, extended: true},
	0x34cdb2a1: {unit: 1000, extended: true, big: true},
}

// pcap reads the classic format (draft-ietf-opsawg-pcap).
type pcap struct {
	pcapOrder
	record int // bytes of a record's header
	link   LinkType
}

const (
	pcapFileHeader     = 24
	pcapRecord         = 16
	pcapRecordExtended = 24
)

func newPcap(ctx context.Context, b *blocks, order pcapOrder) (*pcap, error) {
	h, err := b.peek(ctx, pcapFileHeader)
	if err != nil {
		return nil, short(err, "file header", 0, len(h), pcapFileHeader)
	}
	p := &pcap{pcapOrder: order, record: pcapRecord}
	if order.extended {
		p.record = pcapRecordExtended
	}
	version := p.u32(h[4:])
	if p.big {
		version = bits.RotateLeft32(version, 16)
	}
	if major := version & 0xffff; major != 2 {
		return nil, fmt.Errorf("offset 4: version %d.%d, readable is 2.4: %w", major, version>>16, ErrFormat)
	}
	p.link = LinkType(p.u32(h[20:]) & linkTypeMask)
	b.take(pcapFileHeader)
	return p, nil
}

// u32 reads a number in the file's byte order.
func (p *pcap) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if p.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (p *pcap) next(ctx context.Context, b *blocks, f *Frame) error {
	h, err := b.peek(ctx, p.record)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return short(err, "record header", b.offset(), len(h), p.record)
	}
	size := p.u32(h[8:])
	if size > MaxFrame {
		return fmt.Errorf("offset %d: record of %d bytes, at most %d are possible: %w", b.offset(), size, MaxFrame, ErrLength)
	}
	f.Time = int64(p.u32(h))*1e9 + int64(p.u32(h[4:]))*p.unit
	f.WireLen = max(p.u32(h[12:]), size)
	f.Link = p.link
	whole := p.record + int(size)
	if h, err = b.peek(ctx, whole); err != nil {
		return short(err, "record", b.offset(), len(h), whole)
	}
	f.Data = h[p.record:]
	b.take(whole)
	return nil
}
