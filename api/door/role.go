package door

import (
	"errors"
	"fmt"
)

// Role is what a caller may do; each role may do what those before it may.
type Role uint8

// The roles.
const (
	Nobody  Role = iota // the zero Role: a route that names no role lets nobody in
	Anyone              // who shows no key
	Viewer              // reads: models, metrics, alerts, blocks
	Analyst             // has rows classified
	Admin               // changes: models, keys, suppressions, blocks
)

// ErrRole is returned for a text that names no role.
var ErrRole = errors.New("unknown role")

// ParseRole reads the name of a role that a key can have.
func ParseRole(s string) (Role, error) {
	for _, r := range []Role{Viewer, Analyst, Admin} {
		if s == r.String() {
			return r, nil
		}
	}
	return Nobody, fmt.Errorf("%w %q: want viewer, analyst or admin", ErrRole, s)
}

// String is the role's name.
func (r Role) String() string {
	switch r {
	case Anyone:
		return "anyone"
	case Viewer:
		return "viewer"
	case Analyst:
		return "analyst"
	case Admin:
		return "admin"
	}
	return "nobody"
}

// MarshalText writes the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name of a role that a key can have.
func (r *Role) UnmarshalText(text []byte) error {
	role, err := ParseRole(string(text))
	*r = role
	return err
}

// Admits tells whether a route of role r lets in a caller who has another role.
func (r Role) Admits(caller Role) bool { return r != Nobody && caller >= r }
