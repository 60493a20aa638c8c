package flow

// ref is a flow's place in the slab, counted from 1; 0 is none.
type ref uint32

const (
	chunkBits = 7
	chunkMask = 1<<chunkBits - 1
)

// slab holds flows in chunks that never move. With a State without pointers the garbage collector has nothing to scan.
type slab[S any] struct {
	chunks []*[1 << chunkBits]Flow[S]
	size   ref // places handed out at least once
	free   ref // list of places given back, linked by next
	live   int
}

func (s *slab[S]) at(r ref) *Flow[S] {
	return &s.chunks[(r-1)>>chunkBits][(r-1)&chunkMask]
}

// take hands out a zeroed flow.
func (s *slab[S]) take() (ref, *Flow[S]) {
	s.live++
	if r := s.free; r != 0 {
		f := s.at(r)
		s.free = f.next
		*f = Flow[S]{}
		return r, f
	}
	if int(s.size)>>chunkBits == len(s.chunks) {
		s.chunks = append(s.chunks, new([1 << chunkBits]Flow[S]))
	}
	s.size++
	return s.size, s.at(s.size)
}

func (s *slab[S]) give(r ref) {
	s.live--
	s.at(r).next = s.free
	s.free = r
}
