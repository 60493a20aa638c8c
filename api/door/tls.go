package door

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// ErrTLS is returned for certificates and keys that cannot be used.
var ErrTLS = errors.New("unusable TLS files")

// TLSFiles names what TLS needs, in PEM.
type TLSFiles struct {
	Cert, Key string // certificate chain and private key of the server
	ClientCA  string // certificates of those who sign clients' certificates; "": clients show none
}

// TLS is version 1.3 with files that may change while it is used. Only HTTP/1.1 is spoken over it: HTTP/2 would let one
// connection ask for hundreds of things at a time, and the bounds of this server count connections.
type TLS struct {
	files TLSFiles
	log   *slog.Logger
	now   func() time.Time
	seen  [3]stamp
	used  atomic.Pointer[tls.Config]
}

// NewTLS reads the files. Run follows them.
func NewTLS(files TLSFiles, log *slog.Logger) (*TLS, error) {
	t := &TLS{files: files, log: log, now: time.Now}
	t.seen = t.stamps()
	if err := t.load(); err != nil {
		return nil, err
	}
	return t, nil
}

// Config is for a listener; connections after a change use what changed.
func (t *TLS) Config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return t.used.Load(), nil },
	}
}

// Run follows the files until ctx ends. While they do not fit together, as between two writes, those before stay in use.
func (t *TLS) Run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			t.follow(ctx)
		}
	}
}

func (t *TLS) follow(ctx context.Context) {
	now := t.stamps()
	if now == t.seen {
		return
	}
	t.seen = now
	if err := t.load(); err != nil {
		t.log.ErrorContext(ctx, "TLS files changed and cannot be used; those before stay in use", "err", err)
		return
	}
	t.log.InfoContext(ctx, "TLS files read", "cert", t.files.Cert)
}

func (t *TLS) stamps() (s [3]stamp) {
	for i, path := range []string{t.files.Cert, t.files.Key, t.files.ClientCA} {
		if path != "" {
			s[i], _ = stampOf(path) // one that is gone has the zero stamp
		}
	}
	return s
}

func (t *TLS) load() error {
	cert, err := readSmall(t.files.Cert)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTLS, err)
	}
	key, err := readSmall(t.files.Key)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTLS, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%w: %s and %s: %w", ErrTLS, t.files.Cert, t.files.Key, err)
	}
	cfg := &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{pair},
		NextProtos:             []string{"http/1.1"},
		SessionTicketsDisabled: true, // a client is looked at anew on each connection
		Time:                   t.now,
	}
	if t.files.ClientCA != "" {
		if cfg.ClientCAs, err = readCAs(t.files.ClientCA); err != nil {
			return err
		}
		cfg.ClientAuth = tls.VerifyClientCertIfGiven // who shows none needs a key
	}
	t.used.Store(cfg)
	return nil
}

func readCAs(path string) (*x509.CertPool, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTLS, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%w: %s has no certificate in PEM", ErrTLS, path)
	}
	return pool, nil
}

// maxPEM bounds files of certificates and of token issuers' keys, in bytes.
const maxPEM = 1 << 20

// readSmall reads a file that is no larger than maxPEM.
func readSmall(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxPEM+1))
	if err == nil && len(text) > maxPEM {
		err = fmt.Errorf("%s has more than %d bytes", path, maxPEM)
	}
	return text, err
}
