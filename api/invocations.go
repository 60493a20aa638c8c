package api

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"sync"

	"mlids/dataset"
)

// Media types of /invocations beyond JSON.
const mediaCSV = "text/csv"

// attributesHeader carries what a client of Amazon SageMaker wants to tell the container: InvokeEndpoint passes no query on.
const attributesHeader = "X-Amzn-SageMaker-Custom-Attributes"

// ping answers GET /ping, as Amazon SageMaker asks for the health of a container.
func (s *Server) ping(w http.ResponseWriter, r *http.Request) error { return s.ready(w, r) }

// invocations answers POST /invocations, the request that Amazon SageMaker and MLflow's scoring server take.
func (s *Server) invocations(w http.ResponseWriter, r *http.Request) error {
	media, err := invocationMedia(r)
	if err != nil {
		return err
	}
	q, err := invocationQuery(r)
	if err != nil {
		return err
	}
	asCSV, err := wantsCSV(r, media, q.detail)
	if err != nil {
		return err
	}
	if q.model == nil && s.cfg.Hosted != "" {
		q.model = &s.cfg.Hosted
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
	decoders, wrapped, err := s.reshape(wk, c, media)
	if err != nil {
		return err
	}
	form := appendBit
	if q.detail {
		form = wk.appendDetail
	}
	rows, err := s.classify(r.Context(), wk, c, decoders, form)
	if err != nil {
		return err
	}
	s.metrics.invokedRows.Observe(float64(rows))
	wk.sayWho(w)
	writeInvocation(w, wk.out, asCSV, wrapped)
	return nil
}

// writeInvocation answers in the form of the request: rows that came in an object go back in one, as MLflow 2 has it.
func writeInvocation(w http.ResponseWriter, array []byte, asCSV, wrapped bool) {
	switch {
	case asCSV:
		lines := bytes.ReplaceAll(bytes.Trim(array, "[]\n"), []byte(","), []byte("\n"))
		if len(lines) > 0 {
			lines = append(lines, '\n')
		}
		writeBody(w, http.StatusOK, mediaCSV+"; charset=utf-8", lines)
	case wrapped:
		text := append([]byte(`{"predictions":`), bytes.TrimSuffix(array, []byte("\n"))...)
		writeBody(w, http.StatusOK, mediaJSON, append(text, '}', '\n'))
	default:
		writeBody(w, http.StatusOK, mediaJSON, array)
	}
}

// invocationMedia is application/json or text/csv.
func invocationMedia(r *http.Request) (string, error) {
	const want = "want application/json (format=pandas-split or pandas-records, or none) or text/csv"
	value := r.Header.Get("Content-Type")
	if value == "" && r.ContentLength == 0 {
		return "", problemf(http.StatusBadRequest, "no body; %s", want)
	}
	media, params, err := mime.ParseMediaType(value)
	format := strings.ToLower(params["format"])
	switch {
	case err != nil:
	case media == mediaCSV:
		return media, nil
	case media == mediaJSON && (format == "" || format == "pandas-split" || format == "pandas-records"):
		return media, nil
	}
	return "", problemf(http.StatusUnsupportedMediaType, "Content-Type %q is not supported; %s", value, want)
}

// invocationQuery reads model and detail from the custom attributes, "model=NAME;detail=1", or from the URL.
func invocationQuery(r *http.Request) (query, error) {
	attributes := r.Header.Get(attributesHeader)
	if attributes == "" {
		return parseQuery(r)
	}
	var q query
	for part := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "model":
			q.model = &value
		case name == "detail" && (value == "0" || value == "1"):
			q.detail = value == "1"
		case name == "detail":
			return q, problemf(http.StatusBadRequest, "%s: detail is %q; want 0 or 1", attributesHeader, value)
		} // others are for others
	}
	return q, nil
}

// wantsCSV decides on the form of the answer: what Accept ranks first of the two, the request's own when it takes both.
func wantsCSV(r *http.Request, media string, detail bool) (bool, error) {
	accept := r.Header.Get("Accept")
	csv := media == mediaCSV
	if named := strings.Contains(accept, mediaCSV); named != strings.Contains(accept, mediaJSON) {
		csv = named
	}
	if csv && detail {
		return false, problemf(http.StatusBadRequest, "detail is for JSON; send Accept: application/json")
	}
	return csv, nil
}

// reshape brings the body into a form that one of the classifier's decoders reads.
func (s *Server) reshape(wk *work, c *classifier, media string) (decoders *sync.Pool, wrapped bool, err error) {
	limits := dataset.Limits{Rows: s.cfg.MaxRows}
	if media == mediaCSV {
		if err := s.hold(wk, 3*int64(len(wk.body))); err != nil { // an empty field of one comma becomes three bytes
			return nil, false, err
		}
		wk.body, err = dataset.AppendCSV(make([]byte, 0, 2*len(wk.body)), wk.body, c.names, limits)
		return &c.split, false, err
	}
	u, err := dataset.Unwrap(wk.body)
	switch {
	case err != nil:
		return nil, false, err
	case u.Form == dataset.FormSplit:
		return &c.split, u.Wrapped, nil
	case u.Form == dataset.FormRecords && c.backend == nil:
		wk.body = append(wk.body[:0], u.Rows...)
		return &c.records, u.Wrapped, nil
	case u.Form == dataset.FormRecords:
		return nil, false, problemf(http.StatusBadRequest, "%s takes tables as split JSON or CSV, not as records", c.name)
	}
	names, err := c.names(0)
	if err != nil {
		return nil, false, err
	}
	if err := s.hold(wk, int64(len(u.Rows))); err != nil {
		return nil, false, err
	}
	wk.body, err = dataset.AppendNamed(make([]byte, 0, len(u.Rows)+16*len(names)), u.Rows, names)
	return &c.split, u.Wrapped, err
}

var errNames = errors.New("the columns have no names")

// names are those of columns that come without: those that the model reads, in order, or all of the schema when there are as many.
func (c *classifier) names(fields int) ([]string, error) {
	if c.backend != nil {
		return nil, problemf(http.StatusBadRequest, "%w, and those that %s wants are not known here", errNames, c.name)
	}
	var own, all []string
	for _, column := range c.columns {
		own = append(own, c.schema.Columns[column].Name)
	}
	for _, column := range c.schema.Columns {
		all = append(all, column.Name)
	}
	switch fields {
	case 0, len(own):
		return own, nil
	case len(all):
		return all, nil
	}
	return nil, fmt.Errorf("%w: no header, and %d fields; want a header, or model %s's %d columns in order", dataset.ErrColumn, fields, c.name, len(own))
}
