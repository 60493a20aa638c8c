package ovstest

import (
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// relay lets the switches reach a controller that listens outside their namespace, under the same address.
type relay struct {
	listener net.Listener
	address  string
	group    sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil when closed
}

func newRelay(tb testing.TB, space, address string) *relay {
	tb.Helper()
	r := &relay{address: address, conns: map[net.Conn]struct{}{}}
	var err error
	if inside := inSpace(space, func() { r.listener, err = net.Listen("tcp", address) }); inside != nil { //nolint:noctx // ends with the test
		tb.Fatal(inside)
	}
	if err != nil {
		tb.Fatal(err)
	}
	r.group.Go(r.accept)
	return r
}

// inSpace runs f in a network namespace. Sockets stay in the one that they were made in.
func inSpace(space string, f func()) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open("/run/netns/" + space)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	f()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		return err // locked: nobody else gets this thread
	}
	runtime.UnlockOSThread() // the thread goes on: children that it started would end with it
	return nil
}

func (r *relay) accept() {
	for {
		a, err := r.listener.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", r.address) //nolint:noctx // the loopback answers at once
		if err != nil {
			_ = a.Close() // no controller there now: the switch tries again
			continue
		}
		if !r.keep(a, b) {
			return
		}
		r.group.Go(func() { r.pass(a, b) })
		r.group.Go(func() { r.pass(b, a) })
	}
}

// pass copies one way to its end, which is the other way's, too.
func (r *relay) pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range []net.Conn{from, to} {
		_ = c.Close()
		delete(r.conns, c)
	}
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.conns == nil {
			_ = c.Close()
			continue
		}
		r.conns[c] = struct{}{}
	}
	return r.conns != nil
}

func (r *relay) close() {
	_ = r.listener.Close()
	r.mu.Lock()
	for c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
	r.mu.Unlock()
	r.group.Wait()
}
