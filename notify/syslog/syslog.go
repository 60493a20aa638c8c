// Package syslog sends messages as RFC 5424 over UDP (RFC 5426), TCP (octet counting of RFC 6587) or TLS (RFC 5425).
package syslog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"mlids/notify"
)

// ErrConfig marks what no connection can be made of.
var ErrConfig = errors.New("syslog configuration")

// Config says where messages go. UDP and TCP have no acknowledgements: what is in flight when a receiver dies may be lost.
type Config struct {
	Network  string // udp, tcp or tls
	Addr     string // host:port
	Format   string // text, eve or ecs: what stands behind the structured data
	Facility int    // 0 to 23; 13 is log audit
	Hostname string
	TLS      *tls.Config // of tls
	Timeout  time.Duration
	MaxSize  int // bytes of a message; longer ones are cut in the part behind the structured data
}

// Deps are what the sink uses.
type Deps struct {
	Log *slog.Logger     // nil for silence
	Now func() time.Time // nil for time.Now
}

// Parse reads syslog+udp://HOST:514, syslog+tcp://HOST:601 or syslog+tls://HOST:6514 with the options format, facility,
// hostname, timeout, max-size, and for TLS ca, cert and key (files) and server-name.
func Parse(u *url.URL) (Config, error) {
	o := notify.NewOptions(u)
	name, _ := os.Hostname() // "-" when the system does not know it
	c := Config{
		Network: map[string]string{"syslog": "udp", "syslog+udp": "udp", "syslog+tcp": "tcp", "syslog+tls": "tls"}[u.Scheme],
		Format:  o.Choice("format", "text", "eve", "ecs"), Facility: o.Int("facility", 13, 0, 23), Hostname: o.String("hostname", name),
		Timeout: o.Duration("timeout", 10*time.Second, time.Millisecond, 5*time.Minute),
	}
	port := map[string]string{"udp": "514", "tcp": "601", "tls": "6514"}[c.Network]
	size := map[string]int{"udp": 2048, "tcp": 8192, "tls": 8192}[c.Network] // what receivers should take, RFC 5424 section 6.1
	c.MaxSize = o.Int("max-size", max(size, 480), 480, 1<<20)
	if u.Port() != "" {
		port = u.Port()
	}
	if c.Network == "" || u.Hostname() == "" {
		return c, fmt.Errorf("%w: %q; want syslog+tls://HOST:PORT, syslog+tcp:// or syslog+udp://", ErrConfig, u.Redacted())
	}
	c.Addr = net.JoinHostPort(u.Hostname(), port)
	if c.Network == "tls" {
		var err error
		if c.TLS, err = tlsConfig(o, u.Hostname()); err != nil {
			return c, err
		}
	}
	return c, o.Err()
}

func tlsConfig(o *notify.Options, host string) (*tls.Config, error) {
	ca, cert, key := o.String("ca", ""), o.String("cert", ""), o.String("key", "")
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.String("server-name", host)}
	if ca != "" {
		text, err := os.ReadFile(ca) //nolint:gosec // the path is what the way out says
		if err != nil {
			return nil, fmt.Errorf("%w: ca: %w", ErrConfig, err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%w: ca %s has no certificate in PEM", ErrConfig, ca)
		}
	}
	if cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%w: cert and key: %w", ErrConfig, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// Sink keeps one connection.
type Sink struct {
	cfg Config
	now func() time.Time

	mu   sync.Mutex
	conn net.Conn
}

// New makes a sink; it connects when something is sent.
func New(cfg Config, deps Deps) (*Sink, error) {
	if cfg.Addr == "" || cfg.MaxSize < 480 || cfg.Timeout <= 0 {
		return nil, fmt.Errorf("%w: address %q, size %d, time-out %v", ErrConfig, cfg.Addr, cfg.MaxSize, cfg.Timeout)
	}
	s := &Sink{cfg: cfg, now: deps.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Batch is how many messages are written to a connection at once.
func (s *Sink) Batch() int { return 64 }

// Send writes messages. After a failure the connection is made anew, and the whole batch is sent again by who called.
func (s *Sink) Send(ctx context.Context, batch []*notify.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(batch))
	var wire [][]byte
	now := s.now()
	for i, m := range batch {
		text, err := encode(&s.cfg, m, now)
		if err != nil {
			errs[i] = fmt.Errorf("syslog: %w: %w", notify.ErrPermanent, err)
			continue
		}
		wire = append(wire, text)
	}
	if err := s.write(ctx, wire); err != nil {
		s.drop()
		return fmt.Errorf("syslog: %w", err)
	}
	return notify.Result(errs)
}

func (s *Sink) write(ctx context.Context, wire [][]byte) error {
	deadline := time.Now().Add(s.cfg.Timeout)
	if s.conn != nil && s.cfg.Network != "udp" && gone(s.conn) {
		s.drop()
	}
	if s.conn == nil {
		conn, err := s.dial(ctx)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	conn := s.conn // the sink may have dropped it when ctx ends
	if err := conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) }) // who waits no more ends the write
	defer stop()
	if s.cfg.Network == "udp" {
		for _, text := range wire {
			if _, err := conn.Write(text); err != nil {
				return err
			}
		}
		return nil
	}
	var stream []byte
	for _, text := range wire {
		stream = fmt.Appendf(stream, "%d %s", len(text), text)
	}
	_, err := conn.Write(stream)
	return err
}

func (s *Sink) dial(ctx context.Context) (net.Conn, error) {
	ctx, stop := context.WithTimeout(ctx, s.cfg.Timeout)
	defer stop()
	dialer := &net.Dialer{}
	switch s.cfg.Network {
	case "tls":
		return (&tls.Dialer{NetDialer: dialer, Config: s.cfg.TLS}).DialContext(ctx, "tcp", s.cfg.Addr)
	case "tcp", "udp":
		return dialer.DialContext(ctx, s.cfg.Network, s.cfg.Addr)
	}
	return nil, fmt.Errorf("%w: network %q", ErrConfig, s.cfg.Network)
}

// gone asks whether the receiver closed the connection since: a write to such a one would succeed, and be lost. Receivers
// send nothing, so that there is nothing to read on a good one.
func gone(conn net.Conn) bool {
	if conn.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return true
	}
	var b [1]byte
	_, err := conn.Read(b[:])
	var t net.Error
	return err != nil && (!errors.As(err, &t) || !t.Timeout())
}

func (s *Sink) drop() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// Close ends the connection.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	return nil
}
