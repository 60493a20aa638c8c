package flow

import (
	"slices"
	"testing"
)

// Open flows are shown when they are old enough and have news, as long as they are open.
func TestOpen(t *testing.T) {
	table := New(Config{Idle: 60e9}, &counter{})
	for i := range 10 {
		table.Add(udp(float64(i), 1, 2, uint16(i), 53))
	}
	table.Add(udp(10, 1, 2, 3, 53))
	shown := func(begun, after float64, most int) (ports []uint16) {
		table.Open(int64(begun*1e9), int64(after*1e9), most, func(f *Flow[counts]) { ports = append(ports, f.Key.SrcPort) })
		return ports
	}
	for _, c := range []struct {
		begun, after float64
		most         int
		want         []uint16
	}{
		{10, -1, 100, []uint16{3, 9, 8, 7, 6, 5, 4, 2, 1, 0}},
		{10, 6, 100, []uint16{3, 9, 8, 7}},
		{8, 6, 100, []uint16{3, 8, 7}},
		{10, -1, 2, []uint16{3, 9}},
		{10, 10, 100, nil},
		{2, 5, 100, nil},
	} {
		if got := shown(c.begun, c.after, c.most); !slices.Equal(got, c.want) {
			t.Errorf("begun by %v, news after %v, at most %d: %v, want %v", c.begun, c.after, c.most, got, c.want)
		}
	}
	table.Flush()
	if got := shown(100, -1, 100); got != nil {
		t.Errorf("after the end: %v", got)
	}
}
