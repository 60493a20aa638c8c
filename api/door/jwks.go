package door

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// How an issuer's keys are followed.
const (
	refreshEvery = 10 * time.Minute
	refreshFile  = time.Second
	refreshSoon  = 30 * time.Second // at most, when a token names a key that is not known yet, or after a failure
	staleAfter   = 24 * time.Hour   // keys that could not be refreshed for so long are no longer believed
	fetchTimeout = 10 * time.Second
	maxJWKs      = 64
)

// jwks follows the public keys of a token issuer.
type jwks struct {
	source string
	client *http.Client
	log    *slog.Logger
	now    func() time.Time
	every  time.Duration // between refreshes
	set    atomic.Pointer[keySet]
	wanted chan struct{} // a token named an unknown key
}

type keySet struct {
	keys keyfunc.Keyfunc
	read time.Time
}

func newJWKS(source string, log *slog.Logger, now func() time.Time) (*jwks, error) {
	j := &jwks{
		source: source, log: log, now: now, every: refreshEvery, wanted: make(chan struct{}, 1),
		client: &http.Client{
			Timeout:       fetchTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the URL given, no other
		},
	}
	if !strings.Contains(source, "://") {
		j.every = refreshFile
		if err := j.refresh(context.Background()); err != nil {
			return nil, fmt.Errorf("%w: keys of token issuers: %w", ErrConfig, err)
		}
		return j, nil
	}
	u, err := url.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("%w: the URL of the token issuer's keys cannot be read", ErrConfig)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopbackName(u.Hostname())) {
		return nil, fmt.Errorf("%w: keys of token issuers come by https, or by http from this machine; got %s", ErrConfig, u.Redacted())
	}
	return j, nil
}

func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// run refreshes the keys: regularly, and when a token names one that is not known.
func (j *jwks) run(ctx context.Context) error {
	for {
		pause := j.every
		if err := j.refresh(ctx); err != nil && ctx.Err() == nil {
			j.log.ErrorContext(ctx, "the token issuer's keys cannot be read", "source", redacted(j.source), "err", err)
			pause = min(pause, refreshSoon)
		}
		if !j.wait(ctx, pause) {
			return nil
		}
	}
}

// wait waits for pause, or shorter when keys are wanted; never less than refreshSoon. It returns false when ctx ends.
func (j *jwks) wait(ctx context.Context, pause time.Duration) bool {
	soon, late := time.NewTimer(min(refreshSoon, pause)), time.NewTimer(pause)
	defer soon.Stop()
	defer late.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-soon.C:
	}
	select {
	case <-ctx.Done():
		return false
	case <-j.wanted:
	case <-late.C:
	}
	return true
}

func (j *jwks) refresh(ctx context.Context) error {
	text, err := j.read(ctx)
	if err != nil {
		return err
	}
	keys, err := parseJWKS(text)
	if err != nil {
		return err
	}
	j.set.Store(&keySet{keys, j.now()})
	return nil
}

// parseJWKS reads a set of keys.
func parseJWKS(text []byte) (keyfunc.Keyfunc, error) {
	var shape struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &shape); err != nil || len(shape.Keys) == 0 || len(shape.Keys) > maxJWKs {
		return nil, fmt.Errorf("%w: want a JSON Web Key Set of 1 to %d keys", ErrConfig, maxJWKs)
	}
	keys, err := keyfunc.NewJWKSetJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%w: not a JSON Web Key Set", ErrConfig) // the cause may quote it
	}
	return keys, nil
}

func (j *jwks) read(ctx context.Context) ([]byte, error) {
	if !strings.Contains(j.source, "://") {
		return readSmall(j.source)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.source, nil)
	if err != nil {
		return nil, err
	}
	res, err := j.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", res.Status)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPEM+1))
	if err == nil && len(text) > maxPEM {
		err = fmt.Errorf("more than %d bytes", maxPEM)
	}
	return text, err
}

func redacted(source string) string {
	if u, err := url.Parse(source); err == nil {
		return u.Redacted()
	}
	return "(hidden)"
}

// errKid is returned for tokens that do not say which key signed them: trying all of them would be work for nothing.
var errKid = errors.New("no kid")

// find returns the key that a token says it was signed by. It never asks the issuer: tokens that name keys at random would
// make every one a request there.
func (j *jwks) find(token *jwt.Token) (any, error) {
	set := j.set.Load()
	if set == nil || j.now().Sub(set.read) > staleAfter {
		return nil, ErrUnavailable
	}
	if kid, ok := token.Header["kid"].(string); !ok || kid == "" {
		return nil, errKid
	}
	key, err := set.keys.Keyfunc(token)
	if err != nil {
		select {
		case j.wanted <- struct{}{}:
		default:
		}
	}
	return key, err
}
