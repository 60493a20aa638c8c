package door

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// poll is how often files are looked at; a change works within a second.
const poll = 250 * time.Millisecond

// Run keeps the guard up to date with its files and the token issuer until ctx ends.
func (g *Guard) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return g.follow(ctx) })
	if g.tokens != nil {
		group.Go(func() error { return g.tokens.keys.run(ctx) })
	}
	return group.Wait()
}

// follow follows the files of keys.
func (g *Guard) follow(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_ = g.reload() // it has logged
			g.rereadGiven()
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
// keys, and one that cannot be read lets none of its keys in until it can.
func (g *Guard) reload() error {
	if g.cfg.KeyFile == "" {
		return nil
	}
	now, err := stampOf(g.cfg.KeyFile)
	if err == nil && now == g.seen {
		return nil
	}
	keys, err := readKeys(g.cfg.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		g.seen = stamp{}
		g.ring.Store(&ring{})
		g.broken.Store(false)
		return nil
	}
	g.locked.Store(true)
	if err == nil {
		var r *ring
		if r, err = newRing(keys, g.ring.Load()); err == nil {
			g.ring.Store(r)
		}
	}
	g.noteReload(now, len(keys), err)
	return err
}

// noteReload notes, and logs when it changed, what came of reading the key file.
func (g *Guard) noteReload(now stamp, keys int, err error) {
	was := g.broken.Swap(err != nil)
	switch {
	case err == nil:
		g.seen = now
		g.log.Info("keys read", "file", g.cfg.KeyFile, "keys", keys)
	case !was:
		g.seen = stamp{} // it is tried again
		g.log.Error("no key of the file is let in until it can be read", "err", err)
	}
}

// rereadGiven looks after the keys that have files of their own.
func (g *Guard) rereadGiven() {
	was := *g.given.Load()
	var all []*given
	for i, key := range was {
		if key.file == "" {
			continue
		}
		now, err := key.reread()
		if now.seen == key.seen && now.usable == key.usable {
			continue
		}
		if all == nil {
			all = append(all, was...)
		}
		all[i] = now
		if err != nil {
			g.log.Error("a key of the configuration is not let in until its file can be read", "err", err)
		}
	}
	if all != nil {
		g.given.Store(&all)
	}
}
