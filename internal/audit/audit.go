// Package audit keeps a record of who changed what and who was sent away: JSON lines, only ever added, read by the owner alone.
package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"mlids/internal/owned"
)

// Event is one line. It holds no secrets: of keys their names and IDs.
type Event struct {
	Time    time.Time `json:"time"`
	Event   string    `json:"event"`         // "key added", "refused", "request", …
	By      string    `json:"by,omitempty"`  // key, token subject, certificate or user of this machine
	How     string    `json:"how,omitempty"` // what By is
	Remote  string    `json:"remote,omitempty"`
	Door    string    `json:"door,omitempty"`
	Method  string    `json:"method,omitempty"`
	Path    string    `json:"path,omitempty"`
	Status  int       `json:"status,omitempty"`
	Request string    `json:"request,omitempty"` // X-Request-Id
	Subject string    `json:"subject,omitempty"` // what was changed
	Error   string    `json:"error,omitempty"`
	Left    int64     `json:"left_out,omitempty"` // events of strangers before this one that were too many to write
}

// Bounds of what strangers can make the log hold.
const (
	strangersPerSecond = 1 // sustained: 20 MB a day at most
	strangersBurst     = 50
	maxText            = 256 // bytes of a text that a stranger chose
)

// Log is an audit log. It is safe for concurrent use, and several processes may write the same file.
type Log struct {
	mu        sync.Mutex
	file      *os.File
	now       func() time.Time
	strangers *rate.Limiter
	left      int64
}

// Open opens a log, and makes it, of mode 0600, if need be.
func Open(path string) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	if err := owned.Adopt(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return &Log{file: file, now: time.Now, strangers: rate.NewLimiter(strangersPerSecond, strangersBurst)}, nil
}

// Record writes an event of someone known. It is on the disk when Record returns. A nil Log takes nothing.
func (l *Log) Record(e Event) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(e); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// Stranger writes an event that anyone can cause, unless there were too many of late; those are counted in the next line.
func (l *Log) Stranger(e Event) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.strangers.AllowN(l.now(), 1) {
		l.left++
		return nil
	}
	e.Left, l.left = l.left, 0
	return l.write(e)
}

// write adds a line in one write, which the system does not mix with those of others.
func (l *Log) write(e Event) error {
	e.Time = l.now().UTC()
	for _, text := range []*string{&e.By, &e.Path, &e.Subject, &e.Error, &e.Method} {
		*text = (*text)[:min(len(*text), maxText)]
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
