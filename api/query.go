package api

import (
	"net/http"
	"net/url"
	"strconv"
)

// query is what the part of a URL behind the question mark may say.
type query struct {
	model   *string // nil when none is named
	detail  bool
	explain int // inputs to name for each row; 0 for none
}

// parseQuery reads it. Unknown parameters are ignored; known ones may come once.
func parseQuery(r *http.Request) (query, error) {
	var q query
	if r.URL.RawQuery == "" {
		return q, nil
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, problemf(http.StatusBadRequest, "query: %w", err)
	}
	for _, name := range []string{"model", "detail", "explain"} {
		if len(values[name]) > 1 {
			return q, problemf(http.StatusBadRequest, "query: %s is given %d times; want it once", name, len(values[name]))
		}
	}
	if values.Has("model") {
		name := values.Get("model")
		q.model = &name
	}
	switch detail := values.Get("detail"); {
	case detail == "1":
		q.detail = true
	case detail != "0" && values.Has("detail"):
		return q, problemf(http.StatusBadRequest, "query: detail is %q; want 0 or 1", detail)
	}
	if values.Has("explain") {
		if q.explain, err = strconv.Atoi(values.Get("explain")); err != nil || q.explain < 0 || q.explain > maxExplain {
			return q, problemf(http.StatusBadRequest, "query: explain is %q; want 0 to %d", values.Get("explain"), maxExplain)
		}
	}
	return q, nil
}
