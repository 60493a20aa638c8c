package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// FuzzPredictions sends any bytes as a table: the answer is JSON, with a status that openapi.yaml names and no panic.
func FuzzPredictions(f *testing.F) {
	s := newServer(f, Config{MaxBody: 1 << 16, MaxRows: 100}, stumps(f)).Server
	good := split(f, packets(1), packets("5000"))
	for _, body := range []string{good, `{"dataframe_split":` + good + `}`, `{"columns":[],"data":[]}`, "{", "", gzipped(f, good)} {
		f.Add(body, false, "")
		f.Add(body, true, "detail=1")
	}
	f.Fuzz(func(t *testing.T, body string, compressed bool, question string) {
		r := post("/api/predictions", mediaSplit, body)
		r.URL.RawQuery = question
		if compressed {
			r.Header.Set("Content-Encoding", "gzip")
		}
		wantStatus(t, s, r, http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge)
	})
}

// FuzzPredict sends any bytes as KDD connections.
func FuzzPredict(f *testing.F) {
	s := newServer(f, Config{MaxBody: 1 << 16, MaxRows: 100}, stumps(f)).Server
	good := document(f, connection(f, nil))
	for _, body := range []string{good, "[" + good + "," + good + "]", "[]", "{}", "", "\uFEFF [] "} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		wantStatus(t, s, post("/predict", mediaJSON, body), http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	})
}

func wantStatus(t *testing.T, s *Server, r *http.Request, allowed ...int) {
	t.Helper()
	status, _, answer := ask(s, r)
	if !json.Valid([]byte(answer)) {
		t.Errorf("status %d, and the answer is not JSON: %q", status, answer)
	}
	if !slices.Contains(allowed, status) {
		t.Errorf("status %d: %s", status, answer)
	}
}
