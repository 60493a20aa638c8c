package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"mlids/api/door"
	"mlids/internal/audit"
)

// harden sets headers that browsers keep to. Their values are shared, so that they cost no memory.
func (s *Server) harden(h http.Header, r *http.Request) {
	h["X-Content-Type-Options"] = s.fixed.noSniff
	if len(r.TransferEncoding) > 0 {
		// A proxy in front may have believed a Content-Length that came along, and net/http does not tell: what follows on the
		// connection may be a request that the proxy never saw (RFC 9112, section 6.1).
		h["Connection"] = s.fixed.close
	}
	if r.TLS != nil {
		h["Strict-Transport-Security"] = s.fixed.strict
	}
}

// fixedHeaders are values of headers that are the same in all answers.
type fixedHeaders struct{ noSniff, strict, close []string }

func newFixedHeaders() fixedHeaders {
	return fixedHeaders{noSniff: []string{"nosniff"}, strict: []string{"max-age=31536000"}, close: []string{"close"}}
}

// admit finds out who calls, and whether they may. Nothing of the body has been read then.
func (s *Server) admit(at *entrance, rt route, a *answer, r *http.Request) (err error) {
	if err := s.browsers.Check(r); err != nil {
		return fmt.Errorf("%w: a page of another origin sent this", door.ErrForbidden)
	}
	if a.conn.owner != nil && at.local.Load() && s.deps.Guard.Open() && !s.ours(r.Host) {
		return problemf(http.StatusMisdirectedRequest, "this server is not called %.100q; --host lets it answer to that name", r.Host)
	}
	a.caller, err = s.deps.Guard.Admit(r, rt.role)
	return err
}

// ours tells whether an open door on the loopback answers to a name. Without the check, a page that had its own name point here
// (DNS rebinding) could use the browser of this machine to ask as if it were this machine.
func (s *Server) ours(host string) bool {
	if host == "" { // HTTP/1.0; no browser leaves it out
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	return net.ParseIP(name) != nil || strings.EqualFold(name, "localhost") ||
		slices.ContainsFunc(s.cfg.Hosts, func(ours string) bool { return strings.EqualFold(ours, name) })
}

// audit notes changes, and callers that were sent away.
func (s *Server) audit(at *entrance, a *answer, r *http.Request, id string, err error) {
	if s.deps.Audit == nil {
		return
	}
	var limit *door.LimitError
	refused := errors.Is(err, door.ErrUnknown) || errors.Is(err, door.ErrForbidden) || errors.As(err, &limit)
	change := at == s.admin && r.Method != http.MethodGet && r.Method != http.MethodHead && a.caller != nil
	if !refused && !change {
		return
	}
	e := audit.Event{
		Event: "request", Remote: r.RemoteAddr, Door: at.name, Method: r.Method, Path: r.URL.Path, Status: a.status, Request: id,
	}
	if a.caller != nil {
		e.By, e.How = a.caller.Name, a.caller.How
	}
	note := s.deps.Audit.Record
	if refused {
		e.Event, e.Error, note = "refused", err.Error(), s.deps.Audit.Stranger
	}
	if err := note(e); err != nil {
		s.log.ErrorContext(r.Context(), "the audit log cannot be written", "err", err)
	}
}
