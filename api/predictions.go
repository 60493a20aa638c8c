package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"mlids/dataset"
)

// predictions answers POST /api/predictions: split JSON in, an array of one verdict per row out.
func (s *Server) predictions(w http.ResponseWriter, r *http.Request) error {
	if err := checkMedia(r, "pandas-split"); err != nil {
		return err
	}
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	c, err := s.choose(q, "cicflow")
	if err != nil {
		return err
	}
	wk, err := s.take(w, r)
	if err != nil {
		return err
	}
	defer s.end(wk)
	form := appendBit
	if q.detail {
		form = wk.appendDetail
	}
	if q.explain > 0 {
		form = c.explained(q.explain)
		wk.publication.explain = q.explain
	}
	rows, err := s.classify(r.Context(), wk, c, &c.split, form)
	if errors.Is(err, dataset.ErrColumn) && q.model != nil {
		return c.foreign(wk.body, err)
	}
	if err != nil {
		return err
	}
	s.metrics.splitRows.Observe(float64(rows))
	wk.sayWho(w)
	writeBody(w, http.StatusOK, mediaJSON, wk.out)
	return nil
}

// foreign tells the tables of another schema from those that lack a column of the model that was named.
func (c *classifier) foreign(body []byte, otherwise error) error {
	type split struct {
		Columns []string `json:"columns"`
	}
	var table struct {
		split
		Wrapped split `json:"dataframe_split"`
	}
	if err := json.Unmarshal(body, &table); err != nil {
		return otherwise
	}
	for _, name := range append(table.Columns, table.Wrapped.Columns...) {
		if _, known := c.schema.Index(name); known {
			return otherwise
		}
	}
	return problemf(http.StatusConflict, "model %s takes tables of %s, and this one has none of its columns", c.name, c.schema.ID())
}

// writeBody answers with a whole body. Failures to write are the client's: it has gone.
func writeBody(w http.ResponseWriter, status int, media string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
