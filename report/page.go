package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed pages
var pages embed.FS

// render writes a page, all of it or nothing.
func render(w io.Writer, name string, page any) error {
	css, err := pages.ReadFile("pages/style.css")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	t, err := template.New("").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(css) }, //nolint:gosec // our own file
		"whole": whole, "percent": percent, "number": number, "fixed": fixed, "plural": plural, "weight": weight, "base": base, "exact": exact, "third": third,
		"join": func(s []string) string { return strings.Join(s, ", ") },
	}).ParseFS(pages, "pages/*.html")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, page); err != nil {
		return fmt.Errorf("report: page %s: %w", name, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
