package door

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// keyFile is a file whose clock the test sets.
func keyFile(t *testing.T, now *time.Time) *KeyFile {
	t.Helper()
	f := OpenKeyFile(filepath.Join(t.TempDir(), "state", "keys.json"))
	if now != nil {
		f.now = func() time.Time { return *now }
	}
	return f
}

func add(t *testing.T, f *KeyFile, k Key) (Key, string) {
	t.Helper()
	made, token, err := f.Add(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return made, token
}

func TestKeysAreKeptAsHashes(t *testing.T) {
	f := keyFile(t, nil)
	made, token := add(t, f, Key{Name: "one", Role: Viewer})
	id, secret, ok := splitToken(token)
	if !ok || id != made.ID || len(secret) < 51 {
		t.Fatalf("the key %q: id %q, secret of %d characters", token, id, len(secret))
	}
	text, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), secret) {
		t.Error("the secret is in the file")
	}
	for _, path := range []string{f.Path(), f.Path() + ".lock"} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", path, info.Mode(), err)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(f.Path()), ".keys-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, other := add(t, f, Key{Name: "two", Role: Viewer}); other == token {
		t.Error("two keys are the same")
	}
}

func TestAddRefuses(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := keyFile(t, &now)
	past := now.Add(-time.Second)
	add(t, f, Key{Name: "taken", Role: Viewer})
	for name, k := range map[string]Key{
		"no name":       {Role: Viewer},
		"control":       {Name: "a\nb", Role: Viewer},
		"not UTF-8":     {Name: "a\xff", Role: Viewer},
		"long":          {Name: strings.Repeat("a", 65), Role: Viewer},
		"no role":       {Name: "a"},
		"anyone":        {Name: "a", Role: Anyone},
		"negative rate": {Name: "a", Role: Viewer, Requests: -1},
		"tiny rate":     {Name: "a", Role: Viewer, Rows: 1e-9},
		"past":          {Name: "a", Role: Viewer, Expires: &past},
		"name taken":    {Name: "taken", Role: Admin},
	} {
		if _, token, err := f.Add(t.Context(), k); !errors.Is(err, ErrKey) || token != "" && name != "name taken" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRevoke(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := keyFile(t, &now)
	one, _ := add(t, f, Key{Name: "one", Role: Viewer})
	add(t, f, Key{Name: "two", Role: Viewer})
	for _, name := range []string{one.ID, "two"} {
		if k, err := f.Revoke(t.Context(), name); err != nil || k.State(now) != "revoked" {
			t.Errorf("%s: %v, %v", name, k, err)
		}
		if _, err := f.Revoke(t.Context(), name); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s again: %v", name, err)
		}
	}
	add(t, f, Key{Name: "two", Role: Viewer}) // the name is free again
	now = now.Add(keepDead + time.Hour)
	add(t, f, Key{Name: "three", Role: Viewer})
	keys, err := f.List()
	if err != nil || len(keys) != 2 || keys[0].Name != "two" || keys[1].Name != "three" {
		t.Errorf("later there are %v, %v; want those not revoked", keys, err)
	}
}

// Writers take turns: no key of many that are made at the same time is lost.
func TestConcurrentWriters(t *testing.T) {
	f := keyFile(t, nil)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, _, err := OpenKeyFile(f.Path()).Add(t.Context(), Key{Name: strconv.Itoa(i), Role: Viewer}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if keys, err := f.List(); len(keys) != 20 || err != nil {
		t.Errorf("%d keys, %v; want 20", len(keys), err)
	}
}

func TestWaitForTheLockEnds(t *testing.T) {
	f := keyFile(t, nil)
	add(t, f, Key{Name: "one", Role: Viewer})
	unlock, err := lock(t.Context(), f.Path()+".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := f.Add(ctx, Key{Name: "two", Role: Viewer}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the deadline exceeded", err)
	}
}

func TestBrokenKeyFiles(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"other JSON":    `[]`,
		"unknown field": `{"keys":[],"more":1}`,
		"two documents": `{"keys":[]}{"keys":[]}`,
		"no role":       `{"keys":[{"id":"aaaaaaaa","name":"a","sha256":"` + strings.Repeat("00", 32) + `"}]}`,
		"unknown role":  `{"keys":[{"id":"aaaaaaaa","name":"a","role":"root","sha256":"` + strings.Repeat("00", 32) + `"}]}`,
		"short hash":    `{"keys":[{"id":"aaaaaaaa","name":"a","role":"viewer","sha256":"00"}]}`,
		"too large":     `{"keys":[]}` + strings.Repeat(" ", maxFile),
	} {
		f := keyFile(t, nil)
		if err := os.MkdirAll(filepath.Dir(f.Path()), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Path(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.List(); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v, want ErrFile", name, err)
		}
		if _, _, err := f.Add(t.Context(), Key{Name: "one", Role: Viewer}); !errors.Is(err, ErrFile) {
			t.Errorf("%s: a key was added: %v", name, err)
		}
	}
}

func TestOthersMustNotWriteTheFile(t *testing.T) {
	f := keyFile(t, nil)
	add(t, f, Key{Name: "one", Role: Viewer})
	if err := os.Chmod(f.Path(), 0o622); err != nil {
		t.Fatal(err)
	}
	if _, err := f.List(); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("%v, want what to do", err)
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add([]byte(`{"keys":[{"id":"aaaaaaaa","name":"a","role":"viewer","sha256":"` + strings.Repeat("00", 32) + `","created":"2026-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"keys":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeys(text)
		if err != nil {
			return
		}
		r, err := newRing(keys, nil)
		if err != nil {
			t.Fatalf("keys that were read make no ring: %v", err)
		}
		for _, k := range keys {
			if _, err := r.find(prefix+k.ID+"_guess", time.Now()); err == nil {
				t.Error("a guess was let in")
			}
		}
	})
}
