package stream

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// diskReserve is how much of the disk Publish leaves free: a store whose write fails takes no more until it is opened again, and
// acknowledgements of ways out, which make room, need some to be written down.
const diskReserve = 16 << 20

// room is ErrFull when the disk of the built-in server has less to give than the reserve and so many bytes more, or when a write
// has failed and mend has not yet opened the files again.
func (s *Stream) room(bytes int64) error {
	if s.server == nil {
		return nil
	}
	if s.server.broken.Load() {
		return fmt.Errorf("%w: a write has failed, and its files are not yet opened again", ErrFull)
	}
	return s.diskRoom(bytes)
}

func (s *Stream) diskRoom(bytes int64) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(s.cfg.Dir, &disk); err != nil {
		return nil // then the store will tell
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < s.reserve+bytes {
		return fmt.Errorf("%w: its disk has %d MiB left, of which %d are kept", ErrFull, free>>20, s.reserve>>20)
	}
	return nil
}

// mend opens the built-in server's files again when a write had failed and the disk has room. What was stored is there; what was
// being stored was refused.
func (s *Stream) mend() error {
	if s.server == nil || !s.server.broken.Load() || s.diskRoom(0) != nil {
		return nil
	}
	s.deps.Log.Warn("queue: a write had failed; the files are opened again")
	return s.server.again()
}
