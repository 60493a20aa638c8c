package door

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// ErrConfig is returned for locks that keep nobody out, or everybody.
var ErrConfig = errors.New("unusable locks")

// Config says which locks a guard has. Without any it is open.
type Config struct {
	KeyFile  string   // made by KeyFile.Add; it may come into being later, and locks the doors then
	Keys     []string // given whole: [ROLE=]KEY or [ROLE=]@FILE, at most 64
	Tokens   TokenConfig
	Subjects Subjects // roles of clients' certificates; those who check certificates are the listener's
}

// maxGiven bounds Config.Keys: each request is compared with all.
const maxGiven = 64

// Guard decides who comes in. It is safe for concurrent use.
type Guard struct {
	cfg    Config
	log    *slog.Logger
	now    func() time.Time
	ring   atomic.Pointer[ring]
	given  atomic.Pointer[[]*given]
	tokens *tokens     // nil: none are let in
	locked atomic.Bool // never false again after true
	broken atomic.Bool // the key file cannot be read
	seen   stamp       // of the key file
	failed *table[*bucket]

	stranger, anyone Caller // made once, not per request
}

// OpenToAll is a guard without locks.
func OpenToAll() *Guard {
	g := &Guard{
		log:      slog.New(slog.DiscardHandler),
		now:      time.Now,
		failed:   newTable[*bucket](maxSubjects),
		stranger: Caller{Role: Anyone},
		anyone:   Caller{Name: "anyone", How: "open door", Role: Admin},
	}
	g.ring.Store(&ring{})
	g.given.Store(&[]*given{})
	return g
}

// New makes a guard and reads its files. Run keeps it up to date.
func New(cfg Config, log *slog.Logger) (*Guard, error) {
	g := OpenToAll()
	g.cfg, g.log = cfg, log
	if err := g.addGiven(cfg.Keys); err != nil {
		return nil, err
	}
	if cfg.Tokens.JWKS != "" {
		var err error
		if g.tokens, err = newTokens(cfg.Tokens, g.now); err != nil {
			return nil, err
		}
		if g.tokens.keys, err = newJWKS(cfg.Tokens.JWKS, log, g.now); err != nil {
			return nil, err
		}
	}
	if err := g.reload(); err != nil {
		return nil, err
	}
	if g.tokens != nil || len(cfg.Keys) > 0 || len(cfg.Subjects) > 0 {
		g.locked.Store(true)
	}
	return g, nil
}

func (g *Guard) addGiven(keys []string) error {
	if len(keys) > maxGiven {
		return fmt.Errorf("%w: %d keys given; want %d at most, and a key file for more", ErrConfig, len(keys), maxGiven)
	}
	var all []*given
	for i, text := range keys {
		key, err := parseGiven(i, text)
		if err != nil {
			return err
		}
		all = append(all, key)
	}
	g.given.Store(&all)
	return nil
}

// Open tells whether callers need nothing to be let in.
func (g *Guard) Open() bool { return !g.locked.Load() }

// Admit finds out who sends a request, and whether they may call a route of a role now. Without an error the caller is never
// nil; with one it is the caller that was sent away, if known. Errors wrap ErrUnknown, ErrForbidden, ErrUnavailable or are a
// *LimitError.
func (g *Guard) Admit(r *http.Request, route Role) (*Caller, error) {
	switch {
	case route == Anyone:
		return &g.stranger, nil
	case g.Open():
		return &g.anyone, nil
	}
	now := g.now()
	c, err := g.identify(r, now)
	if errors.Is(err, ErrUnknown) {
		return c, g.tooMany(r, now, err)
	}
	if err != nil {
		return c, err
	}
	if !route.Admits(c.Role) {
		return c, fmt.Errorf("%w: this takes the role %s, and %s has the role %s", ErrForbidden, route, c.Name, c.Role)
	}
	return c, c.take("requests", now, 1)
}

// identify finds the caller of a request: by its bearer key or token if it shows one, else by its certificate.
func (g *Guard) identify(r *http.Request, now time.Time) (*Caller, error) {
	values := r.Header["Authorization"]
	if len(values) == 0 {
		if c, err := g.cfg.Subjects.find(r.TLS, now); c != nil || err != nil {
			return c, err
		}
	}
	token, err := bearer(values)
	if err != nil {
		return nil, err
	}
	if c := findGiven(*g.given.Load(), token); c != nil {
		return c, nil
	}
	switch {
	case strings.HasPrefix(token, prefix) && g.broken.Load():
		return nil, fmt.Errorf("%w: the key file cannot be read", ErrUnavailable)
	case strings.HasPrefix(token, prefix):
		return g.ring.Load().find(token, now)
	case g.tokens != nil && strings.Count(token, ".") == 2:
		return g.tokens.find(token)
	}
	return nil, fmt.Errorf("%w: the key is not known here", ErrUnknown)
}

// bearer finds the token of an Authorization header (RFC 6750, section 2.1).
func bearer(values []string) (string, error) {
	switch {
	case len(values) == 0:
		return "", fmt.Errorf("%w: send a key as Authorization: Bearer KEY", ErrUnknown)
	case len(values) > 1:
		return "", fmt.Errorf("%w: more than one Authorization header", ErrUnknown)
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fmt.Errorf("%w: want Authorization: Bearer KEY", ErrUnknown)
	}
	return token, nil
}

// How often an address may show what is no key before it is told to wait. Good keys are let in all the same: others may sit
// behind the same address.
const (
	failuresPerSecond = 1
	failuresAtOnce    = 20
)

// tooMany makes a failure of one that comes too often a *LimitError.
func (g *Guard) tooMany(r *http.Request, now time.Time, failure error) error {
	b := g.failed.get(network(r.RemoteAddr), func() *bucket { return newBurst(failuresPerSecond, failuresAtOnce) })
	if wait := b.take(now, 1); wait > 0 {
		return &LimitError{"failed attempts", wait}
	}
	return failure
}

// network is the address of a remote, of IPv6 the /64 that one host has for itself.
func network(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	addr := at.Addr().Unmap()
	if addr.Is6() {
		p, _ := addr.WithZone("").Prefix(64)
		return p.String()
	}
	return addr.String()
}
