package api

import (
	"net/http"
	"slices"
	"strings"

	"mlids/api/door"
)

// route is one operation of the API.
type route struct {
	method, path string
	role         door.Role // who may call it: this role and those above
	handle       func(http.ResponseWriter, *http.Request) error
	fail         errorForm
}

// frontRoutes lists the operations for clients; openapi.yaml has the same, a test compares them.
func (s *Server) frontRoutes() []route {
	return append(s.sharedRoutes(openAPI),
		route{http.MethodGet, "/", door.Anyone, s.index, plainError},
		route{http.MethodGet, "/api/blocklist", door.Viewer, s.blocklist, plainError},
		route{http.MethodPost, "/api/predictions", door.Analyst, s.predictions, plainError},
		route{http.MethodPost, "/predict", door.Analyst, s.predict, statusError},
		route{http.MethodPost, "/invocations", door.Analyst, s.invocations, plainError},
		route{http.MethodGet, "/ping", door.Anyone, s.ping, plainError},
	)
}

// adminRoutes lists the operations for operators; admin.yaml has the same.
func (s *Server) adminRoutes() []route {
	return append(s.sharedRoutes(adminAPI),
		route{http.MethodGet, "/api/blocks", door.Viewer, s.listBlocks, plainError},
		route{http.MethodPost, "/api/blocks", door.Admin, s.addBlock, plainError},
		route{http.MethodDelete, "/api/blocks/{id}", door.Admin, s.liftBlock, plainError},
		route{http.MethodGet, "/debug/pprof/{profile...}", door.Admin, profiles, plainError},
		route{http.MethodGet, "/api/keys", door.Admin, s.keyList, plainError},
		route{http.MethodPost, "/api/keys", door.Admin, s.keyAdd, plainError},
		route{http.MethodDelete, "/api/keys/{id}", door.Admin, s.keyRevoke, plainError},
	)
}

// sharedRoutes lists the operations of both doors; spec describes the door.
func (s *Server) sharedRoutes(spec []byte) []route {
	return []route{
		{http.MethodGet, "/api/models", door.Viewer, s.models, plainError},
		{http.MethodGet, "/healthz", door.Anyone, s.health, plainError},
		{http.MethodGet, "/readyz", door.Anyone, s.ready, plainError},
		{http.MethodGet, "/version", door.Anyone, s.version, plainError},
		{http.MethodGet, "/openapi.yaml", door.Anyone, serveSpec(spec), plainError},
		{http.MethodGet, "/metrics", door.Viewer, s.exposition(), plainError},
	}
}

// mux routes requests; whatever no route takes is answered in JSON too.
func (s *Server) mux(at *entrance, routes []route) http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{} // by pattern
	for _, r := range routes {
		pattern := r.path
		if pattern == "/" {
			pattern = "/{$}"
		}
		mux.Handle(r.method+" "+pattern, s.operation(at, r))
		methods[pattern] = append(methods[pattern], r.method)
		if r.method == http.MethodGet {
			methods[pattern] = append(methods[pattern], http.MethodHead)
		}
	}
	for pattern, allowed := range methods {
		mux.Handle(pattern, s.operation(at, route{path: "other", role: door.Anyone, fail: plainError, handle: notAllowed(allowed)}))
	}
	other := s.operation(at, route{path: "other", role: door.Anyone, fail: plainError, handle: notFound})
	mux.Handle("/", other)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect { // has no path, which mux answers by itself
			other.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// notFound answers 404.
func notFound(http.ResponseWriter, *http.Request) error {
	return problemf(http.StatusNotFound, "no such path; /openapi.yaml describes those that exist")
}

// notAllowed answers 405 for a path that exists.
func notAllowed(methods []string) func(http.ResponseWriter, *http.Request) error {
	slices.Sort(methods)
	list := strings.Join(methods, ", ")
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", list)
		return problemf(http.StatusMethodNotAllowed, "%s takes %s", r.URL.Path, list)
	}
}
