package api

import (
	"bytes"
	"net/http"
)

// predict answers POST /predict: a KDD connection as an object, or an array of them, in; its class and confidence out.
func (s *Server) predict(w http.ResponseWriter, r *http.Request) error {
	if err := checkMedia(r, ""); err != nil {
		return err
	}
	c, err := s.choose(query{}, "kdd99")
	if err != nil {
		return err
	}
	wk, err := s.take(w, r)
	if err != nil {
		return err
	}
	defer s.end(wk)
	rows, err := s.classify(r.Context(), wk, c, &c.records, appendStatus)
	if err != nil {
		return err
	}
	s.metrics.recordRows.Observe(float64(rows))
	answer := wk.out
	if !startsArray(wk.body) { // one object is answered with one object
		wk.out[len(wk.out)-2] = '\n'
		answer = wk.out[1 : len(wk.out)-1]
	}
	writeBody(w, http.StatusOK, mediaJSON, answer)
	return nil
}

// startsArray tells an array of records from a single one, in a body that was decoded.
func startsArray(body []byte) bool {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("["))
}
