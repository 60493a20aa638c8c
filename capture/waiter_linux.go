package capture

import (
	"context"
	"errors"
	"fmt"

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

// wait returns nil when fd can be read, is at its end or has an error to read, and ctx.Err() once ctx ends.
func (w *waiter) wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, w.signal)
	defer stop()
	fds := [2]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}, {Fd: int32(w.wake), Events: unix.POLLIN}}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := unix.Poll(fds[:], -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll: %w", err)
		}
		if fds[0].Revents != 0 {
			return nil
		}
	}
}

// signal makes poll return. The counter stays up, as nothing is read after a context has ended.
func (w *waiter) signal() {
	one := [8]byte{7: 1, 0: 1} // any number but 0, in either byte order
	_, _ = unix.Write(w.wake, one[:])
}
