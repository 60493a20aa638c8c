package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"

	"mlids"
	"mlids/api/door"
)

// Sizes of buffers: a body starts with the first; up to the others they are kept for later requests.
const (
	smallBody  = 16 << 10 // bytes
	keptBody   = 2 << 20  // bytes of a body, of an answer; also of a body whose decoder is kept
	keptValues = 1 << 20  // probabilities
)

// work is the memory of one request.
type work struct {
	body   []byte
	scores []float32
	counts []int     // rows by class
	sums   []float64 // probabilities by class
	out    []byte
	held   int64 // bytes of body taken from the server's memory
	caller *door.Caller

	publication publication

	verdicts   []mlids.Verdict // of a backend
	answeredBy string          // the backend or the fallback; "" when a model was meant
}

// begin takes memory for a request; end gives it back.
func (s *Server) begin() (*work, error) {
	wk, ok := s.works.Get().(*work)
	if !ok {
		wk = &work{body: make([]byte, 0, smallBody)}
	}
	if err := s.hold(wk, int64(cap(wk.body))); err != nil {
		s.works.Put(wk)
		return nil, err
	}
	return wk, nil
}

// take begins with a request that has rows to classify: its body is read, and under which key its predictions are published is known.
func (s *Server) take(w http.ResponseWriter, r *http.Request) (*work, error) {
	wk, err := s.begin()
	if err != nil {
		return nil, err
	}
	if err = s.readBody(wk, w, r); err == nil {
		err = s.publishing(wk, r)
	}
	if err != nil {
		s.end(wk)
		return nil, err
	}
	return wk, nil
}

func (s *Server) end(wk *work) {
	s.memory.Release(wk.held)
	wk.held, wk.caller = 0, nil
	wk.verdicts, wk.answeredBy = nil, ""
	if cap(wk.body) <= keptBody && cap(wk.out) <= keptBody && cap(wk.scores) <= keptValues {
		s.works.Put(wk)
	}
}

// hold takes n more bytes from the memory for bodies. It does not wait: who holds some already must not wait for more.
func (s *Server) hold(wk *work, n int64) error {
	if !s.memory.TryAcquire(n) {
		return problemf(http.StatusServiceUnavailable, "the server holds as many request bodies as it may; try again")
	}
	wk.held += n
	return nil
}

// readBody reads the request's body into wk.body, inflated if need be. Then the request's connection is not slow any more.
func (s *Server) readBody(wk *work, w http.ResponseWriter, r *http.Request) error {
	if err := s.receive(wk, w, r); err != nil {
		return err
	}
	connOf(r).computing()
	return nil
}

func (s *Server) receive(wk *work, w http.ResponseWriter, r *http.Request) error {
	wk.body, wk.caller = wk.body[:0], callerOf(w)
	if r.ContentLength > s.cfg.MaxBody {
		return s.tooLarge()
	}
	limited := http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	switch encoding := strings.TrimSpace(r.Header.Get("Content-Encoding")); {
	case encoding == "" || strings.EqualFold(encoding, "identity"):
		return s.fill(wk, limited)
	case strings.EqualFold(encoding, "gzip"), strings.EqualFold(encoding, "x-gzip"):
		return s.inflate(wk, limited)
	default:
		w.Header().Set("Accept-Encoding", "gzip")
		return problemf(http.StatusUnsupportedMediaType, "content encoding %q is not supported; want gzip or none", encoding)
	}
}

func (s *Server) inflate(wk *work, src io.Reader) error {
	z, ok := s.inflaters.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	defer s.inflaters.Put(z)
	if err := z.Reset(src); err != nil {
		return s.readProblem(err)
	}
	return s.fill(wk, z)
}

// fill reads all of src, in memory that grows with what has come: a client that announces much and sends little holds little.
func (s *Server) fill(wk *work, src io.Reader) error {
	for {
		if len(wk.body) == cap(wk.body) {
			if err := s.growBody(wk); err != nil {
				return err
			}
		}
		n, err := src.Read(wk.body[len(wk.body):cap(wk.body)])
		wk.body = wk.body[:len(wk.body)+n]
		switch {
		case int64(len(wk.body)) > s.cfg.MaxBody:
			return s.tooLarge()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return s.readProblem(err)
		}
	}
}

// growBody doubles the room for the body.
func (s *Server) growBody(wk *work) error {
	room := min(2*int64(cap(wk.body)), s.cfg.MaxBody+1) // the byte too many must fit, to be noticed
	if err := s.hold(wk, room-int64(cap(wk.body))); err != nil {
		return err
	}
	wk.body = append(make([]byte, 0, room), wk.body...)
	return nil
}

func (s *Server) tooLarge() error {
	return problemf(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", s.cfg.MaxBody)
}

// readProblem says what a failed read of the body means.
func (s *Server) readProblem(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return s.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problemf(http.StatusRequestTimeout, "the body did not come within %v", s.cfg.ReadTimeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return problemf(http.StatusBadRequest, "the body ends early: %w", io.ErrUnexpectedEOF)
	}
	return problemf(http.StatusBadRequest, "cannot read the body: %w", err)
}
