package door

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// minGiven is the least number of characters of a key that is given: one that can be guessed is none.
const minGiven = 32

// given is a key that was given whole, by flag, environment or a file of its own, as clouds hand out secrets. It does not
// change.
type given struct {
	caller Caller
	file   string // "": the key itself was given
	hash   [sha256.Size]byte
	seen   stamp
	usable bool
}

// parseGiven reads [ROLE=]KEY or [ROLE=]@FILE; i counts them. Errors do not show the key.
func parseGiven(i int, text string) (*given, error) {
	g := &given{caller: Caller{Name: fmt.Sprintf("key %d of the configuration", i+1), How: "key", Role: Analyst}}
	if name, rest, ok := strings.Cut(text, "="); ok {
		if role, err := ParseRole(name); err == nil {
			g.caller.Role, text = role, rest
		}
	}
	if file, ok := strings.CutPrefix(text, "@"); ok {
		g.file = file
		return g.reread()
	}
	return g.with(text)
}

// with is g with a key.
func (g given) with(key string) (*given, error) {
	if len(key) < minGiven || len(key) > maxSecret || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return &g, fmt.Errorf("%w: %s: want %d to %d visible ASCII characters, as mlids keys add or openssl rand -hex 32 make them",
			ErrKey, g.caller.Name, minGiven, maxSecret)
	}
	g.hash, g.usable = hash(key), true
	return &g, nil
}

// reread is g as its file has it now. A key whose file is gone or broken is none.
func (g given) reread() (*given, error) {
	now, err := stampOf(g.file)
	if err == nil && now == g.seen {
		return &g, nil
	}
	g.seen, g.usable = now, false
	text, err := readSmall(g.file)
	if err != nil {
		return &g, fmt.Errorf("%w: %s: %w", ErrKey, g.caller.Name, err)
	}
	return g.with(strings.TrimRight(string(text), "\r\n"))
}

// findGiven returns the caller of a key that was given; nil when it is none. All are compared, whichever it is.
func findGiven(all []*given, token string) *Caller {
	if len(all) == 0 {
		return nil
	}
	sum := hash(token)
	var found *Caller
	for _, g := range all {
		if match := same(&sum, &g.hash); match && g.usable {
			found = &g.caller
		}
	}
	return found
}
