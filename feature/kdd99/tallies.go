package kdd99

// tallyPlaces is four times as many as the longer window has connections.
const tallyPlaces = 2048

// tally counts the connections in a window that have something in common.
type tally struct {
	key   uint64
	n     uint16
	kinds uint16 // how many different others they have: services of a host, hosts of a service
}

// tallies are the tallies of one window, by key: a hash table with linear probing that never has more keys than the
// window connections.
type tallies [tallyPlaces]tally

// home is where a key belongs.
func home(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 53 }

// get finds the tally of a key, an empty one if there is none: then the caller must count something in it.
func (t *tallies) get(key uint64) *tally {
	for i := home(key); ; i = (i + 1) % tallyPlaces {
		if e := &t[i]; e.n == 0 {
			*e = tally{key: key}
			return e
		} else if e.key == key {
			return e
		}
	}
}

// less takes one from a tally and reports whether it was the last.
func (t *tallies) less(key uint64) bool {
	e := t.get(key)
	e.n--
	if e.n > 0 {
		return false
	}
	i := home(key)
	for t[i].key != key || t[i].n > 0 {
		i = (i + 1) % tallyPlaces
	}
	t.close(i)
	return true
}

// close fills the empty place i with a later tally that belongs before it (Knuth, The Art of Computer Programming 3,
// algorithm 6.4R), and so on.
func (t *tallies) close(i uint64) {
	for j := (i + 1) % tallyPlaces; t[j].n > 0; j = (j + 1) % tallyPlaces {
		if h := home(t[j].key); (j-h)%tallyPlaces >= (j-i)%tallyPlaces {
			t[i] = t[j]
			t[j].n = 0
			i = j
		}
	}
}
