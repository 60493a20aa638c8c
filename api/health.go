package api

import (
	"net/http"
	"runtime"
)

// state is what /healthz and /readyz answer.
type state struct {
	Status string   `json:"status"`
	Models []string `json:"models,omitempty"`
}

// health says that the process lives.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, state{Status: "ok"})
	return nil
}

// ready says whether requests should be sent here: at least one model can be asked, and the server is not stopping.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) error {
	if s.stopping.Load() {
		notReady(w, "stopping")
		return nil
	}
	var usable []string
	for _, e := range s.deps.Models.List() {
		if _, err := s.classifier(e.Model); err == nil {
			usable = append(usable, e.Name)
		}
	}
	if len(usable) == 0 {
		notReady(w, "no models")
		return nil
	}
	writeJSON(w, http.StatusOK, state{"ready", usable})
	return nil
}

func notReady(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", retryAfter)
	writeJSON(w, http.StatusServiceUnavailable, state{Status: why})
}

// version says what runs here.
func (s *Server) version(w http.ResponseWriter, _ *http.Request) error {
	writeJSON(w, http.StatusOK, struct {
		Version string `json:"version"`
		Go      string `json:"go"`
		System  string `json:"system"`
	}{s.cfg.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
	return nil
}
