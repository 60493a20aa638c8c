package influx

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// Deps is what a client is given. Zero fields take the default given.
type Deps struct {
	Log      *slog.Logger  // told of retries: silence
	Patience time.Duration // how long a server that has answered before may fail to: 30 s
}

// Client asks one server. It is safe for concurrent use.
type Client struct {
	addr     *Address
	http     *http.Client
	log      *slog.Logger
	patience time.Duration
	reached  atomic.Bool // the server has answered: from then on failures are waited out
}

// New makes a client; it does not connect.
func New(a *Address, d Deps) (*Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CA != "" {
		pem, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, fmt.Errorf("%w %s: ca: %w", ErrAddress, a, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w %s: ca: %s has no certificates in PEM form", ErrAddress, a, a.CA)
		}
	}
	return &Client{
		addr: a, log: d.Log, patience: cmp.Or(max(d.Patience, 0), 30*time.Second),
		http: &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, MaxIdleConnsPerHost: writers,
				ReadBufferSize: 1 << 16, WriteBufferSize: 1 << 16, ResponseHeaderTimeout: a.Timeout,
				DisableCompression: true, // compressing takes the server longer than sending
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Addr is the address that the client was made for.
func (c *Client) Addr() *Address { return c.addr }

// request is one exchange. With a body, which is sent again when it is tried again, the answer's body is not wanted.
type request struct {
	method string
	path   string
	query  url.Values
	body   []byte
	media  string // of the body
}

// do sends a request until it is answered by a success. Servers that are busy or gone are tried again, ever more rarely;
// one that never answered is not.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	wait := 100 * time.Millisecond
	for first := time.Now(); ; wait = min(2*wait, 5*time.Second) {
		response, after, err := c.try(ctx, r)
		switch {
		case err == nil:
			return response, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(err, ErrLost) || !c.reached.Load() || time.Since(first) > c.patience:
			return nil, err
		}
		if c.log != nil {
			c.log.WarnContext(ctx, "server does not answer; trying again", "in", max(wait, after), "error", err)
		}
		if err := sleep(ctx, max(wait, after)); err != nil {
			return nil, err
		}
	}
}

// send is do for a request whose answer says nothing but that it went well.
func (c *Client) send(ctx context.Context, r request) error {
	response, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// sleep waits, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try sends a request once. After is how long the server wants to be left alone.
func (c *Client) try(ctx context.Context, r request) (_ *http.Response, after time.Duration, _ error) {
	u := url.URL{Scheme: "http", Host: c.addr.Host, Path: r.path, RawQuery: r.query.Encode()}
	if c.addr.TLS {
		u.Scheme = "https"
	}
	if r.body != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.addr.Timeout)
		defer cancel()
	}
	q, err := http.NewRequestWithContext(ctx, r.method, u.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, 0, fmt.Errorf("%w %s", ErrAddress, c.addr)
	}
	c.authorise(q)
	if r.media != "" {
		q.Header.Set("Content-Type", r.media)
	}
	q.Header.Set("Accept", c.accepted())
	response, err := c.http.Do(q)
	if err != nil {
		return nil, 0, c.lost(err)
	}
	c.reached.Store(true)
	if response.StatusCode/100 == 2 && r.body == nil {
		return response, 0, nil
	}
	defer response.Body.Close()
	if response.StatusCode/100 == 2 {
		_, err := io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
		return response, 0, err
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096)) // the status says enough
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return nil, time.Duration(max(0, min(seconds, 30))) * time.Second, c.refused(response, text)
}

// accepted is the one form that is asked for: version 1 understands no list, version 3 no msgpack.
func (c *Client) accepted() string {
	if c.addr.V2 {
		return mediaJSON
	}
	return mediaMsgpack
}

func (c *Client) authorise(q *http.Request) {
	switch {
	case c.addr.token != "":
		q.Header.Set("Authorization", "Token "+c.addr.token)
	case c.addr.user != "":
		q.SetBasicAuth(c.addr.user, c.addr.password)
	}
}

// lost says why there is no answer, without the URL that net/http puts in front.
func (c *Client) lost(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%w %s: %w; ca= names a file of certificates to trust", ErrAddress, c.addr, certificate)
	}
	return fmt.Errorf("%w: %s: %w", ErrLost, c.addr, err)
}

// refused makes an error of an answer that is no success.
func (c *Client) refused(r *http.Response, body []byte) error {
	kind := ErrServer
	switch {
	case r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden:
		kind = ErrAccess
	case r.StatusCode/100 == 5 || r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusRequestTimeout:
		kind = ErrLost
	}
	return fmt.Errorf("%w: %s: %s: %s", kind, c.addr, r.Status, message(r, body))
}
