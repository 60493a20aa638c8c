package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"mlids/api/door"
	"mlids/dataset"
)

// problem is an error that a request is answered with.
type problem struct {
	status int
	err    error
}

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }

func problemf(status int, format string, args ...any) error {
	return &problem{status, fmt.Errorf(format, args...)}
}

// retryAfter is how many seconds a client should wait that was sent away because the server is busy.
const retryAfter = "1"

// errorForm is how an operation spells its errors.
type errorForm func(message string) any

// plainError is {"error":"…"}.
func plainError(message string) any {
	return struct {
		Error string `json:"error"`
	}{message}
}

// statusError is {"status":"error","error":"…"}.
func statusError(message string) any {
	return struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}{"error", message}
}

// statusOf finds the status for an error. Errors of no known kind are the server's fault.
func statusOf(err error) int {
	var p *problem
	var limit *door.LimitError
	switch {
	case errors.Is(err, door.ErrUnknown):
		return http.StatusUnauthorized
	case errors.Is(err, door.ErrForbidden):
		return http.StatusForbidden
	case errors.Is(err, door.ErrUnavailable):
		return http.StatusServiceUnavailable
	case errors.As(err, &limit):
		return http.StatusTooManyRequests
	case errors.As(err, &p):
		return p.status
	case errors.Is(err, dataset.ErrLimit):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, dataset.ErrSyntax), errors.Is(err, dataset.ErrColumn), errors.Is(err, dataset.ErrValue):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// writeError answers with an error. What went wrong inside the server stays in its log.
func writeError(w http.ResponseWriter, status int, err error, form errorForm) {
	message := err.Error()
	if status == http.StatusInternalServerError {
		message = "internal error; the log has the cause under this answer's X-Request-Id"
	}
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="mlids"`)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", waitOf(err))
	}
	writeJSON(w, status, form(message))
}

// waitOf is the wait of a limit in seconds.
func waitOf(err error) string {
	if limit, ok := errors.AsType[*door.LimitError](err); ok {
		return strconv.FormatInt(limit.Seconds(), 10)
	}
	return retryAfter
}

// writeJSON answers with a document. It is for answers off the hot path.
func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil { // no type of this package can fail
		status, text = http.StatusInternalServerError, []byte(`{"error":"internal error"}`)
	}
	writeBody(w, status, "application/json", append(text, '\n'))
}
