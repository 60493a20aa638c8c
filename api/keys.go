package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"mlids/api/door"
)

// Bounds of changing keys.
const (
	maxKeyBody = 4 << 10 // bytes
	keyWait    = 10 * time.Second
)

// keyFile is where keys are kept.
func (s *Server) keyFile() (*door.KeyFile, error) {
	if s.deps.Keys == nil {
		return nil, problemf(http.StatusNotFound, "this server has no key file")
	}
	return s.deps.Keys, nil
}

// keyList answers GET /api/keys.
func (s *Server) keyList(w http.ResponseWriter, _ *http.Request) error {
	file, err := s.keyFile()
	if err != nil {
		return err
	}
	keys, err := file.List()
	if err != nil {
		return err
	}
	list := make([]door.Shown, 0, len(keys))
	for _, k := range keys {
		list = append(list, k.Show(time.Now()))
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// keyAdd answers POST /api/keys: the key is in the answer, once.
func (s *Server) keyAdd(w http.ResponseWriter, r *http.Request) error {
	file, err := s.keyFile()
	if err != nil {
		return err
	}
	var wanted struct {
		Name     string     `json:"name"`
		Role     door.Role  `json:"role"`
		Expires  *time.Time `json:"expires"`
		Requests float64    `json:"requests_per_second"`
		Rows     float64    `json:"rows_per_second"`
	}
	if err := readDocument(w, r, maxKeyBody, "a key to make", &wanted); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), keyWait)
	defer cancel()
	k, token, err := file.Add(ctx, door.Key{
		Name: wanted.Name, Role: wanted.Role, Expires: wanted.Expires, Requests: wanted.Requests, Rows: wanted.Rows,
	})
	if err != nil {
		return keyProblem(err)
	}
	e := k.Show(time.Now())
	e.Key = token
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusCreated, e)
	return nil
}

// keyRevoke answers DELETE /api/keys/{id}.
func (s *Server) keyRevoke(w http.ResponseWriter, r *http.Request) error {
	file, err := s.keyFile()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), keyWait)
	defer cancel()
	k, err := file.Revoke(ctx, r.PathValue("id"))
	if err != nil {
		return keyProblem(err)
	}
	writeJSON(w, http.StatusOK, k.Show(time.Now()))
	return nil
}

func keyProblem(err error) error {
	switch {
	case errors.Is(err, door.ErrNoKey):
		return problemf(http.StatusNotFound, "%w", err)
	case errors.Is(err, door.ErrKey):
		return problemf(http.StatusBadRequest, "%w", err)
	}
	return err
}
