package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/mitigate"
)

// wire is an enforcer that takes everything.
type wire struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (w *wire) Name() string { return "wire" }

func (w *wire) Apply(_ context.Context, b mitigate.Block) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids[b.ID] = true
	return nil
}

func (w *wire) Lift(_ context.Context, b mitigate.Block) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.ids, b.ID)
	return nil
}

func (w *wire) Blocks(context.Context) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.ids)), nil
}

// defended is a server with a defender that runs, and allows 10.0.0.0/24.
func defended(t *testing.T) *fixture {
	t.Helper()
	d, err := mitigate.New(
		mitigate.Config{Dir: t.TempDir(), Policy: mitigate.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}},
		mitigate.Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry(), Enforcer: &wire{ids: map[string]bool{}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return withDeps(t, Config{}, Deps{Models: stumps(t), Blocks: d})
}

func askBlocks(h http.Handler, method, path, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The examples of the description work, and what they block is listed, kept by polls without change, and lifted.
func TestBlocksAreAddedListedAndLifted(t *testing.T) {
	f := defended(t)
	doc, _ := parseSpec(t, AdminAPI(), "http://localhost")
	examples := doc.Paths.Find("/api/blocks").Post.RequestBody.Value.Content.Get("application/json").Examples
	var ids []string
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		body, err := json.Marshal(examples[name].Value.Value)
		if err != nil {
			t.Fatal(err)
		}
		r := askBlocks(f.AdminHandler(), http.MethodPost, "/api/blocks", string(body))
		var made mitigate.Shown
		if err := json.Unmarshal([]byte(bodyOf(t, r)), &made); err != nil || r.StatusCode != http.StatusCreated || !made.Confirmed || made.Strike != 1 {
			t.Fatalf("example %s: %d %+v: %v", name, r.StatusCode, made, err)
		}
		ids = append(ids, made.ID)
	}
	r := askBlocks(f.Handler(), http.MethodGet, "/api/blocklist", "")
	if text := bodyOf(t, r); text != "203.0.113.7\n" { // the limit is for its port alone
		t.Errorf("list %q", text)
	}
	tag := r.Header.Get("ETag")
	if r := askBlocks(f.Handler(), http.MethodGet, "/api/blocklist", "", "If-None-Match", `"old", `+tag); r.StatusCode != http.StatusNotModified || bodyOf(t, r) != "" {
		t.Errorf("polled again: %d", r.StatusCode)
	}
	var rows []listedRow
	if r := askBlocks(f.Handler(), http.MethodGet, "/api/blocklist?format=xml", ""); r.StatusCode != http.StatusBadRequest {
		t.Errorf("another format is answered %d", r.StatusCode)
	}
	r = askBlocks(f.Handler(), http.MethodGet, "/api/blocklist", "", "Accept", "application/json")
	if err := json.Unmarshal([]byte(bodyOf(t, r)), &rows); err != nil || len(rows) != 1 || rows[0].Class != "by hand" || !rows[0].Until.After(time.Now()) {
		t.Errorf("as JSON %+v: %v", rows, err)
	}
	for _, id := range ids {
		if r := askBlocks(f.AdminHandler(), http.MethodDelete, "/api/blocks/"+id, ""); r.StatusCode != http.StatusNoContent {
			t.Errorf("lift %s: %d %s", id, r.StatusCode, bodyOf(t, r))
		}
		if r := askBlocks(f.AdminHandler(), http.MethodDelete, "/api/blocks/"+id, ""); r.StatusCode != http.StatusNotFound {
			t.Errorf("lift %s again: %d", id, r.StatusCode)
		}
	}
	if text := bodyOf(t, askBlocks(f.AdminHandler(), http.MethodGet, "/api/blocks", "")); text != "[]\n" {
		t.Errorf("in the end there is %s", text)
	}
	if r := askBlocks(f.Handler(), http.MethodGet, "/api/blocklist", "", "If-None-Match", tag); r.StatusCode != http.StatusOK {
		t.Errorf("a changed list is answered %d", r.StatusCode)
	}
}

func TestWrongBlocks(t *testing.T) {
	f := defended(t)
	for body, want := range map[string]int{
		`{`:                                    http.StatusBadRequest,
		`{"kind":"drop"}`:                      http.StatusBadRequest,
		`{"match":{"src":"203.0.113.1/32"}}{}`: http.StatusBadRequest,
		`{"match":{}}`:                         http.StatusBadRequest,
		`{"match":{"src":"10.9.9.9/8"}}`:       http.StatusBadRequest,
		`{"match":{"src":"nobody"}}`:           http.StatusBadRequest,
		`{"match":{"src":"10.0.0.7/32"}}`:      http.StatusConflict, // allowed
		`{"kind":"limit","match":{"port":1}}`:  http.StatusBadRequest,
		`{"match":{"src":"203.0.113.1/32"},"colour":"red"}`: http.StatusBadRequest,
		strings.Repeat(" ", maxBlockBody) + `{}`:            http.StatusBadRequest,
	} {
		if r := askBlocks(f.AdminHandler(), http.MethodPost, "/api/blocks", body); r.StatusCode != want {
			t.Errorf("%.60q: %d %s, want %d", body, r.StatusCode, bodyOf(t, r), want)
		}
	}
	if r := askBlocks(f.Handler(), http.MethodPost, "/api/blocks", `{"match":{"src":"203.0.113.1/32"}}`); r.StatusCode != http.StatusNotFound {
		t.Errorf("at the front door: %d", r.StatusCode)
	}
}

// A server that blocks nothing says so.
func TestServerWithoutMitigation(t *testing.T) {
	f := newServer(t, Config{}, stumps(t))
	if r := askBlocks(f.Handler(), http.MethodGet, "/api/blocklist", ""); r.StatusCode != http.StatusOK || bodyOf(t, r) != "" {
		t.Errorf("list: %d", r.StatusCode)
	}
	if r := askBlocks(f.AdminHandler(), http.MethodPost, "/api/blocks", `{"match":{"src":"203.0.113.1/32"}}`); r.StatusCode != http.StatusConflict {
		t.Errorf("add: %d", r.StatusCode)
	}
	if r := askBlocks(f.AdminHandler(), http.MethodDelete, "/api/blocks/x", ""); r.StatusCode != http.StatusConflict {
		t.Errorf("lift: %d", r.StatusCode)
	}
}

// Of what is blocked, only whole sources that nobody forged are for other firewalls.
func TestWhatIsListed(t *testing.T) {
	src := netip.MustParsePrefix("203.0.113.9/32")
	drop := func(m mitigate.Match) mitigate.Active {
		return mitigate.Active{Block: mitigate.Block{Kind: mitigate.Drop, Match: m}}
	}
	at := mitigate.Match{Src: src, Port: mitigate.Port{Switch: 1, Number: 2}}
	forged, dry, limited := drop(at), drop(at), drop(at)
	forged.Forged, dry.DryRun, limited.Kind = true, true, mitigate.Limit
	for name, c := range map[string]struct {
		a    mitigate.Active
		want int
	}{
		"anywhere": {drop(mitigate.Match{Src: src}), 1}, "at a port": {drop(at), 1}, "one service": {drop(mitigate.Match{Src: src, Proto: 6}), 0},
		"forged": {forged, 0}, "dry run": {dry, 0}, "limited": {limited, 0},
	} {
		if got := len(listed([]mitigate.Active{c.a})); got != c.want {
			t.Errorf("%s: listed %d times, want %d", name, got, c.want)
		}
	}
}
