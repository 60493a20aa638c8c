package api

import (
	"net/http"
	"slices"
	"strings"
)

// route is one operation of the API.
type route struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request) error
	fail         errorForm
}

// routes lists all operations; openapi.yaml has the same, a test compares them.
func (s *Server) routes() []route {
	return []route{
		{http.MethodGet, "/", s.index, plainError},
		{http.MethodPost, "/api/predictions", s.predictions, plainError},
		{http.MethodPost, "/predict", s.predict, statusError},
		{http.MethodGet, "/api/models", s.models, plainError},
		{http.MethodGet, "/healthz", s.health, plainError},
		{http.MethodGet, "/readyz", s.ready, plainError},
		{http.MethodGet, "/version", s.version, plainError},
		{http.MethodGet, "/openapi.yaml", s.spec, plainError},
		{http.MethodGet, "/metrics", s.exposition(), plainError},
	}
}

// mux routes requests; whatever no route takes is answered in JSON too.
func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{} // by path
	for _, r := range s.routes() {
		pattern := r.path
		if pattern == "/" {
			pattern = "/{$}"
		}
		mux.Handle(r.method+" "+pattern, s.operation(r))
		allowed[r.path] = append(allowed[r.path], r.method)
		if r.method == http.MethodGet {
			allowed[r.path] = append(allowed[r.path], http.MethodHead)
		}
	}
	mux.Handle("/", s.operation(route{path: "other", fail: plainError, handle: unmatched(allowed)}))
	return mux
}

// unmatched answers 405 for paths that exist and 404 for others.
func unmatched(allowed map[string][]string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		methods, exists := allowed[r.URL.Path]
		if !exists {
			return problemf(http.StatusNotFound, "no such path; /openapi.yaml describes those that exist")
		}
		slices.Sort(methods)
		list := strings.Join(methods, ", ")
		w.Header().Set("Allow", list)
		return problemf(http.StatusMethodNotAllowed, "%s takes %s", r.URL.Path, list)
	}
}
