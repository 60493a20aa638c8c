package tree

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"mlids/dataset"
)

const (
	maxBins   = 255     // per column, one for missing values included
	blockBins = 1 << 16 // bins that uint16 can tell apart; number 0 of each block is for padding
)

// table is a training set in bins. Rows that fall in the same bins and class are one row here.
type table struct {
	rows    int
	columns []column // the inputs that tell any rows apart
	blocks  []block
	weight  []float64
	class   []int32
}

// column is one input in bins.
type column struct {
	binning
	input int     // index in dataset.Set.X
	bin   []uint8 // of each row
	usual uint8   // the most frequent bin, which the rows' lists leave out
	block int     // where its histogram is: block, and index of bin 0 in it
	first int
}

// block is a group of columns whose bins uint16 can number, and the rows' bins in it, four at a time, without the usual
// ones.
type block struct {
	columns []int
	bins    int
	start   []uint32 // of each row in quads, and the end of the last
	quads   [][4]uint16
}

// newTable bins a set. It is the same for any number of workers.
func newTable(s *dataset.Set, workers int) *table {
	found, keys := bin(s, workers)
	t := &table{columns: slices.DeleteFunc(found, func(c column) bool { return c.bins() < 2 })}
	t.merge(s, keys, workers)
	t.divide()
	for i := range t.blocks {
		t.fill(&t.blocks[i], workers)
	}
	return t
}

// bin divides all columns, and gives rows with the same bins the same key: the sum of one random number per column and
// bin (Zobrist, 1970). Keys of 64 bits meet by chance once in 10^5 sets of ten million rows, and then merge two rows.
func bin(s *dataset.Set, workers int) ([]column, []uint64) {
	n := s.Len()
	columns := make([]column, len(s.X))
	keys := make([][]uint64, workers)
	var next atomic.Int64
	parallel(workers, func(w int) {
		keys[w] = make([]uint64, n)
		c, slots := newCounter(), make([]uint32, n)
		for j := int(next.Add(1)) - 1; j < len(s.X); j = int(next.Add(1)) - 1 {
			columns[j].input = j
			if columns[j].flag(s.X[j], keys[w]) {
				continue
			}
			c.count(s.X[j], s.Weight, slots)
			b, of := c.divide(maxBins)
			columns[j].binning = b
			if b.bins() > 1 {
				columns[j].translate(of, slots, keys[w])
			}
		}
	})
	for _, k := range keys[1:] {
		for i, v := range k {
			keys[0][i] += v
		}
	}
	return columns, keys[0]
}

// flag bins a column of at most two values, as one-hot inputs are, in no time. It returns false for any other.
func (c *column) flag(x []float32, keys []uint64) bool {
	low, high := x[0], x[0]
	for _, v := range x {
		if v != low && v != high {
			if low != high || v != v {
				return false
			}
			high = v
		}
	}
	if low, high = min(low, high), max(low, high); low != low || low < -math.MaxFloat32 || high > math.MaxFloat32 {
		return false
	}
	if low == high {
		return true
	}
	c.edges, c.bin = []float32{between(low, high)}, make([]uint8, len(x))
	salt, count := rand.New(rand.NewPCG(uint64(c.input), salted)).Uint64(), 0
	for i, v := range x {
		var b uint8
		if v == high {
			b = 1
		}
		c.bin[i] = b
		count += int(b)
		keys[i] += salt & -uint64(b)
	}
	if 2*count > len(x) {
		c.usual = 1
	}
	return true
}

// salted is the seed of the random numbers that keys are sums of.
const salted = 0x5bd1e995

// translate fills in the bins of the rows, and adds the column's part to the rows' keys.
func (c *column) translate(of []uint8, slots []uint32, keys []uint64) {
	r := rand.New(rand.NewPCG(uint64(c.input), salted))
	var salt [256]uint64
	for i := range salt {
		salt[i] = r.Uint64()
	}
	c.bin = make([]uint8, len(slots))
	var count [256]int
	for i, s := range slots {
		b := of[s]
		c.bin[i] = b
		count[b]++
		keys[i] += salt[b]
	}
	for b, n := range count {
		if n > count[c.usual] {
			c.usual = uint8(b)
		}
	}
}

