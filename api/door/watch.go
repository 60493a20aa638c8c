package door

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// poll is how often files are looked at; a change works within a second.
const poll = 250 * time.Millisecond

// Run keeps the guard up to date with its files until ctx ends.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_ = g.reload() // it has logged
		}
	}
}

// stamp tells versions of a file apart.
type stamp struct {
	modified time.Time
	size     int64
	inode    uint64
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	s := stamp{modified: info.ModTime(), size: info.Size()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s, nil
}

// reload reads the key file if it is another than before. Doors that were locked once stay locked: a file that is gone has no
// keys, and one that cannot be read lets nobody in until it can.
func (g *Guard) reload() error {
	if g.cfg.KeyFile == "" {
		return nil
	}
	now, err := stampOf(g.cfg.KeyFile)
	if err == nil && now == g.seen && g.broken.Load() == "" {
		return nil
	}
	keys, err := readKeys(g.cfg.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		g.seen = stamp{}
		g.ring.Store(&ring{})
		g.setBroken(nil)
		return nil
	}
	if err == nil {
		var r *ring
		if r, err = newRing(keys, g.ring.Load()); err == nil {
			g.ring.Store(r)
			g.log.Info("keys read", "file", g.cfg.KeyFile, "keys", len(keys))
		}
	}
	g.seen = now
	g.locked.Store(true)
	g.setBroken(err)
	return err
}

// setBroken notes, and logs once, why callers cannot be checked.
func (g *Guard) setBroken(err error) {
	why := ""
	if err != nil {
		why = err.Error()
	}
	if was := g.broken.Swap(why); was != why && why != "" {
		g.log.Error("nobody with a key is let in until this is mended", "err", err)
	}
}
