package flow

import (
	"testing"
	"time"

	"mlids"
)

// patient gives flows with an even number of packets 10 s and others 2 s.
type patient struct{ ended []time.Duration }

func (h *patient) Begin(f, _ *Flow[int], _ *mlids.Packet) { f.State = 1 }

func (h *patient) Add(f *Flow[int], _ *mlids.Packet, _ bool) Action {
	f.State++
	return Keep
}

func (h *patient) End(f *Flow[int]) { h.ended = append(h.ended, time.Duration(f.End-f.Last)) }

func (h *patient) Idle(f *Flow[int]) time.Duration {
	if f.State%2 == 0 {
		return 10 * time.Second
	}
	return 2 * time.Second
}

// TestTimer checks that a flow's own time-out holds when it gets longer and when it gets shorter.
func TestTimer(t *testing.T) {
	const start = int64(1e18)
	for _, c := range []struct {
		packets int
		after   time.Duration
		ended   int
	}{
		{1, 1900 * time.Millisecond, 0},
		{1, 2200 * time.Millisecond, 1},
		{2, 9900 * time.Millisecond, 0},
		{2, 10200 * time.Millisecond, 1},
		{3, 1900 * time.Millisecond, 0},
		{3, 2200 * time.Millisecond, 1},
	} {
		h := &patient{}
		table := New(Config{Idle: time.Hour}, h)
		for range c.packets {
			table.Add(&mlids.Packet{Time: start, Proto: mlids.ProtoUDP, SrcPort: 1, DstPort: 2})
		}
		table.Advance(start + int64(c.after))
		if len(h.ended) != c.ended {
			t.Errorf("%d packets, %v later: %d flows ended, want %d", c.packets, c.after, len(h.ended), c.ended)
		}
		if want := h.Idle(&Flow[int]{State: c.packets}); len(h.ended) == 1 && h.ended[0] != want {
			t.Errorf("%d packets: ended after %v, want %v", c.packets, h.ended[0], want)
		}
	}
}
