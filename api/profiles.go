package api

import (
	"net/http"
	"net/http/pprof"
)

// profiles answers /debug/pprof/ and what is below it, as go tool pprof asks.
func profiles(w http.ResponseWriter, r *http.Request) error {
	switch r.PathValue("profile") {
	case "cmdline": // may hold secrets
		return problemf(http.StatusNotFound, "the command line is not shown")
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
	return nil
}
