package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Media types of requests.
const (
	mediaJSON  = "application/json"
	mediaSplit = "application/json; format=pandas-split"
)

// checkMedia wants JSON, of the format given or none. Order, case and spacing of parameters are free, and parameters
// other than format are ignored.
func checkMedia(r *http.Request, format string) error {
	value := r.Header.Get("Content-Type")
	if value == mediaJSON || value == mediaSplit && format != "" {
		return nil
	}
	want := mediaJSON
	if format != "" {
		want += " or " + mediaSplit
	}
	if value == "" {
		if r.ContentLength == 0 {
			return problemf(http.StatusBadRequest, "no body; want %s", want)
		}
		return problemf(http.StatusUnsupportedMediaType, "no Content-Type; want %s", want)
	}
	media, params, err := mime.ParseMediaType(value)
	if err != nil {
		return problemf(http.StatusUnsupportedMediaType, "Content-Type %q: %w; want %s", value, err, want)
	}
	given, named := params["format"]
	if media != mediaJSON || named && !strings.EqualFold(given, format) {
		return problemf(http.StatusUnsupportedMediaType, "Content-Type %q is not supported; want %s", value, want)
	}
	return nil
}

// readDocument reads a small JSON document, which must be all of the body and have no unknown fields; what is what it should be.
func readDocument(w http.ResponseWriter, r *http.Request, limit int64, what string, into any) error {
	if err := checkMedia(r, ""); err != nil {
		return err
	}
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return problemf(http.StatusBadRequest, "the body is not %s: %w", what, err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return problemf(http.StatusBadRequest, "the body has something behind %s", what)
	}
	return nil
}
