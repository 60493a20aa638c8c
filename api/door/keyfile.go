package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mlids/internal/owned"
)

// KeyFile keeps keys in a JSON file that only its owner can read. Writers of all processes take turns; readers see the file
// before or after a change, never between.
type KeyFile struct {
	path string
	now  func() time.Time
}

// Errors of key files.
var (
	ErrFile  = errors.New("broken key file")
	ErrNoKey = errors.New("no such key")
)

// Bounds of a key file.
const (
	maxFile  = 8 << 20
	maxKeys  = 10_000
	keepDead = 90 * 24 * time.Hour // how long revoked and expired keys stay listed
)

// OpenKeyFile names a file, which need not exist.
func OpenKeyFile(path string) *KeyFile { return &KeyFile{path, time.Now} }

// Path is where the file is.
func (f *KeyFile) Path() string { return f.path }

// document is the file's content.
type document struct {
	Keys []Key `json:"keys"`
}

// List returns all keys, revoked and expired ones of late included, in the order made. There are none without a file.
func (f *KeyFile) List() ([]Key, error) {
	keys, err := readKeys(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return keys, err
}

// Add makes a key of the name, role, expiry and rates given. The token is what callers send; it is kept nowhere.
func (f *KeyFile) Add(ctx context.Context, k Key) (key Key, token string, err error) {
	now := f.now()
	if key, token, err = newKey(k, now); err != nil {
		return Key{}, "", err
	}
	err = f.change(ctx, func(keys []Key) ([]Key, error) {
		keys = slices.DeleteFunc(keys, func(k Key) bool { return k.dead(now) })
		taken := func(other Key) bool { return other.Name == key.Name && other.State(now) == "valid" }
		if slices.ContainsFunc(keys, taken) {
			return nil, fmt.Errorf("%w: there is a key named %q; revoke it or take another name", ErrKey, key.Name)
		}
		if len(keys) >= maxKeys {
			return nil, fmt.Errorf("%w: there are %d keys, more are not kept", ErrKey, len(keys))
		}
		return append(keys, key), nil
	})
	return key, token, err
}

// dead tells whether a key has been of no use for so long that it need not be listed.
func (k *Key) dead(now time.Time) bool {
	past := func(t *time.Time) bool { return t != nil && now.Sub(*t) > keepDead }
	return past(k.Revoked) || past(k.Expires)
}

// Revoke ends a key, by its name or ID. A revoked one stays listed for a time.
func (f *KeyFile) Revoke(ctx context.Context, nameOrID string) (Key, error) {
	var revoked Key
	now := f.now().UTC().Truncate(time.Second)
	err := f.change(ctx, func(keys []Key) ([]Key, error) {
		for i := range keys {
			if k := &keys[i]; k.Revoked == nil && (k.ID == nameOrID || k.Name == nameOrID) {
				k.Revoked = &now
				revoked = *k
				return keys, nil
			}
		}
		return nil, fmt.Errorf("%w %q, or it is revoked", ErrNoKey, nameOrID)
	})
	return revoked, err
}

// change reads, changes and replaces the file while no one else does.
func (f *KeyFile) change(ctx context.Context, edit func([]Key) ([]Key, error)) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("key file: %w", err)
	}
	unlock, err := lock(ctx, f.path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	keys, err := f.List()
	if err != nil {
		return err
	}
	if keys, err = edit(keys); err != nil {
		return err
	}
	text, err := json.MarshalIndent(document{keys}, "", "  ")
	if err != nil {
		return err
	}
	return replace(f.path, append(text, '\n'))
}

// lock waits for the right to write. A lock ends with its process, however that ends.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock key file: %w", err)
	}
	if err := owned.Adopt(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock key file: %w", err)
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { file.Close() }, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("%s is held by another process: %w", path, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// replace writes a file whole or not at all, durable when it returns.
func replace(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(text)
	if err = errors.Join(err, owned.Adopt(tmp), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	defer dir.Close()
	return dir.Sync()
}

// readKeys reads a key file whole; one that others may write, or with anything unexpected in it, is not believed.
func readKeys(path string) ([]Key, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%w %s: others may write it (mode %04o); chmod 600 it", ErrFile, path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrFile, path, err)
	}
	return keys, nil
}

// parseKeys reads the file's JSON. Errors never quote it.
func parseKeys(text []byte) ([]Key, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	var d document
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return nil, fmt.Errorf("not a document of keys, near byte %d", in.InputOffset())
	}
	if in.More() || len(d.Keys) > maxKeys {
		return nil, fmt.Errorf("more than one document, or more than %d keys", maxKeys)
	}
	seen := map[string]bool{}
	for i := range d.Keys {
		k := &d.Keys[i]
		if _, err := k.entry(); err != nil || seen[k.ID] {
			return nil, fmt.Errorf("key %d: want an id of its own, name, role and sha256", i+1)
		}
		if err := k.check(time.Time{}); err != nil {
			return nil, fmt.Errorf("key %d: %s", i+1, strings.TrimPrefix(err.Error(), ErrKey.Error()+": "))
		}
		seen[k.ID] = true
	}
	return d.Keys, nil
}
