package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mlids/model"
	"mlids/model/registry"
)

func get(path, accept string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	return r
}

func TestAbout(t *testing.T) {
	s := newServer(t, Config{Version: "v1.2.3"}, stumps(t)).Server
	tests := map[string]struct{ path, accept, media, part string }{
		"front page":         {"/", "", "application/json", `"name":"mlids"`},
		"for anybody":        {"/", "*/*", "application/json", `"href":"/openapi.yaml"`},
		"for a browser":      {"/", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8", "<h1>mlids v1.2.3</h1>"},
		"JSON rather":        {"/", "text/html;q=0.5, application/json", "application/json", `"version":"v1.2.3"`},
		"health":             {"/healthz", "", "application/json", `{"status":"ok"}`},
		"readiness":          {"/readyz", "", "application/json", `{"status":"ready","models":["cicflow","kdd99"]}`},
		"version":            {"/version", "", "application/json", `{"version":"v1.2.3","go":"go1.`},
		"models":             {"/api/models", "", "application/json", `"schema":"cicflow/common","algorithm":"tree","classes":["benign","attack"],"inputs":46,"threshold":0.5,"origin":"embedded","active":true}`},
		"description":        {"/openapi.yaml", "", "application/yaml", "openapi: 3.1.0"},
		"metrics":            {"/metrics", "", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "# TYPE mlids_http_requests_total counter"},
		"questions ignored ": {"/healthz?a=b", "", "application/json", "ok"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, _ = ask(s, get("/healthz", "")) // so that there is something to count
			status, header, body := ask(s, get(test.path, test.accept))
			if status != http.StatusOK || header.Get("Content-Type") != test.media || !strings.Contains(body, test.part) {
				t.Errorf("%d %s %s, want %s with %s", status, header.Get("Content-Type"), body, test.media, test.part)
			}
		})
	}
}

func TestNoSuchOperation(t *testing.T) {
	s := newServer(t, Config{}, stumps(t)).Server
	tests := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nothing", 404, ""},
		{"GET", "/api/predictions/", 404, ""},
		{"POST", "/api", 404, ""},
		{"GET", "/api/predictions", 405, "POST"},
		{"HEAD", "/predict", 405, "POST"},
		{"DELETE", "/predict", 405, "POST"},
		{"OPTIONS", "/predict", 405, "POST"},
		{"POST", "/", 405, "GET, HEAD"},
		{"PUT", "/healthz", 405, "GET, HEAD"},
		{"BREW", "/metrics", 405, "GET, HEAD"},
	}
	for _, test := range tests {
		t.Run(test.method+test.path, func(t *testing.T) {
			status, header, body := ask(s, httptest.NewRequest(test.method, test.path, nil))
			if status != test.status || header.Get("Allow") != test.allow {
				t.Errorf("%d, Allow %q, want %d, %q", status, header.Get("Allow"), test.status, test.allow)
			}
			wantError(t, header, body, "", test.allow)
		})
	}
}

func TestHead(t *testing.T) {
	url := start(t, newServer(t, Config{}, stumps(t)).Server)
	for _, path := range []string{"/", "/healthz", "/openapi.yaml"} {
		res, err := http.Head(url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.ContentLength <= 0 {
			t.Errorf("HEAD %s: %s, %d bytes", path, res.Status, res.ContentLength)
		}
	}
}

// A server whose models cannot be asked says so, everywhere.
func TestWithoutModels(t *testing.T) {
	m, err := model.New(model.Info{Name: "odd", Schema: "cicflow/v0", Inputs: []string{"a"}, Classes: []string{"no", "yes"}},
		&model.Forest{Inputs: 1, Outputs: 1, Base: []float64{0}, Link: model.Logistic})
	if err != nil {
		t.Fatal(err)
	}
	odd := &registry.Registry{}
	if err := odd.Add(registry.File, m); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, Config{}, odd).Server
	for _, test := range []struct {
		request *http.Request
		status  int
		part    string
	}{
		{get("/readyz", ""), 503, "no models"},
		{get("/healthz", ""), 200, "ok"},
		{post("/api/predictions", mediaJSON, "{}"), 404, "model odd cannot be asked: unknown schema"},
		{post("/api/predictions?model=odd", mediaJSON, "{}"), 404, "model odd cannot be asked: unknown schema"},
		{post("/predict", mediaJSON, "{}"), 503, "no model for kdd99 is loaded"},
	} {
		status, header, body := ask(s, test.request)
		if status != test.status || !strings.Contains(body, test.part) {
			t.Errorf("%s: %d %s, want %d %s", test.request.URL, status, body, test.status, test.part)
		}
		if busy := status == http.StatusServiceUnavailable; busy != (header.Get("Retry-After") != "") {
			t.Errorf("%s: Retry-After %q", test.request.URL, header.Get("Retry-After"))
		}
	}
}

// A model from elsewhere names no schema; the one that has its inputs is found, and odd classes and numbers stay JSON.
func TestModelFromElsewhere(t *testing.T) {
	m, err := model.New(model.Info{Name: "elsewhere", Inputs: []string{"count", "hot"}, Classes: []string{"fine", `"bad"`}},
		&model.Forest{Inputs: 2, Outputs: 1, Base: []float64{3}, Link: model.Logistic})
	if err != nil {
		t.Fatal(err)
	}
	r := &registry.Registry{}
	if err := r.Add(registry.File, m); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, Config{}, r).Server
	_, _, body := ask(s, post("/api/predictions?model=elsewhere&detail=1", mediaJSON, `{"columns":["hot","count"],"data":[[1,2]]}`))
	var got []struct {
		Class       string
		Probability float64
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 1 || got[0].Class != `"bad"` || got[0].Probability < 0.9 {
		t.Errorf("%s: %v", body, err)
	}
}
