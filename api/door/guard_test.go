package door

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newGuard(t *testing.T, cfg Config) *Guard {
	t.Helper()
	g, err := New(cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func request(authorization ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if len(authorization) > 0 {
		r.Header["Authorization"] = authorization
	}
	return r
}

func TestOpenDoors(t *testing.T) {
	g := newGuard(t, Config{KeyFile: filepath.Join(t.TempDir(), "none.json")})
	if !g.Open() {
		t.Error("locked without a key")
	}
	for _, r := range []*http.Request{request(), request("Bearer anything"), request("Basic eA==")} {
		if c, err := g.Admit(r, Admin); err != nil || c.Role != Admin {
			t.Errorf("%v, %v", c, err)
		}
	}
}

// Keys that are made lock doors that were open, and those that are revoked, or whose file is gone, do not open them again.
func TestKeysWorkWithoutARestart(t *testing.T) {
	f := keyFile(t, nil)
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, Config{KeyFile: f.Path()})
		go func() { _ = g.Run(t.Context()) }()
		within := func(want error, r *http.Request) {
			t.Helper()
			time.Sleep(time.Second) // of the bubble
			synctest.Wait()
			if _, err := g.Admit(r, Viewer); !errors.Is(err, want) {
				t.Errorf("a second later: %v, want %v", err, want)
			}
		}
		within(nil, request())
		_, token := add(t, f, Key{Name: "one", Role: Viewer})
		within(ErrUnknown, request())
		within(nil, request("Bearer "+token))
		if _, err := f.Revoke(t.Context(), "one"); err != nil {
			t.Fatal(err)
		}
		within(ErrUnknown, request("Bearer "+token))
		within(ErrUnknown, request())
		if err := os.WriteFile(f.Path(), []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		within(ErrUnavailable, request("Bearer "+token))
		if err := os.Remove(f.Path()); err != nil {
			t.Fatal(err)
		}
		within(ErrUnknown, request("Bearer "+token))
		within(ErrUnknown, request())
	})
}

func TestWhoIsLetIn(t *testing.T) {
	now := time.Now()
	f := keyFile(t, nil)
	soon := now.Add(time.Hour)
	_, viewer := add(t, f, Key{Name: "viewer", Role: Viewer})
	_, admin := add(t, f, Key{Name: "admin", Role: Admin})
	_, brief := add(t, f, Key{Name: "brief", Role: Viewer, Expires: &soon})
	_, revoked := add(t, f, Key{Name: "revoked", Role: Admin})
	if _, err := f.Revoke(t.Context(), "revoked"); err != nil {
		t.Fatal(err)
	}
	given := strings.Repeat("0123456789abcdef", 2)
	g := newGuard(t, Config{KeyFile: f.Path(), Keys: []string{"viewer=" + given}})
	id, secret, _ := splitToken(viewer)
	_, other, _ := splitToken(admin)
	for name, test := range map[string]struct {
		request *http.Request
		route   Role
		at      time.Time
		want    error
	}{
		"valid":                {request("Bearer " + viewer), Viewer, now, nil},
		"any case of Bearer":   {request("bEARER  " + viewer), Viewer, now, nil},
		"more than needed":     {request("Bearer " + admin), Viewer, now, nil},
		"given whole":          {request("Bearer " + given), Viewer, now, nil},
		"route for anyone":     {request("Bearer wrong"), Anyone, now, nil},
		"no key":               {request(), Viewer, now, ErrUnknown},
		"less than needed":     {request("Bearer " + viewer), Analyst, now, ErrForbidden},
		"given, less":          {request("Bearer " + given), Admin, now, ErrForbidden},
		"route for nobody":     {request("Bearer " + admin), Nobody, now, ErrForbidden},
		"not yet expired":      {request("Bearer " + brief), Viewer, now.Add(59 * time.Minute), nil},
		"expired":              {request("Bearer " + brief), Viewer, now.Add(61 * time.Minute), ErrUnknown},
		"revoked":              {request("Bearer " + revoked), Viewer, now, ErrUnknown},
		"two headers":          {request("Bearer "+viewer, "Bearer "+viewer), Viewer, now, ErrUnknown},
		"Basic":                {request("Basic " + viewer), Viewer, now, ErrUnknown},
		"no scheme":            {request(viewer), Viewer, now, ErrUnknown},
		"empty":                {request("Bearer "), Viewer, now, ErrUnknown},
		"another's secret":     {request("Bearer " + prefix + id + "_" + other), Viewer, now, ErrUnknown},
		"one letter more":      {request("Bearer " + viewer + "a"), Viewer, now, ErrUnknown},
		"one letter less":      {request("Bearer " + viewer[:len(viewer)-1]), Viewer, now, ErrUnknown},
		"upper case":           {request("Bearer " + prefix + id + "_" + strings.ToUpper(secret)), Viewer, now, ErrUnknown},
		"no secret":            {request("Bearer " + prefix + id + "_"), Viewer, now, ErrUnknown},
		"ID alone":             {request("Bearer " + prefix + id), Viewer, now, ErrUnknown},
		"unknown ID":           {request("Bearer " + prefix + "zzzzzzzz_" + secret), Viewer, now, ErrUnknown},
		"a megabyte":           {request("Bearer " + prefix + id + "_" + strings.Repeat("a", 1<<20)), Viewer, now, ErrUnknown},
		"given and more":       {request("Bearer " + given + "0"), Viewer, now, ErrUnknown},
		"a token, none wanted": {request("Bearer a.b.c"), Viewer, now, ErrUnknown},
		"NUL":                  {request("Bearer " + viewer + "\x00"), Viewer, now, ErrUnknown},
	} {
		g.now = func() time.Time { return test.at }
		g.failed = newTable[*bucket](10)
		c, err := g.Admit(test.request, test.route)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err == nil && c == nil {
			t.Errorf("%s: let in as nobody", name)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), given)) {
			t.Errorf("%s: the error tells a secret: %v", name, err)
		}
	}
}

