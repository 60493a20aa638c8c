package door

import "sync"

// maxSubjects bounds how many token subjects, and how many addresses that failed, are remembered.
const maxSubjects = 4096

// table remembers a bounded number of values by name; when it is full, some other one is forgotten.
type table[V any] struct {
	mu  sync.Mutex
	max int
	by  map[string]V
}

func newTable[V any](limit int) *table[V] { return &table[V]{max: limit, by: map[string]V{}} }

// get returns the value of a name, and makes it when there is none.
func (t *table[V]) get(name string, fresh func() V) V {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.by[name]
	if ok {
		return v
	}
	if len(t.by) >= t.max {
		for other := range t.by { // any; Go starts at a random one
			delete(t.by, other)
			break
		}
	}
	v = fresh()
	t.by[name] = v
	return v
}
