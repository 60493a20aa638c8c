package flow

import "mlids"

// useBits makes the order of use coarse, to 16 ticks or a second: keeping it exact would touch three flows per packet.
const useBits = 4

// append makes f the most recently used flow.
func (t *Table[S]) append(r ref, f *Flow[S]) {
	f.used = t.tick >> useBits
	f.older, f.newer = t.newest, 0
	if t.newest != 0 {
		t.flows.at(t.newest).newer = r
	} else {
		t.oldest = r
	}
	t.newest = r
}

// unuse takes f out of the order of use.
func (t *Table[S]) unuse(f *Flow[S]) {
	if f.older != 0 {
		t.flows.at(f.older).newer = f.newer
	} else {
		t.oldest = f.newer
	}
	if f.newer != 0 {
		t.flows.at(f.newer).older = f.older
	} else {
		t.newest = f.older
	}
}

// use notes that f got a packet.
func (t *Table[S]) use(r ref, f *Flow[S]) {
	if f.used != t.tick>>useBits {
		t.unuse(f)
		t.append(r, f)
	}
}

// evict ends the flow that has been silent for longest.
func (t *Table[S]) evict() {
	if r := t.oldest; r != 0 {
		t.end(r, t.flows.at(r), mlids.EndEvicted, t.clock)
	}
}
