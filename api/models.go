package api

import "net/http"

// modelEntry is a model in the answer of /api/models.
type modelEntry struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Schema    string   `json:"schema"`
	Algorithm string   `json:"algorithm"`
	Classes   []string `json:"classes"`
	Inputs    int      `json:"inputs"`
	Threshold float64  `json:"threshold"`
	Origin    string   `json:"origin"`
	Active    bool     `json:"active"`
}

// models lists the models that can be asked.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) error {
	listed := s.deps.Models.List()
	list := make([]modelEntry, 0, len(listed))
	for _, e := range listed {
		i := e.Model.Info()
		list = append(list, modelEntry{i.Name, i.Version, i.Schema, i.Algorithm, i.Classes, len(i.Inputs), i.Threshold, e.Origin, e.Active})
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}
