package tree

import (
	"cmp"
	"math"
	"slices"
)

// missing is the slot of NaN in a counter.
const missing = 0

// counter counts the distinct values of a column, by open addressing. Slot 0 is for missing values.
type counter struct {
	index  []uint32 // position by hash → slot, 0 is free
	values []float32
	weight []float64
	shift  uint
}

func newCounter() *counter { return &counter{shift: 32 - 9, index: make([]uint32, 1<<9)} }

func (c *counter) reset() {
	clear(c.index)
	c.values = append(c.values[:0], float32(math.NaN()))
	c.weight = append(c.weight[:0], 0)
}

// count puts the slot of each value of x into slots and sums weights by slot. A nil weight counts each row once.
func (c *counter) count(x, weight []float32, slots []uint32) {
	c.reset()
	last, slot := x[0], c.slot(x[0])
	for i, v := range x {
		if v != last {
			last, slot = v, c.slot(v)
		}
		slots[i] = slot
	}
	if weight == nil {
		for _, s := range slots[:len(x)] {
			c.weight[s]++
		}
		return
	}
	for i, s := range slots[:len(x)] {
		c.weight[s] += float64(weight[i])
	}
}

// slot finds or adds a value.
func (c *counter) slot(v float32) uint32 {
	if v != v {
		return missing
	}
	v = max(-math.MaxFloat32, min(v, math.MaxFloat32)) + 0 // infinities are large numbers, as package dataset has them; -0 is 0
	for at := c.hash(v); ; at = (at + 1) & uint32(len(c.index)-1) {
		s := c.index[at]
		if s == 0 {
			return c.add(at, v)
		}
		if c.values[s] == v {
			return s
		}
	}
}

func (c *counter) hash(v float32) uint32 { return math.Float32bits(v) * 0x9E3779B1 >> c.shift }

func (c *counter) add(at uint32, v float32) uint32 {
	s := uint32(len(c.values))
	c.values = append(c.values, v)
	c.weight = append(c.weight, 0)
	c.index[at] = s
	if 2*len(c.values) > len(c.index) {
		c.grow()
	}
	return s
}

func (c *counter) grow() {
	c.index = make([]uint32, 2*len(c.index))
	c.shift--
	for s, v := range c.values[1:] {
		at := c.hash(v)
		for c.index[at] != 0 {
			at = (at + 1) & uint32(len(c.index)-1)
		}
		c.index[at] = uint32(s + 1)
	}
}

// binning is how the values of one column fall into bins.
type binning struct {
	edges   []float32 // a value is in the first bin b with value <= edges[b]; else in bin len(edges)
	missing bool      // bin len(edges)+1 holds missing values
}

func (b *binning) bins() int {
	if b.missing {
		return len(b.edges) + 2
	}
	return len(b.edges) + 1
}

// bin finds the bin of a value. A missing value where none was seen in training has no bin: -1.
func (b *binning) bin(v float32) int {
	if v != v {
		if b.missing {
			return len(b.edges) + 1
		}
		return -1
	}
	at, _ := slices.BinarySearch(b.edges, v)
	return at
}

// divide makes at most limit bins of the counted values, of about equal weight; a value heavier than that has a bin of
// its own, and a column with few values one bin for each. It returns the bin of each slot too.
func (c *counter) divide(limit int) (binning, []uint8) {
	order := make([]uint32, 0, len(c.values)-1)
	for s := range c.values[1:] {
		order = append(order, uint32(s+1))
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(c.values[a], c.values[b]) })
	b := binning{missing: c.weight[missing] > 0}
	if b.missing {
		limit--
	}
	of := make([]uint8, len(c.values))
	ends := c.cut(order, limit)
	start := 0
	for i, end := range ends {
		for _, s := range order[start:end] {
			of[s] = uint8(i)
		}
		if end < len(order) {
			b.edges = append(b.edges, between(c.values[order[end-1]], c.values[order[end]]))
		}
		start = end
	}
	if b.missing {
		of[missing] = uint8(b.bins() - 1)
	}
	return b, of
}

// cut returns the end of each bin in the ordered values. As in LightGBM, heavy values are set aside before the mean
// weight of the other bins is taken, and that mean is taken again after each bin.
func (c *counter) cut(order []uint32, limit int) []int {
	if len(order) <= limit {
		ends := make([]int, len(order))
		for i := range ends {
			ends[i] = i + 1
		}
		return ends
	}
	heavy, rest, free := c.heavy(order, limit)
	var ends []int
	sum := 0.0
	for i, s := range order[:len(order)-1] {
		w, mean := c.weight[s], rest/float64(max(free, 1))
		sum += w
		next := c.weight[order[i+1]] >= heavy
		if w < heavy && sum < mean && (!next || sum < mean/2) {
			continue
		}
		if w < heavy {
			rest, free = rest-sum, free-1
		}
		sum = 0
		if ends = append(ends, i+1); len(ends) == limit-1 {
			break
		}
	}
	return append(ends, len(order))
}

// heavy finds from which weight on a value has a bin of its own, and the weight and number of bins of all others.
func (c *counter) heavy(order []uint32, limit int) (from, rest float64, free int) {
	for _, s := range order {
		rest += c.weight[s]
	}
	from, free = rest/float64(limit), limit
	for _, s := range order {
		if c.weight[s] >= from {
			rest -= c.weight[s]
			free--
		}
	}
	return from, rest, free
}

// between is a threshold that a goes left of and b does not: halfway, or as near to it as float32 allows.
func between(a, b float32) float32 {
	if m := float32((float64(a) + float64(b)) / 2); a <= m && m < b {
		return m
	}
	return a
}
