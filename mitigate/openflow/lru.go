package openflow

import "container/list"

// lru is a map that forgets the key set longest ago when it is full.
type lru[K comparable, V any] struct {
	max   int
	order *list.List // of lruEntry, the newest in front
	byKey map[K]*list.Element
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](size int) *lru[K, V] {
	return &lru[K, V]{max: size, order: list.New(), byKey: map[K]*list.Element{}}
}

// set puts a value in and returns the key that had to go.
func (l *lru[K, V]) set(key K, value V) (gone K, full bool) {
	if e, ok := l.byKey[key]; ok {
		e.Value.(*lruEntry[K, V]).value = value
		l.order.MoveToFront(e)
		return gone, false
	}
	l.byKey[key] = l.order.PushFront(&lruEntry[K, V]{key, value})
	if len(l.byKey) <= l.max {
		return gone, false
	}
	oldest := l.order.Back()
	gone = oldest.Value.(*lruEntry[K, V]).key
	l.order.Remove(oldest)
	delete(l.byKey, gone)
	return gone, true
}

func (l *lru[K, V]) get(key K) (value V, ok bool) {
	e, ok := l.byKey[key]
	if !ok {
		return value, false
	}
	return e.Value.(*lruEntry[K, V]).value, true
}

func (l *lru[K, V]) remove(key K) {
	if e, ok := l.byKey[key]; ok {
		l.order.Remove(e)
		delete(l.byKey, key)
	}
}

// each calls use with every entry, the newest first.
func (l *lru[K, V]) each(use func(K, V)) {
	for e := l.order.Front(); e != nil; e = e.Next() {
		entry := e.Value.(*lruEntry[K, V])
		use(entry.key, entry.value)
	}
}
