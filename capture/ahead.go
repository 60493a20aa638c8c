package capture

import (
	"cmp"
	"context"
	"fmt"

	"mlids"
)

const (
	aheadPackets = 512 // in a batch: few enough to stay in the caches on their way, many enough that nobody often waits
	aheadBlocks  = 4   // that a batch may go through, so that large frames do not pile up
	aheadBatches = 4
)

// aheadOf is a source that may be read before its packets are wanted. With keep its frames outlast the next one, until their
// block is given back.
type aheadOf interface {
	ahead(keep bool) bool
}

// batch holds decoded packets.
type batch struct {
	n       int
	packets [aheadPackets]mlids.Packet
	numbers [aheadPackets]int // of their frames, from 1
	blocks  []*block          // all of their packets are in this batch or in those before
	err     error             // behind the packets; there is no further batch then
}

// ahead reads and decodes on a goroutine of its own, a few batches before they are wanted.
type ahead struct {
	src    Source
	dec    *Decoder
	full   chan *batch
	free   chan *batch
	block  *block // of the frame before
	frames int
}

// runAhead is RunIdle with src and dec on a goroutine of their own, which has ended when runAhead returns.
func runAhead(ctx context.Context, src Source, dec *Decoder, each func(*mlids.Packet) error) error {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{src: src, dec: dec, full: make(chan *batch, aheadBatches), free: make(chan *batch, aheadBatches)}
	for range aheadBatches {
		a.free <- new(batch)
	}
	go a.read(ctx)
	err := cmp.Or(a.take(each), ctx.Err())
	cancel()
	for range a.full { // until the goroutine closes it
	}
	return endOf(err)
}

// read fills batches until the source ends or nobody wants it any longer.
func (a *ahead) read(ctx context.Context) {
	defer close(a.full)
	for {
		select {
		case b := <-a.free:
			b.err = a.fill(ctx, b)
			a.full <- b // has room for all batches
			if b.err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// fill decodes frames until the batch has enough packets, or went through enough blocks.
func (a *ahead) fill(ctx context.Context, b *batch) error {
	var f Frame
	clear(b.packets[:]) // in one sweep, or each line of them would be waited for on its way back from the other core
	clear(b.numbers[:])
	for b.n < aheadPackets && len(b.blocks) < aheadBlocks {
		if a.frames++; a.frames%contextPeriod == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := a.src.Next(ctx, &f); err != nil {
			return err
		}
		if f.block != a.block {
			if a.block != nil {
				b.blocks = append(b.blocks, a.block)
			}
			a.block = f.block
		}
		if a.dec.Decode(&f, &b.packets[b.n]) == Decoded {
			b.numbers[b.n] = a.frames
			b.n++
		}
	}
	return nil
}

// take hands the packets to each, and what they lay in back to the source.
func (a *ahead) take(each func(*mlids.Packet) error) error {
	for b := range a.full {
		for i := range b.packets[:b.n] {
			if err := each(&b.packets[i]); err != nil {
				return fmt.Errorf("packet %d: %w", b.numbers[i], err)
			}
		}
		for _, block := range b.blocks {
			block.giveBack()
		}
		if b.err != nil {
			return b.err
		}
		b.n, b.blocks = 0, b.blocks[:0]
		a.free <- b
	}
	return nil // the context ended
}
