package flow

const (
	relayBatch   = 64 // rows: few enough to stay in the second-level cache on their way
	relayBatches = 8
)

// Relay hands rows in order to a goroutine of its own, so that computing them and printing them go on side by side. The
// rows are recycled. Close must be called for the goroutine to end.
type Relay[T any] struct {
	move  func(dst, src *T)
	take  func(*T)
	batch *batch[T]
	full  chan *batch[T]
	free  chan *batch[T]
	done  chan struct{}
}

type batch[T any] struct {
	n    int
	rows [relayBatch]T
}

// NewRelay makes a relay to take. move lets dst have what src holds; what dst held before may go to src, to be used again.
func NewRelay[T any](move func(dst, src *T), take func(*T)) *Relay[T] {
	r := &Relay[T]{
		move: move, take: take, batch: new(batch[T]),
		full: make(chan *batch[T], relayBatches), free: make(chan *batch[T], relayBatches), done: make(chan struct{}),
	}
	for range relayBatches - 1 {
		r.free <- new(batch[T])
	}
	go r.work()
	return r
}

// Add hands over a row.
func (r *Relay[T]) Add(row *T) {
	b := r.batch
	r.move(&b.rows[b.n], row)
	if b.n++; b.n == relayBatch {
		r.full <- b
		r.batch = <-r.free
	}
}

// Close returns when all rows have been taken. Nothing may be added after it.
func (r *Relay[T]) Close() {
	r.full <- r.batch
	close(r.full)
	<-r.done
}

func (r *Relay[T]) work() {
	defer close(r.done)
	for b := range r.full {
		for i := range b.n {
			r.take(&b.rows[i])
		}
		b.n = 0
		r.free <- b
	}
}
