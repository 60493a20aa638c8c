package door

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Key is a key as it is kept: its secret only as a hash.
type Key struct {
	ID      string     `json:"id"` // the public part, in the key itself and in logs
	Name    string     `json:"name"`
	Role    Role       `json:"role"`
	Hash    string     `json:"sha256"` // of the secret part, in hex; never shown
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires,omitempty"`
	Revoked *time.Time `json:"revoked,omitempty"`

	Requests float64 `json:"requests_per_second,omitempty"` // 0: no limit
	Rows     float64 `json:"rows_per_second,omitempty"`     // 0: no limit
}

// ErrKey is returned for a key that cannot be: no name, a rate below 0, a time that has passed.
var ErrKey = errors.New("unusable key")

// Sizes of a key: mlids_ID_SECRET, ID and SECRET in lower-case base32.
const (
	prefix     = "mlids_" // lets people and scanners of leaked secrets see what it is
	idBytes    = 5
	idChars    = 8
	secretSize = 32 // bytes: 256 bits
	maxName    = 64
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newKey draws a key. token is shown once and then forgotten.
func newKey(k Key, now time.Time) (key Key, token string, err error) {
	if err := k.check(now); err != nil {
		return Key{}, "", err
	}
	random := make([]byte, idBytes+secretSize)
	_, _ = rand.Read(random) // never fails
	k.ID = encoding.EncodeToString(random[:idBytes])
	secret := encoding.EncodeToString(random[idBytes:])
	sum := hash(secret)
	k.Hash = hex.EncodeToString(sum[:])
	k.Created = now.UTC().Truncate(time.Second)
	return k, prefix + k.ID + "_" + secret, nil
}

// check refuses what no key can be.
func (k *Key) check(now time.Time) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case k.Name == "" || len(k.Name) > maxName || !utf8.ValidString(k.Name) || strings.ContainsFunc(k.Name, unprintable):
		return fmt.Errorf("%w: name %q; want 1 to %d printable bytes", ErrKey, k.Name, maxName)
	case k.Role < Viewer || k.Role > Admin:
		return fmt.Errorf("%w: role %s; want viewer, analyst or admin", ErrKey, k.Role)
	case !rateOK(k.Requests) || !rateOK(k.Rows):
		return fmt.Errorf("%w: a rate of %g requests and %g rows a second; want 0 for none or 0.001 to 1e9", ErrKey, k.Requests, k.Rows)
	case k.Expires != nil && !k.Expires.After(now):
		return fmt.Errorf("%w: it would have expired at %s", ErrKey, k.Expires.Format(time.RFC3339))
	}
	return nil
}

func rateOK(perSecond float64) bool { return perSecond == 0 || perSecond >= 1e-3 && perSecond <= 1e9 }

// State is "valid", "expired" or "revoked".
func (k *Key) State(now time.Time) string {
	switch {
	case k.Revoked != nil:
		return "revoked"
	case k.Expires != nil && !now.Before(*k.Expires):
		return "expired"
	}
	return "valid"
}

// splitToken takes a key apart. It does not allocate.
func splitToken(token string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(token, prefix)
	if !ok || len(rest) < idChars+2 || rest[idChars] != '_' {
		return "", "", false
	}
	return rest[:idChars], rest[idChars+1:], true
}

// maxSecret bounds what is hashed, in bytes; no key is longer.
const maxSecret = 512

// hash is the SHA-256 of a secret. Longer ones than any key has are cut: they hash to what no key does.
func hash(secret string) [sha256.Size]byte {
	var buffer [maxSecret + 1]byte
	return sha256.Sum256(buffer[:copy(buffer[:], secret)])
}

// same compares in a time that does not depend on where hashes differ.
func same(a, b *[sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
