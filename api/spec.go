package api

import (
	_ "embed" // of openapi.yaml
	"net/http"
	"slices"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the API's description, OpenAPI 3.1 in YAML.
func OpenAPI() []byte { return slices.Clone(openAPI) }

// spec answers GET /openapi.yaml.
func (s *Server) spec(w http.ResponseWriter, _ *http.Request) error {
	writeBody(w, http.StatusOK, "application/yaml", openAPI)
	return nil
}
