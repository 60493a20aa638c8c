package door

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// ring is the keys of a file, ready to be asked. It does not change.
type ring struct {
	byID map[string]*entry
	none entry // stands for keys that are not there
}

// entry is a key of a ring.
type entry struct {
	caller  Caller
	hash    [sha256.Size]byte
	revoked bool
	rates   [2]float64
}

// entry makes a key ready.
func (k *Key) entry() (*entry, error) {
	sum, err := hex.DecodeString(k.Hash)
	if err != nil || len(sum) != sha256.Size || len(k.ID) != idChars {
		return nil, fmt.Errorf("%w %q", ErrKey, k.ID)
	}
	e := &entry{
		caller:  Caller{Name: k.Name, How: "key", Role: k.Role, requests: newBucket(k.Requests), rows: newBucket(k.Rows)},
		hash:    [sha256.Size]byte(sum),
		revoked: k.Revoked != nil,
		rates:   [2]float64{k.Requests, k.Rows},
	}
	if k.Expires != nil {
		e.caller.Expiry = *k.Expires
	}
	return e, nil
}

// newRing makes keys ready. What callers of the ring before have used of their rates is not forgotten.
func newRing(keys []Key, before *ring) (*ring, error) {
	r := &ring{byID: make(map[string]*entry, len(keys))}
	for i := range keys {
		e, err := keys[i].entry()
		if err != nil {
			return nil, err
		}
		if old := before.entry(keys[i].ID); old != nil && old.rates == e.rates {
			e.caller.requests, e.caller.rows = old.caller.requests, old.caller.rows
		}
		r.byID[keys[i].ID] = e
	}
	return r, nil
}

func (r *ring) entry(id string) *entry {
	if r == nil {
		return nil
	}
	return r.byID[id]
}

// find returns the caller of a token. A key that is not there takes as long as one whose secret is wrong, and errors say of
// a key no more than its ID to those who know the secret.
func (r *ring) find(token string, now time.Time) (*Caller, error) {
	id, secret, ok := splitToken(token)
	if !ok {
		return nil, fmt.Errorf("%w: the key is malformed", ErrUnknown)
	}
	e, known := r.byID[id], true
	if e == nil {
		e, known = &r.none, false
	}
	sum := hash(secret)
	switch match := same(&sum, &e.hash); {
	case !match || !known:
		return nil, fmt.Errorf("%w: the key is not known here", ErrUnknown)
	case e.revoked:
		return nil, fmt.Errorf("%w: the key is revoked", ErrUnknown)
	case e.caller.expired(now):
		return nil, fmt.Errorf("%w: the key has expired", ErrUnknown)
	}
	return &e.caller, nil
}
