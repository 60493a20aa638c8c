// Package file writes messages to a file as lines of JSON, rotated by size and synced to disk after each batch.
package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"mlids/notify"
)

// ErrPath marks a path that is none of a file.
var ErrPath = errors.New("no path of a file")

// Config says where and how lines are kept.
type Config struct {
	Path   string
	Format notify.Format
	Size   int64         // bytes from which a new file is begun
	Count  int           // old files that are kept at most; 0 for all
	Age    time.Duration // of the oldest file that is kept; 0 for any
	Batch  int           // messages written, and synced, together
}

// Deps are what the sink uses.
type Deps struct {
	Log *slog.Logger     // nil for silence
	Now func() time.Time // nil for time.Now
}

// Parse reads file:///var/log/mlids/alerts.json?format=eve&size=100MiB&count=10&age=30d&batch=256.
func Parse(u *url.URL) (Config, error) {
	o := notify.NewOptions(u)
	path := u.Path
	if u.Opaque != "" { // file:alerts.json, below the working directory
		path = u.Opaque
	}
	if path == "" || u.Host != "" || filepath.Base(path) == string(filepath.Separator) {
		return Config{}, fmt.Errorf("%w: %q; want file:///PATH", ErrPath, u.Redacted())
	}
	c := Config{
		Path:   path,
		Format: notify.Format(o.Choice("format", string(notify.FormatRow), string(notify.FormatEVE), string(notify.FormatECS))),
		Size:   o.Bytes("size", 100<<20, 1024), Count: o.Int("count", 10, 0, 10000),
		Age:   o.Duration("age", 0, 0, 100*365*24*time.Hour),
		Batch: o.Int("batch", 256, 1, 10000),
	}
	return c, o.Err()
}

// Sink appends to one file. Others may move the file away: it is made anew.
type Sink struct {
	cfg Config
	now func() time.Time
	log *slog.Logger

	mu   sync.Mutex
	file *os.File
	size int64
	buf  bytes.Buffer
}

// New makes a sink; the file is opened by the first Send.
func New(cfg Config, deps Deps) (*Sink, error) {
	if cfg.Path == "" {
		return nil, ErrPath
	}
	if cfg.Size <= 0 || cfg.Batch <= 0 {
		return nil, fmt.Errorf("file: size %d and batch %d must be above 0", cfg.Size, cfg.Batch)
	}
	cfg.Path = filepath.Clean(cfg.Path) // as names of old files are, which are compared with it
	s := &Sink{cfg: cfg, now: deps.Now, log: deps.Log}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Batch is as many as Config says.
func (s *Sink) Batch() int { return s.cfg.Batch }

// Send appends a line for each message and syncs the file. A batch that cannot be written whole leaves nothing behind.
func (s *Sink) Send(_ context.Context, batch []*notify.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(batch))
	s.buf.Reset()
	now := s.now()
	for i, m := range batch {
		line, err := s.cfg.Format.Append(s.buf.AvailableBuffer(), m, now)
		if err != nil {
			errs[i] = fmt.Errorf("%w: %w", notify.ErrPermanent, err)
			continue
		}
		s.buf.Write(append(line, '\n'))
	}
	if err := s.write(now); err != nil {
		return fmt.Errorf("file: %w", err)
	}
	return notify.Result(errs)
}

// write appends the buffer to the file, or to a new one when the file would grow too large.
func (s *Sink) write(now time.Time) error {
	if s.buf.Len() == 0 {
		return nil
	}
	if err := s.open(); err != nil {
		return err
	}
	if s.size > 0 && s.size+int64(s.buf.Len()) > s.cfg.Size {
		if err := s.rotate(now); err != nil {
			return err
		}
	}
	_, err := s.file.Write(s.buf.Bytes())
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil { // a full disk, perhaps: no half line stays
		return errors.Join(err, s.file.Truncate(s.size), s.close())
	}
	s.size += int64(s.buf.Len())
	return nil
}

// open makes sure that the open file is the one of the path.
func (s *Sink) open() error {
	if s.file != nil {
		mine, err := s.file.Stat()
		there, pathErr := os.Lstat(s.cfg.Path)
		if err == nil && pathErr == nil && os.SameFile(mine, there) && mine.Size() == s.size {
			return nil
		}
		if err := s.close(); err != nil {
			s.log.Warn("close the file that was moved away", "path", s.cfg.Path, "err", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(s.cfg.Path), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(s.cfg.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640) //nolint:gosec // log readers are of the group
	if err != nil {
		return err
	}
	if s.size, err = end(file); err != nil {
		return errors.Join(err, file.Close())
	}
	s.file = file
	return syncDir(filepath.Dir(s.cfg.Path))
}

// end finds the end of a file's last whole line, and cuts off what a crash left behind it.
func end(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%w: %s is no regular file", ErrPath, file.Name())
	}
	size := info.Size()
	buf := make([]byte, 64<<10)
	for at := size; at > 0; {
		n := min(int64(len(buf)), at)
		at -= n
		if _, err := file.ReadAt(buf[:n], at); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			whole := at + int64(i) + 1
			if whole == size {
				return size, nil
			}
			return whole, file.Truncate(whole)
		}
	}
	return 0, file.Truncate(0)
}

// Close closes the file.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.close()
}

func (s *Sink) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

// syncDir makes a new name in a folder last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
