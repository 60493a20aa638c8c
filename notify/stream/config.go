package stream

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Names of the streams in JetStream.
const (
	Name     = "MLIDS"
	DeadName = "MLIDS_DEAD"
)

// Sentinels of this package.
var (
	ErrConfig = errors.New("unusable queue configuration")
	ErrFull   = errors.New("the queue is full")
	ErrSize   = errors.New("message too large for the queue")
	ErrBusy   = errors.New("another process uses the queue")
	ErrAway   = errors.New("the queue cannot be reached")
)

// Sync is what a stored message survives.
type Sync string

// The settings of Sync.
const (
	SyncProcess Sync = "process" // written to the file: survives the end of the process, kill -9 included
	SyncPower   Sync = "power"   // and on the disk (fsync): survives the kernel's and the machine's end, too
)

// Config says where the stream is. Zero fields take the default given.
type Config struct {
	Dir  string // of the built-in server; made when it is not there
	URL  string // of an external server or cluster, in place of the built-in one
	Join bool   // when another process has the built-in server open, use its; limits of streams that exist stay

	Listen string // address on which clients may watch the built-in server: none
	Token  string // that watching clients must give; needed when Listen is not loopback

	Sync     Sync          // process
	MaxBytes int64         // of stored messages; then Publish refuses: 10 GiB
	MaxAge   time.Duration // after which delivered messages are forgotten: 7 days; below 0: never
	Dedup    time.Duration // for which a message's ID is remembered: 2 minutes
	AckWait  time.Duration // after which a message handed out by a process that died comes again: 5 s
	Timeout  time.Duration // for one request to the server: 10 s
}

func (c Config) withDefaults() Config {
	c.Sync = cmp.Or(c.Sync, SyncProcess)
	c.MaxBytes = cmp.Or(c.MaxBytes, 10<<30)
	c.MaxAge = cmp.Or(c.MaxAge, 7*24*time.Hour)
	c.Dedup = cmp.Or(c.Dedup, 2*time.Minute)
	c.AckWait = cmp.Or(c.AckWait, 5*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	return c
}

func (c *Config) check() error {
	switch {
	case (c.Dir == "") == (c.URL == ""):
		return fmt.Errorf("%w: want either a directory or the URL of a server", ErrConfig)
	case c.Sync != SyncProcess && c.Sync != SyncPower:
		return fmt.Errorf("%w: sync is %q; want %s or %s", ErrConfig, c.Sync, SyncProcess, SyncPower)
	case c.MaxBytes < 0:
		return fmt.Errorf("%w: retention of %d bytes", ErrConfig, c.MaxBytes)
	case c.URL != "" && c.Listen != "":
		return fmt.Errorf("%w: an external server listens by itself", ErrConfig)
	}
	if c.Listen == "" {
		return nil
	}
	host, _, err := splitAddr(c.Listen)
	if err != nil {
		return fmt.Errorf("%w: listen: %w", ErrConfig, err)
	}
	if !loopback(host) && c.Token == "" {
		return fmt.Errorf("%w: listening on %s, which is not loopback, needs a token", ErrConfig, c.Listen)
	}
	return nil
}

func splitAddr(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q: want 0 to 65535", text)
	}
	return host, int(n), nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Deps is what a stream is given. All fields must be set.
type Deps struct {
	Log      *slog.Logger
	Register prometheus.Registerer
}

// ParseRetention reads an age, a size, or both: 7d,10GiB. Zero is what the text does not tell.
func ParseRetention(text string) (age time.Duration, size int64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if n, ok := parseSize(part); ok {
			size = n
			continue
		}
		if age, err = parseAge(part); err != nil {
			return 0, 0, fmt.Errorf("%w: retention %q: want an age such as 7d or 36h, a size such as 10GiB, or both", ErrConfig, text)
		}
	}
	return age, size, nil
}

func parseAge(text string) (time.Duration, error) {
	d, factor := text, int64(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		d, factor = days+"h", 24
	}
	age, err := time.ParseDuration(d)
	if err == nil && (age <= 0 || int64(age) > 1<<62/factor) {
		err = errors.New("out of range")
	}
	return time.Duration(int64(age) * factor), err
}

func parseSize(text string) (int64, bool) {
	for suffix, unit := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			return n * unit, err == nil && n > 0 && n <= 1<<62/unit
		}
	}
	return 0, false
}
