package flow

import "testing"

// line is a row with memory of its own.
type line struct {
	n    int
	body []int
}

func (l *line) moveTo(dst *line) {
	*dst, l.body = *l, dst.body
}

func TestRelay(t *testing.T) {
	for _, rows := range []int{0, 1, relayBatch, 10*relayBatch*relayBatches + 7} {
		got := 0
		r := NewRelay(func(dst, src *line) { src.moveTo(dst) }, func(l *line) {
			if l.n != got || len(l.body) != 1+got%5 || l.body[got%5] != got {
				t.Errorf("row %d came as %d with %v", got, l.n, l.body)
			}
			got++
		})
		var l line
		for i := range rows {
			l.n, l.body = i, l.body[:0]
			for range 1 + i%5 {
				l.body = append(l.body, i)
			}
			r.Add(&l)
		}
		r.Close()
		if got != rows {
			t.Errorf("%d of %d rows came", got, rows)
		}
	}
}

func TestRelayDoesNotAllocate(t *testing.T) {
	r := NewRelay(func(dst, src *line) { src.moveTo(dst) }, func(*line) {})
	defer r.Close()
	l := line{body: make([]int, 4)}
	if n := testing.AllocsPerRun(10*relayBatch*relayBatches, func() { r.Add(&l) }); n != 0 {
		t.Errorf("%v allocations per row", n)
	}
}
