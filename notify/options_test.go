package notify_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mlids/notify"
)

func TestOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("from file\nnot this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(t, "s=x&c=two&b&n=7&d=7d&size=10MiB&key-file="+url.QueryEscape(path))
	if o.String("s", "") != "x" || o.String("absent", "def") != "def" || o.Choice("c", "one", "two") != "two" || !o.Bool("b", false) ||
		o.Bool("off", false) || o.Int("n", 1, 0, 10) != 7 || o.Duration("d", 0, 0, 1e18) != 7*24*time.Hour || o.Bytes("size", 0, 0) != 10<<20 ||
		o.Bytes("none", 5, 0) != 5 || o.Secret("key") != "from file" {
		t.Error("an option was not read as given")
	}
	if err := o.Err(); err != nil {
		t.Error(err)
	}
}

func TestWrongOptions(t *testing.T) {
	for query, want := range map[string]string{
		"s=1&s=2": "s is given 2 times", "c=three": `c is "three"; known are one, two`, "b=perhaps": "want true or false",
		"n=11": "want a number from 0 to 10", "n=": "want a number", "d=10": "want a time", "d=99999999999999999999d": "want a time",
		"size=1XB": "want a size", "size=9999999999TiB": "want a size", "size=-1": "want a size", "typo=1": `"typo": known here are b, c`,
		"key-file=/nowhere/at/all": "cannot be read", "s=%zz": "invalid URL escape",
	} {
		o := options(t, query)
		o.String("s", "")
		o.Choice("c", "one", "two")
		o.Bool("b", false)
		o.Int("n", 1, 0, 10)
		o.Duration("d", 0, 0, time.Hour)
		o.Bytes("size", 0, 0)
		o.Secret("key")
		if err := o.Err(); !errors.Is(err, notify.ErrOption) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

func options(t *testing.T, query string) *notify.Options {
	t.Helper()
	return notify.NewOptions(&url.URL{RawQuery: query})
}