// merge makes rows of the same key and class one, with the sum of their weights, in the order of their first.
func (t *table) merge(s *dataset.Set, keys []uint64, workers int) {
	n := s.Len()
	var first []uint32
	size := 1
	for size < 2*n {
		size *= 2
	}
	index := make([]uint32, size) // position by key → merged row + 1
	of := make([]uint64, 0, n)
	last := uint32(0) // where the row before went
	for i, k := range keys {
		w := 1.0
		if s.Weight != nil {
			if w = float64(s.Weight[i]); w == 0 {
				continue
			}
		}
		k += uint64(s.Class[i]) * 0x9E3779B97F4A7C15
		if last > 0 && of[last-1] == k {
			t.weight[last-1] += w
			continue
		}
		at := int(k>>20) & (size - 1)
		for index[at] != 0 && of[index[at]-1] != k {
			at = (at + 1) & (size - 1)
		}
		if index[at] == 0 {
			first = append(first, uint32(i))
			of = append(of, k)
			t.weight = append(t.weight, 0)
			t.class = append(t.class, s.Class[i])
			index[at] = uint32(len(first))
		}
		last = index[at]
		t.weight[last-1] += w
	}
	t.rows = len(first)
	t.sort(first, workers)
}

// sort orders the rows by the number of bins that their lists have, so that loops over lists of rows in order keep the
// same length, and takes their bins over from the set's rows.
func (t *table) sort(first []uint32, workers int) {
	order := t.byLength(first, workers)
	weight, class := make([]float64, t.rows), make([]int32, t.rows)
	from := make([]uint32, t.rows)
	for i, r := range order {
		weight[i], class[i], from[i] = t.weight[r], t.class[r], first[r]
	}
	t.weight, t.class = weight, class
	var next atomic.Int64
	parallel(workers, func(int) {
		for j := int(next.Add(1)) - 1; j < len(t.columns); j = int(next.Add(1)) - 1 {
			bins := make([]uint8, t.rows)
			for i, f := range from {
				bins[i] = t.columns[j].bin[f]
			}
			t.columns[j].bin = bins
		}
	})
}

// byLength orders rows by the number of columns in which they are not usual; rows of the same number keep their order.
func (t *table) byLength(first []uint32, workers int) []uint32 {
	length := make([]uint32, t.rows)
	chunks(t.rows, workers, func(_, lo, hi int) {
		for i := range t.columns {
			c := &t.columns[i]
			for r, f := range first[lo:hi] {
				if c.bin[f] != c.usual {
					length[lo+r]++
				}
			}
		}
	})
	start := make([]uint32, len(t.columns)+2)
	for _, n := range length {
		start[n+1]++
	}
	for n := range start[1:] {
		start[n+1] += start[n]
	}
	order := make([]uint32, t.rows)
	for r, n := range length {
		order[start[n]] = uint32(r)
		start[n]++
	}
	return order
}

// divide spreads the columns over blocks.
func (t *table) divide() {
	for i := range t.columns {
		c := &t.columns[i]
		if len(t.blocks) == 0 || t.blocks[len(t.blocks)-1].bins+c.bins() > blockBins {
			t.blocks = append(t.blocks, block{bins: 1})
		}
		b := &t.blocks[len(t.blocks)-1]
		c.block, c.first = len(t.blocks)-1, b.bins
		b.bins += c.bins()
		b.columns = append(b.columns, i)
	}
}

// fill lists the rows' bins of a block.
func (t *table) fill(b *block, workers int) {
	length := make([]uint16, t.rows)
	chunks(t.rows, workers, func(_, lo, hi int) {
		for _, i := range b.columns {
			c := &t.columns[i]
			for r, bin := range c.bin[lo:hi] {
				if bin != c.usual {
					length[lo+r]++
				}
			}
		}
	})
	b.start = make([]uint32, t.rows+1)
	for r, n := range length {
		b.start[r+1] = b.start[r] + uint32(n+3)/4
	}
	b.quads = make([][4]uint16, b.start[t.rows])
	chunks(t.rows, workers, func(_, lo, hi int) {
		clear(length[lo:hi])
		for ; lo < hi; lo += 1024 { // a part that stays in the cache for all columns
			part := min(lo+1024, hi)
			for _, i := range b.columns {
				c := &t.columns[i]
				for r := lo; r < part; r++ {
					if bin := c.bin[r]; bin != c.usual {
						at := length[r]
						length[r]++
						b.quads[b.start[r]+uint32(at/4)][at%4] = uint16(c.first + int(bin))
					}
				}
			}
		}
	})
}

// parallel runs n workers and waits for them.
func parallel(n int, work func(worker int)) {
	var wg sync.WaitGroup
	for w := range n - 1 {
		wg.Go(func() { work(w + 1) })
	}
	work(0)
	wg.Wait()
}

// chunks divides 0 to n between the workers and waits for them.
func chunks(n, workers int, work func(worker, lo, hi int)) {
	parallel(workers, func(w int) {
		if lo, hi := n*w/workers, n*(w+1)/workers; lo < hi {
			work(w, lo, hi)
		}
	})
}
