package api

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// link is an entry of the front page.
type link struct {
	Href    string `json:"href"`
	Meaning string `json:"meaning"`
}

// frontPage is what GET / says.
type frontPage struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Version string `json:"version"`
	Links   []link `json:"links"`
}

func (s *Server) frontPage() frontPage {
	return frontPage{
		Name:    "mlids",
		About:   "Network intrusion detection: classifies network flows as benign or attack.",
		Version: s.cfg.Version,
		Links: []link{
			{"/openapi.yaml", "how to ask: POST /api/predictions and POST /predict"},
			{"/api/models", "the models that can be asked"},
			{"/healthz", "whether the process lives"},
			{"/readyz", "whether it can classify"},
			{"/version", "what runs here"},
			{"/metrics", "counters for Prometheus"},
		},
	}
}

const pageText = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Name}}</title></head>
<body><h1>{{.Name}} {{.Version}}</h1><p>{{.About}}</p><ul>
{{range .Links}}<li><a href="{{.Href}}">{{.Href}}</a> – {{.Meaning}}</li>
{{end}}</ul></body></html>
`

// index answers GET / with JSON, or HTML for browsers.
func (s *Server) index(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Vary", "Accept")
	if !prefersHTML(r.Header.Get("Accept")) {
		writeJSON(w, http.StatusOK, s.frontPage())
		return nil
	}
	var b strings.Builder
	page, err := template.New("index").Parse(pageText)
	if err != nil {
		return err
	}
	if err := page.Execute(&b, s.frontPage()); err != nil {
		return err
	}
	writeBody(w, http.StatusOK, "text/html; charset=utf-8", []byte(b.String()))
	return nil
}

// prefersHTML reports whether an Accept header ranks HTML above JSON (RFC 9110, section 12.5.1).
func prefersHTML(accept string) bool {
	html, json := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		media, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "text/html":
			html = max(html, weight(params))
		case "application/json":
			json = max(json, weight(params))
		}
	}
	return html > json
}

// weight is the q parameter.
func weight(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		if value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(p)), "q="); ok {
			q, _ := strconv.ParseFloat(value, 64)
			return q
		}
	}
	return 1
}
