package stream

import "fmt"

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
	if s.server == nil {
		return nil
	}
	free, known := freeBytes(s.cfg.Dir)
	if known && free < s.reserve+bytes {
		return fmt.Errorf("%w: its disk has %d MiB left, of which %d are kept", ErrFull, free>>20, s.reserve>>20)
	}
	return nil // when it is not known the store will tell
}

// mend opens the built-in server's files again when a write had failed and the disk has room. What was stored is there; what was
// being stored was refused.
func (s *Stream) mend() error {
	if s.server == nil || !s.server.broken.Load() {
		return nil
	}
	if full := s.diskRoom(0); full != nil {
		return nil //nolint:nilerr // not yet
	}
	s.deps.Log.Warn("queue: a write had failed; the files are opened again")
	return s.server.again()
}
