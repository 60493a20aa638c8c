package kdd99

import (
	"math/rand/v2"
	"testing"
)

// count computes a sight the long way: over all connections from number from to n.
func count(h *history, from, n uint64) sight {
	current := h.at(n)
	s := sight{all: uint16(n - from + 1)}
	services, hosts := map[uint32]bool{}, map[uint64]bool{}
	for i := from; i <= n; i++ {
		e := h.at(i)
		if e.host == current.host {
			s.host++
			services[e.service] = true
			if e.srcPort == current.srcPort {
				s.port++
			}
		}
		if e.service == current.service {
			s.service++
			hosts[e.host] = true
		}
		if e.host == current.host && e.service == current.service {
			s.both++
		}
	}
	s.services, s.hosts = uint16(len(services)), uint16(len(hosts))
	return s
}

// TestSlidesCountAsTheLongWay compares windows kept up step by step with ones counted anew, in traffic of different
// density, with clocks that step back.
func TestSlidesCountAsTheLongWay(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	h, s := newHistory(4096), newSlides()
	now := int64(1e18)
	for i := range 20_000 {
		step := []int64{1e5, 2e6, 5e7, 3e8, 3e9}[i/2000%5]
		now += rnd.Int64N(step) - step/10
		n := h.add(entry{
			time: now, host: uint64(rnd.IntN(1 + i%40)), service: uint32(rnd.IntN(1 + i%90)), srcPort: uint16(rnd.IntN(4)),
			failure: uint8(rnd.IntN(3)),
		})
		p := s.begin(h)
		if p.recent.all > countMax || p.last.all > hostMax {
			t.Fatalf("connection %d: windows of %d and %d", i, p.recent.all, p.last.all)
		}
		if want := count(h, n-uint64(p.recent.all)+1, n); p.recent != want {
			t.Fatalf("connection %d: 2-second window %+v, want %+v", i, p.recent, want)
		}
		if want := count(h, n-uint64(p.last.all)+1, n); p.last != want {
			t.Fatalf("connection %d: host window %+v, want %+v", i, p.last, want)
		}
		checkFailures(t, h, n, &p)
	}
}

func checkFailures(t *testing.T, h *history, n uint64, p *place) {
	t.Helper()
	var want failures
	current := h.at(n)
	for back := range uint64(max(p.recent.all, p.last.all)) {
		e := h.at(n - back)
		for _, w := range []struct {
			all uint16
			f   *outcome
		}{{p.recent.all, &want.recent}, {p.last.all, &want.last}} {
			if back >= uint64(w.all) {
				continue
			}
			if e.host == current.host {
				w.f.host[e.failure]++
			}
			if e.service == current.service {
				w.f.service[e.failure]++
			}
		}
	}
	if got := h.failures(n, p); got != want {
		t.Fatalf("connection %d: failures %+v, want %+v", n, got, want)
	}
}

// TestTimeWindow checks who is in the 2-second window.
func TestTimeWindow(t *testing.T) {
	h, s := newHistory(0), newSlides()
	var p place
	for _, at := range []int64{0, 1_000_000_000, 2_000_000_000, 2_000_000_001, 3_000_000_001} {
		h.add(entry{time: at, host: 1})
		p = s.begin(h)
	}
	if p.recent.host != 3 || p.last.host != 5 {
		t.Errorf("%d connections in the last 2 s and %d of all, want 3 and 5", p.recent.host, p.last.host)
	}
}

// TestHistoryForgets checks the ring's bound and what is asked of it then.
func TestHistoryForgets(t *testing.T) {
	h := newHistory(2000) // rounded up to 2,048
	for i := range 5000 {
		h.add(entry{time: int64(i)})
	}
	if len(h.ring) != 2048 || h.first() != 5000-2048 || h.at(h.first()).time != int64(h.first()) {
		t.Errorf("ring of %d from %d", len(h.ring), h.first())
	}
	h.mark(10, synError) // long forgotten
	for i := h.first(); i < h.begun; i++ {
		if h.at(i).failure != noError {
			t.Fatalf("connection %d is marked for another", i)
		}
	}
}
