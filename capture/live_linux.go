package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// Live is a Source over a network interface: a TPACKET_V3 ring that the kernel fills (packet(7), the kernel's
// Documentation/networking/packet_mmap.rst).
type Live struct {
	name   string
	socket *packetSocket
	ring   ring
	waiter *waiter
	cfg    LiveConfig
	down   error // why the interface gives no more; the ring may still have frames
	err    error

	mu    sync.Mutex // for stats, which any goroutine may ask for
	stats LiveStats
}

// OpenLive begins to capture. It needs the capability CAP_NET_RAW.
func OpenLive(cfg LiveConfig) (*Live, error) {
	l, err := openLive(cfg)
	if err != nil {
		return nil, fmt.Errorf("capture: interface %q: %w", cfg.Interface, err)
	}
	return l, nil
}

func openLive(cfg LiveConfig) (_ *Live, err error) {
	socket, err := newPacketSocket(cfg.Interface)
	if err != nil {
		return nil, err
	}
	l := &Live{name: cfg.Interface, socket: socket, cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if l.ring, err = socket.ring(cfg.blocks()); err != nil {
		return nil, err
	}
	l.ring.cooked = socket.cooked
	if err = socket.filter(cfg.Filter, cfg.snap()); err != nil {
		return nil, err
	}
	if cfg.Promiscuous {
		if err = socket.promiscuous(); err != nil {
			return nil, err
		}
	}
	if l.waiter, err = newWaiter(socket.fd); err != nil {
		return nil, err
	}
	if err = socket.start(cfg.FanoutGroup); err != nil {
		return nil, err
	}
	return l, nil
}

// Next fills f with the next frame, see Source. It waits for one at most LiveConfig.Idle long and then returns ErrIdle,
// which like the end of ctx is no end of the source. An interface that goes down or away ends it, after the frames that
// came before, with ErrInterface.
func (l *Live) Next(ctx context.Context, f *Frame) error {
	for l.err == nil {
		if l.ring.next(f) {
			return nil
		}
		if l.ring.advance() {
			continue
		}
		if err := l.wait(ctx); err != nil {
			return err
		}
	}
	return l.err
}

// wait waits until the ring has a block of frames.
func (l *Live) wait(ctx context.Context) error {
	if l.down != nil {
		l.err = l.down
		return l.err
	}
	timeout := l.cfg.Idle
	if timeout == 0 {
		timeout = -1
	}
	ready, err := l.waiter.wait(ctx, timeout)
	if err != nil {
		return err
	}
	if !ready {
		return ErrIdle
	}
	if err := l.socket.failure(); err != nil {
		l.down = fmt.Errorf("capture: interface %q: %w", l.name, err)
		return sleep(ctx, 2*ringRetire) // within this time the kernel hands over the block it was filling
	}
	return nil
}

// Stats are the kernel's counters. It may be called from any goroutine until Close.
func (l *Live) Stats() (LiveStats, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.socket.fd < 0 {
		return l.stats, nil
	}
	got, err := unix.GetsockoptTpacketStatsV3(l.socket.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return l.stats, fmt.Errorf("capture: counters of interface %q: %w", l.name, err)
	}
	// The kernel counts dropped packets among the packets, and begins anew after each reading.
	l.stats.Received += uint64(got.Packets - got.Drops)
	l.stats.Dropped += uint64(got.Drops)
	l.stats.Freezes += uint64(got.Freeze_q_cnt)
	return l.stats, nil
}

// Close ends the capture. Stats goes on to tell the last counters that it read.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.socket.fd < 0 {
		return nil
	}
	l.err = fmt.Errorf("capture: interface %q: closed: %w", l.name, io.ErrClosedPipe)
	var waiting error
	if l.waiter != nil {
		waiting = l.waiter.Close()
	}
	return errors.Join(l.ring.close(), waiting, l.socket.close())
}
