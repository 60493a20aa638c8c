package api

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mlids/api/door"
)

// locked is a server whose doors are locked, and a key of each role.
func locked(t *testing.T, cfg Config) (f *fixture, keys map[door.Role]string) {
	t.Helper()
	file := door.OpenKeyFile(filepath.Join(t.TempDir(), "keys.json"))
	keys = map[door.Role]string{}
	for _, role := range []door.Role{door.Viewer, door.Analyst, door.Admin} {
		_, token, err := file.Add(t.Context(), door.Key{Name: role.String(), Role: role})
		if err != nil {
			t.Fatal(err)
		}
		keys[role] = token
	}
	guard, err := door.New(door.Config{KeyFile: file.Path()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return guarded(t, cfg, guard), keys
}

// Every route of both doors, asked with no key and with one of each role, answers those alone who may.
func TestRoutesAreLocked(t *testing.T) {
	f, keys := locked(t, Config{})
	for name, d := range map[string]struct {
		routes  []route
		handler http.Handler
	}{"front": {f.frontRoutes(), f.Handler()}, "admin": {f.adminRoutes(), f.AdminHandler()}} {
		for _, r := range d.routes {
			for _, role := range []door.Role{door.Nobody, door.Viewer, door.Analyst, door.Admin} {
				request := withKey(r.method, strings.ReplaceAll(r.path, "{profile...}", "cmdline"), keys[role])
				status, header := askHandler(d.handler, request)
				refused := status == http.StatusUnauthorized || status == http.StatusForbidden
				may := r.role == door.Anyone || r.role.Admits(role)
				if refused == may {
					t.Errorf("%s door: %s %s by %s: %d, and it is for %s", name, r.method, r.path, role, status, r.role)
				}
				if status == http.StatusUnauthorized && header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s %s: 401 without WWW-Authenticate", r.method, r.path)
				}
			}
		}
	}
}

func TestUnlockedDoorsStayOnTheLoopback(t *testing.T) {
	for name, cfg := range map[string]Config{
		"front": {Listen: "0.0.0.0:0"}, "admin": {Listen: "127.0.0.1:0", AdminListen: "0.0.0.0:0"},
	} {
		f := newServer(t, Config{}, stumps(t))
		f.cfg.Listen, f.cfg.AdminListen = cfg.Listen, cfg.AdminListen
		err := f.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "mlids keys add") || !strings.Contains(err.Error(), "--insecure") {
			t.Errorf("%s: %v, want what to do", name, err)
		}
		f = newServer(t, Config{Insecure: true}, stumps(t))
		f.cfg.Listen, f.cfg.AdminListen = cfg.Listen, cfg.AdminListen
		start(t, f.Server)
		f, _ = locked(t, Config{})
		f.cfg.Listen, f.cfg.AdminListen = cfg.Listen, cfg.AdminListen
		start(t, f.Server)
	}
}

func TestRowRates(t *testing.T) {
	file := door.OpenKeyFile(filepath.Join(t.TempDir(), "keys.json"))
	_, token, err := file.Add(t.Context(), door.Key{Name: "slow", Role: door.Analyst, Rows: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := door.New(door.Config{KeyFile: file.Path()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f := guarded(t, Config{}, guard)
	for i, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		r := post("/api/predictions", mediaJSON, split(t, packets(1), packets(5000)))
		r.Header.Set("Authorization", "Bearer "+token)
		status, header, body := ask(f.Server, r)
		if status != want {
			t.Errorf("request %d: %d %s, want %d", i, status, body, want)
		}
		if wait, _ := time.ParseDuration(header.Get("Retry-After") + "s"); i == 1 && (wait < 150*time.Second || wait > 200*time.Second) {
			t.Errorf("Retry-After %v, want what two rows cost", wait)
		}
	}
}
