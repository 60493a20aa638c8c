package flow

import (
	"testing"

	"mlids"
)

// notes is a sink that checks order and payload.
type notes struct {
	t     *testing.T
	n     int
	ticks int
	done  bool
	body  bool
}

func (s *notes) Add(p *mlids.Packet) {
	if int(p.Seq) != s.n {
		s.t.Errorf("packet %d came as number %d", p.Seq, s.n)
	}
	if want := s.n % 3000; s.body && (len(p.Payload) != want || want > 0 && p.Payload[want-1] != byte(s.n)) {
		s.t.Errorf("packet %d: payload of %d bytes, want %d", s.n, len(p.Payload), want)
	}
	if !s.body && p.Payload != nil {
		s.t.Errorf("packet %d has a payload", s.n)
	}
	s.n++
}

func (s *notes) Advance(int64) { s.ticks++ }
func (s *notes) Flush()        { s.done = true }

func TestRelay(t *testing.T) {
	for _, payload := range []bool{false, true} {
		s := &notes{t: t, body: payload}
		r := NewRelay(s, payload)
		buffer := make([]byte, 3000)
		for round := range 2 { // a relay may be used again
			for j := range 1000 {
				i := round*1000 + j
				if n := i % 3000; n > 0 {
					buffer[n-1] = byte(i)
				}
				r.Add(&mlids.Packet{Seq: uint32(i), Payload: buffer[:i%3000]})
			}
			r.Advance(1)
			r.Flush()
		}
		if s.n != 2000 || s.ticks != 2 || !s.done {
			t.Errorf("got %d packets, %d ticks, flushed %v", s.n, s.ticks, s.done)
		}
	}
}
