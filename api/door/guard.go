package door

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Config says which locks a guard has. Without any it is open.
type Config struct {
	KeyFile string // made by KeyFile.Add; it may come into being later, and locks the doors then
}

// Guard decides who comes in. It is safe for concurrent use.
type Guard struct {
	cfg    Config
	log    *slog.Logger
	now    func() time.Time
	ring   atomic.Pointer[ring]
	locked atomic.Bool  // never false again after true
	broken atomic.Value // of string: why callers cannot be checked; "" when they can
	seen   stamp        // of the key file

	stranger, anyone Caller // made once, not per request
}

// OpenToAll is a guard without locks.
func OpenToAll() *Guard {
	return &Guard{
		now:      time.Now,
		stranger: Caller{Role: Anyone},
		anyone:   Caller{Name: "anyone", How: "open door", Role: Admin},
	}
}

// New makes a guard and reads its files. Run keeps it up to date.
func New(cfg Config, log *slog.Logger) (*Guard, error) {
	g := OpenToAll()
	g.cfg, g.log = cfg, log
	g.ring.Store(&ring{})
	g.broken.Store("")
	if err := g.reload(); err != nil {
		return nil, err
	}
	return g, nil
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
	if err != nil {
		return c, err
	}
	if !route.Admits(c.Role) {
		return c, fmt.Errorf("%w: this takes the role %s, and %s has the role %s", ErrForbidden, route, c.Name, c.Role)
	}
	return c, c.take("requests", now, 1)
}

// identify finds the caller of a request.
func (g *Guard) identify(r *http.Request, now time.Time) (*Caller, error) {
	if why := g.broken.Load().(string); why != "" {
		return nil, fmt.Errorf("%w", ErrUnavailable)
	}
	token, err := bearer(r.Header["Authorization"])
	if err != nil {
		return nil, err
	}
	return g.ring.Load().find(token, now)
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
