package api

import (
	"net/http"
	"net/http/pprof"
	"strconv"
)

// maxProfile is how long a profile may run, in seconds.
const maxProfile = 120

// profiles answers /debug/pprof/ and what is below it, as go tool pprof asks.
func profiles(w http.ResponseWriter, r *http.Request) error {
	if text := r.FormValue("seconds"); text != "" { // net/http/pprof would give the answer as long as it takes
		if seconds, err := strconv.ParseFloat(text, 64); err != nil || !(seconds > 0 && seconds <= maxProfile) {
			return problemf(http.StatusBadRequest, "query: seconds is %.20q; want up to %d", text, maxProfile)
		}
	}
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
