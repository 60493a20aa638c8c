package api

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// The inputs named for a row are the ones that mattered most, and all of them together are the margin.
func TestExplain(t *testing.T) {
	handler := newServer(t, Config{}, embedded(t)).Handler()
	body, err := os.ReadFile("../docs/flows.json")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(query string) (int, []byte) {
		r := httptest.NewRequest(http.MethodPost, "/api/predictions?"+query, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Body.Bytes()
	}
	type verdict struct {
		Class       string
		Explanation []struct {
			Input        string
			Contribution float64
			Quantile     *float64
		}
	}
	code, text := ask("explain=3")
	var verdicts []verdict
	if err := json.Unmarshal(text, &verdicts); err != nil || code != http.StatusOK {
		t.Fatalf("%d %s: %v", code, text, err)
	}
	for _, v := range verdicts {
		if len(v.Explanation) != 3 || v.Class == "" {
			t.Fatalf("got %+v, want three inputs and a class", v)
		}
		for i, c := range v.Explanation {
			if i > 0 && math.Abs(c.Contribution) > math.Abs(v.Explanation[i-1].Contribution) {
				t.Errorf("%s matters more than %s and comes later", c.Input, v.Explanation[i-1].Input)
			}
			if c.Quantile == nil || *c.Quantile < 0 || *c.Quantile > 1 {
				t.Errorf("%s has no quantile", c.Input)
			}
		}
	}
	if code, text := ask("detail=1&explain=0"); code != http.StatusOK || strings.Contains(string(text), "explanation") {
		t.Errorf("explain=0 gives %d %s", code, text)
	}
	for _, bad := range []string{"explain=-1", "explain=101", "explain=many", "explain=1&explain=2"} {
		if code, text := ask(bad); code != http.StatusBadRequest || !strings.Contains(string(text), "explain") {
			t.Errorf("%s gives %d %s", bad, code, text)
		}
	}
}
