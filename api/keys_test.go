package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"mlids/api/door"
)

// The life of a key at the admin door, by the key of an admin.
func TestKeysAtTheAdminDoor(t *testing.T) {
	file := door.OpenKeyFile(filepath.Join(t.TempDir(), "keys.json"))
	_, admin, err := file.Add(t.Context(), door.Key{Name: "admin", Role: door.Admin})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := door.New(door.Config{KeyFile: file.Path()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := withDeps(t, Config{}, Deps{Models: stumps(t), Guard: guard, Keys: file}).Server
	send := func(method, path, body string, want int) (made door.Shown) {
		t.Helper()
		r := withKey(method, path, admin)
		if body != "" {
			r = httptest.NewRequest(method, path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+admin)
			r.Header.Set("Content-Type", mediaJSON)
		}
		w := httptest.NewRecorder()
		s.AdminHandler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s %s %s: %d %s, want %d", method, path, body, w.Code, w.Body, want)
		}
		if strings.Contains(w.Body.String(), "sha256") {
			t.Errorf("the answer shows a hash: %s", w.Body)
		}
		_ = json.Unmarshal(w.Body.Bytes(), &made)
		return made
	}
	made := send(http.MethodPost, "/api/keys", `{"name":"dashboard","role":"viewer","rows_per_second":5}`, http.StatusCreated)
	if !strings.HasPrefix(made.Key, "mlids_"+made.ID+"_") || made.Role != door.Viewer || made.Rows != 5 {
		t.Errorf("made %+v", made)
	}
	for _, body := range []string{
		`{"name":"dashboard","role":"viewer"}`, `{"name":"x"}`, `{"name":"x","role":"root"}`, `{"name":"x","role":"viewer","id":"a"}`,
		`{"name":"x","role":"viewer"}{}`, `{"name":"x","role":"viewer","rows_per_second":-1}`, `[`, `{"name":"` + strings.Repeat("x", 5000) + `","role":"viewer"}`,
	} {
		send(http.MethodPost, "/api/keys", body, http.StatusBadRequest)
	}
	send(http.MethodGet, "/api/keys", "", http.StatusOK)
	if gone := send(http.MethodDelete, "/api/keys/"+made.ID, "", http.StatusOK); gone.State != "revoked" || gone.Key != "" {
		t.Errorf("revoked %+v", gone)
	}
	send(http.MethodDelete, "/api/keys/"+made.ID, "", http.StatusNotFound)
	keys, err := file.List()
	if err != nil || len(keys) != 2 || keys[1].Revoked == nil {
		t.Errorf("the file has %v, %v", keys, err)
	}
}
