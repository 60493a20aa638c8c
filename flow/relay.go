package flow

import "mlids"

// Sink takes packets in order, as extractors do.
type Sink interface {
	Add(p *mlids.Packet)
	Advance(now int64) // see Table.Advance
	Flush()            // no more packets
}

const (
	relayPackets = 256     // in a batch: they fit into the second-level cache
	relayBytes   = 1 << 16 // of payload in a batch
	relayBatches = 4
)

// Relay is a Sink that lets another one work on a goroutine of its own, so that reading and decoding go on meanwhile. The
// order of packets and so the result stay the same. The other sink, and whatever it calls, runs on that goroutine from
// the first packet until Flush returns; Flush must be called for it to end.
type Relay struct {
	sink    Sink
	payload bool
	batch   *relayBatch
	full    chan *relayBatch
	free    chan *relayBatch
	done    chan struct{}
}

type relayBatch struct {
	n       int
	packets [relayPackets]mlids.Packet
	bytes   []byte
	now     int64 // for Advance, behind the packets
	advance bool
}

// NewRelay makes a relay to sink. Packets reach it without their payload unless payload says otherwise.
func NewRelay(sink Sink, payload bool) *Relay {
	return &Relay{sink: sink, payload: payload}
}

// Add implements Sink.
func (r *Relay) Add(p *mlids.Packet) {
	b := r.open()
	if r.payload && len(b.bytes)+len(p.Payload) > cap(b.bytes) && b.n > 0 {
		r.send()
		b = r.open()
	}
	q := &b.packets[b.n]
	*q, q.Payload = *p, nil
	if r.payload {
		from := len(b.bytes)
		b.bytes = append(b.bytes, p.Payload...)
		q.Payload = b.bytes[from:len(b.bytes):len(b.bytes)]
	}
	if b.n++; b.n == relayPackets {
		r.send()
	}
}

// Advance implements Sink.
func (r *Relay) Advance(now int64) {
	b := r.open()
	b.now, b.advance = now, true
	r.send()
}

// Flush implements Sink.
func (r *Relay) Flush() {
	if r.full != nil {
		r.send()
		close(r.full)
		<-r.done
		r.full = nil
	}
	r.sink.Flush()
}

// open gives the batch that is being filled.
func (r *Relay) open() *relayBatch {
	if r.full == nil {
		r.start()
	}
	if r.batch == nil {
		r.batch = <-r.free
	}
	return r.batch
}

func (r *Relay) start() {
	r.full, r.done = make(chan *relayBatch, relayBatches), make(chan struct{})
	if r.free == nil {
		r.free = make(chan *relayBatch, relayBatches)
		for range relayBatches {
			b := new(relayBatch)
			if r.payload {
				b.bytes = make([]byte, 0, relayBytes)
			}
			r.free <- b
		}
	}
	go r.work(r.full, r.done)
}

func (r *Relay) send() {
	if r.batch != nil {
		r.full <- r.batch
		r.batch = nil
	}
}

// work hands batches to the sink until there are no more.
func (r *Relay) work(full <-chan *relayBatch, done chan<- struct{}) {
	defer close(done)
	for b := range full {
		for i := range b.n {
			r.sink.Add(&b.packets[i])
		}
		if b.advance {
			r.sink.Advance(b.now)
		}
		b.n, b.bytes, b.advance = 0, b.bytes[:0], false
		r.free <- b
	}
}
