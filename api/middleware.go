package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"mlids/api/door"
)

// operation wraps what all routes share: request id, who may call, error form, panics, metrics, logs.
func (s *Server) operation(at *entrance, rt route) http.Handler {
	m := s.metrics.route(rt.path)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		a := &answer{ResponseWriter: w, conn: connOf(r)}
		a.conn.moving(start)
		id := s.ids.of(r)
		a.Header().Set("X-Request-Id", id)
		s.harden(a.Header(), r)
		err := s.admit(at, rt, a, r)
		if err == nil {
			err = s.guard(r.Context(), rt, a, r)
		}
		if err != nil && a.status == 0 {
			writeError(a, statusOf(err), err, rt.fail)
		}
		end := time.Now()
		a.conn.waiting(end)
		m.observe(a.status, end.Sub(start))
		s.access(r, a.status, end.Sub(start), id, err)
		s.audit(at, a, r, id, err)
		if errors.Is(err, errPanic) && a.bytes > 0 && a.status < http.StatusInternalServerError {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
	})
}

// callerOf is who sent the request that w answers; nil outside of routes.
func callerOf(w http.ResponseWriter) *door.Caller {
	if a, ok := w.(*answer); ok {
		return a.caller
	}
	return nil
}

// errPanic is the error of a handler that panicked.
var errPanic = errors.New("panic")

// guard calls the handler and turns its panic into an error.
func (s *Server) guard(ctx context.Context, rt route, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.metrics.panics.Inc()
			s.log.ErrorContext(ctx, "panic in a handler", "route", rt.path, "cause", cause, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, cause)
		}
	}()
	return rt.handle(w, r)
}

// access logs a request: failures of the server as errors, of the client as information, the rest for debugging, so that
// thousands of good requests a second cost nothing.
func (s *Server) access(r *http.Request, status int, took time.Duration, id string, err error) {
	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	if !s.log.Enabled(r.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("id", id), slog.String("remote", r.RemoteAddr), slog.String("method", r.Method),
		slog.String("path", r.URL.Path), slog.Int("status", status), slog.Duration("took", took),
	}
	if err != nil {
		attrs = append(attrs, slog.String("err", err.Error()))
	}
	s.log.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attrs...)
}

// answer remembers the status of a response, and whether any of it was written.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int
	caller *door.Caller
	conn   *conn
}

// WriteHeader sends the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
		a.conn.moving(time.Now())
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
		a.conn.moving(time.Now())
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// requestIDs names requests: by their own X-Request-Id, else by a number behind a prefix of this process.
type requestIDs struct {
	prefix string
	next   *atomic.Uint64
}

func newRequestIDs() requestIDs {
	return requestIDs{prefix: rand.Text()[:8] + "-", next: new(atomic.Uint64)}
}

func (ids requestIDs) of(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); plausibleID(id) {
		return id
	}
	return ids.fresh()
}

// fresh is a name that was not given before.
func (ids requestIDs) fresh() string { return ids.prefix + strconv.FormatUint(ids.next.Add(1), 10) }

// plausibleID accepts what is safe in a log and in a header.
func plausibleID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
