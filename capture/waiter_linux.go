package capture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits until a file descriptor can be read or a context ends.
type waiter struct {
	fd, wake int
}

func newWaiter(fd int) (*waiter, error) {
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return &waiter{fd: fd, wake: wake}, nil
}

// Close gives back the waiter's own descriptor; fd stays open.
func (w *waiter) Close() error { return unix.Close(w.wake) }

// wait waits until fd has something to read, is at its end or has an error, and then returns true; after timeout it
// returns false, unless that is negative. Once ctx ends it returns ctx.Err().
func (w *waiter) wait(ctx context.Context, timeout time.Duration) (bool, error) {
	stop := context.AfterFunc(ctx, w.signal)
	defer stop()
	fds := [2]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}, {Fd: int32(w.wake), Events: unix.POLLIN}}
	limit := -1
	if timeout >= 0 {
		limit = int((timeout + time.Millisecond - 1).Milliseconds())
	}
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := unix.Poll(fds[:], limit)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, fmt.Errorf("poll: %w", err)
		case fds[0].Revents != 0:
			return true, nil
		case n == 0:
			return false, nil
		}
		w.drain()
	}
}

// signal makes poll return.
func (w *waiter) signal() {
	one := [8]byte{0: 1, 7: 1} // any number but 0, in either byte order
	_, _ = unix.Write(w.wake, one[:])
}

// drain takes back what a context signalled.
func (w *waiter) drain() {
	var count [8]byte
	_, _ = unix.Read(w.wake, count[:])
}
