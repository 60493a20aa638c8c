package api

import (
	_ "embed" // of openapi.yaml and admin.yaml
	"net/http"
	"slices"
)

//go:embed openapi.yaml
var openAPI []byte

//go:embed admin.yaml
var adminAPI []byte

// OpenAPI returns the API's description, OpenAPI 3.1 in YAML.
func OpenAPI() []byte { return slices.Clone(openAPI) }

// AdminAPI returns the description of the admin door.
func AdminAPI() []byte { return slices.Clone(adminAPI) }

// serveSpec answers GET /openapi.yaml.
func serveSpec(text []byte) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		writeBody(w, http.StatusOK, "application/yaml", text)
		return nil
	}
}
