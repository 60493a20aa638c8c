package sagemaker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

var errLarge = fmt.Errorf("an answer of more than %d bytes", maxAnswer)

// bounded is the SDK's way to the service: no try takes longer than its time, body included, no answer is longer than
// maxAnswer (the SDK reads to the end, however far that is), and nobody is sent elsewhere.
type bounded struct{ client http.Client }

func newBounded(c *Config, transport http.RoundTripper) *bounded {
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: min(5*time.Second, c.Attempt)}).DialContext,
			TLSHandshakeTimeout:    min(5*time.Second, c.Attempt),
			MaxIdleConnsPerHost:    c.Parallel,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &bounded{http.Client{
		Transport: transport, Timeout: c.Attempt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Do sends a request that the SDK has signed.
func (b *bounded) Do(r *http.Request) (*http.Response, error) {
	res, err := b.client.Do(r) //nolint:gosec // the host is the configured one
	if err != nil {
		return nil, err
	}
	if res.ContentLength > maxAnswer {
		res.Body.Close()
		return nil, errLarge
	}
	res.Body = &limited{res.Body, maxAnswer}
	return res, nil
}

// limited is a body that fails where it should have ended.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, errors.Join(errLarge, l.Close())
	}
	return n, err
}