func TestGivenKeys(t *testing.T) {
	good := strings.Repeat("k", 32)
	for text, ok := range map[string]bool{
		good: true, "admin=" + good: true, "root=" + good: true /* no role: part of the key */, good[1:]: false, "viewer=" + good[1:]: false,
		"": false, good + " x": false, good + "\n": false, "@/does/not/exist": false, strings.Repeat("k", 600): false,
	} {
		_, err := New(Config{Keys: []string{text}}, quiet())
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if _, err := New(Config{Keys: make([]string, 65)}, quiet()); !errors.Is(err, ErrConfig) {
		t.Errorf("65 keys: %v", err)
	}
}

// A key in a file of its own, as secrets are mounted, may be exchanged.
func TestGivenKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 41)
	write(one + "\n")
	g := newGuard(t, Config{Keys: []string{"@" + file}})
	try := func(key string, want error) {
		t.Helper()
		g.rereadGiven()
		if _, err := g.Admit(request("Bearer "+key), Analyst); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	try(one, nil)
	write(two)
	try(two, nil)
	try(one, ErrUnknown)
	write("short")
	try(two, ErrUnknown)
	try("short", ErrUnknown)
}

func TestRates(t *testing.T) {
	now := time.Now()
	f := keyFile(t, nil)
	_, token := add(t, f, Key{Name: "one", Role: Analyst, Requests: 2, Rows: 100})
	g := newGuard(t, Config{KeyFile: f.Path()})
	g.now = func() time.Time { return now }
	ask := func() (*Caller, error) { return g.Admit(request("Bearer "+token), Analyst) }
	var limit *LimitError
	for i, ok := range []bool{true, true, false} {
		if _, err := ask(); (err == nil) != ok || !ok && (!errors.As(err, &limit) || limit.Seconds() != 1) {
			t.Errorf("request %d: %v", i+1, err)
		}
	}
	// Reading the file again must not give the requests back.
	add(t, f, Key{Name: "two", Role: Viewer})
	if err := g.reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(); err == nil {
		t.Error("another key gave this one its requests back")
	}
	now = now.Add(500 * time.Millisecond)
	c, err := ask()
	if err != nil {
		t.Fatalf("half a second later: %v", err)
	}
	// A table of ten seconds' rows is taken, and paid for by waiting.
	if err := c.Rows(now, 1000); err != nil {
		t.Errorf("a large table: %v", err)
	}
	if err := c.Rows(now, 1); !errors.As(err, &limit) || limit.Seconds() != 10 {
		t.Errorf("the next: %v, want a wait of 10 s", err)
	}
	if err := c.Rows(now.Add(10*time.Second), 1); err != nil {
		t.Errorf("10 s later: %v", err)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	f := keyFile(t, nil)
	_, token := add(t, f, Key{Name: "one", Role: Viewer})
	g := newGuard(t, Config{KeyFile: f.Path()})
	now := time.Now()
	g.now = func() time.Time { return now }
	count := func(remote string) (unknown, limited int) {
		for range 100 {
			r := request("Bearer wrong")
			r.RemoteAddr = remote
			var limit *LimitError
			switch _, err := g.Admit(r, Viewer); {
			case errors.As(err, &limit):
				limited++
			case errors.Is(err, ErrUnknown):
				unknown++
			}
		}
		return unknown, limited
	}
	if unknown, limited := count("192.0.2.1:1"); unknown != failuresAtOnce || limited != 100-failuresAtOnce {
		t.Errorf("%d told that they are unknown, %d to wait", unknown, limited)
	}
	if _, limited := count("[2001:db8::1]:1"); limited != 100-failuresAtOnce {
		t.Errorf("IPv6: %d told to wait", limited)
	}
	if unknown, _ := count("[2001:db8::2]:1"); unknown != 0 {
		t.Errorf("another address of the same /64: %d more tries", unknown)
	}
	r := request("Bearer " + token)
	r.RemoteAddr = "192.0.2.1:2"
	if _, err := g.Admit(r, Viewer); err != nil {
		t.Errorf("a good key from the same address: %v", err)
	}
	for i := range 3 * maxSubjects {
		r := request("Bearer wrong")
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		_, _ = g.Admit(r, Viewer)
	}
	if n := len(g.failed.by); n > maxSubjects {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestCertificatesHaveRoles(t *testing.T) {
	now := time.Now()
	g := newGuard(t, Config{Subjects: Subjects{"ops": Admin}})
	with := func(name string, verified bool) *http.Request {
		cert := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: now.Add(time.Hour)}
		r := request()
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
		if verified {
			r.TLS.VerifiedChains = [][]*x509.Certificate{{cert}}
		}
		return r
	}
	for name, test := range map[string]struct {
		request *http.Request
		at      time.Time
		want    error
	}{
		"known":              {with("ops", true), now, nil},
		"unknown":            {with("eve", true), now, ErrUnknown},
		"not verified":       {with("ops", false), now, ErrUnknown},
		"none":               {request(), now, ErrUnknown},
		"expired on the way": {with("ops", true), now.Add(2 * time.Hour), ErrUnknown},
	} {
		g.now = func() time.Time { return test.at }
		g.failed = newTable[*bucket](10)
		if _, err := g.Admit(test.request, Admin); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestLogsTellNoSecrets(t *testing.T) {
	var log bytes.Buffer
	f := keyFile(t, nil)
	_, token := add(t, f, Key{Name: "one", Role: Viewer})
	given := strings.Repeat("g", 40)
	g, err := New(Config{KeyFile: f.Path(), Keys: []string{given}}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = g.Admit(request("Bearer "+token), Admin)
	keys, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := splitToken(token)
	for _, hidden := range []string{secret, given, keys[0].Hash} {
		if strings.Contains(log.String(), hidden) {
			t.Errorf("the log tells %s", hidden)
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

// Each request is checked, so checking must not make garbage.
func TestAdmitNotAllocate(t *testing.T) {
	f := keyFile(t, nil)
	_, token := add(t, f, Key{Name: "one", Role: Analyst, Requests: 1e9})
	g := newGuard(t, Config{KeyFile: f.Path()})
	r := request("Bearer " + token)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := g.Admit(r, Analyst); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkAdmit(b *testing.B) {
	f := OpenKeyFile(filepath.Join(b.TempDir(), "keys.json"))
	_, token, err := f.Add(b.Context(), Key{Name: "one", Role: Analyst, Requests: 1e9})
	if err != nil {
		b.Fatal(err)
	}
	g, err := New(Config{KeyFile: f.Path()}, quiet())
	if err != nil {
		b.Fatal(err)
	}
	r := request("Bearer " + token)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Admit(r, Analyst); err != nil {
			b.Fatal(err)
		}
	}
}
