package dataset

import (
	"fmt"
	"math"
	"math/bits"

	"mlids/feature"
)

// Merge makes rows that are equal in every column and in their label one row with the sum of their weights. Rows stay in
// the order of their first occurrence. Text is not kept.
func (t *Table) Merge() *Table {
	var keys []key
	for _, c := range t.Columns {
		if c != nil {
			keys = append(keys, floats(c))
		}
	}
	if t.Label != nil {
		keys = append(keys, integers(t.Label))
	}
	g := group(t.rows, keys)
	m := *t
	m.rows, m.origin = len(g.first), make([]int32, len(g.first))
	for i, row := range g.first {
		m.origin[i] = row
		if t.origin != nil {
			m.origin[i] = t.origin[row]
		}
	}
	m.Columns, m.Text = make([][]float32, len(t.Columns)), make([][]string, len(t.Columns))
	for i, c := range t.Columns {
		if c != nil {
			m.Columns[i] = pick(c, g.first)
		}
	}
	if t.Label != nil {
		m.Label = pick(t.Label, g.first)
	}
	m.Weight = g.weights(t.Weight)
	return &m
}

// Set expands a table to the inputs of a learner; nil stands for Schema.Inputs(false). Plain numbers are shared with
// the table. Set.Classes are all of the classes' names, Set.Types the table's labels.
func (t *Table) Set(inputs []feature.Input, c *Classes) (*Set, error) {
	of, err := t.classes(c)
	if err != nil {
		return nil, err
	}
	if inputs == nil {
		inputs = t.Schema.Inputs(false)
	}
	s := &Set{Classes: c.Names, Type: t.Label, Types: t.Labels, Weight: t.Weight, Class: make([]int32, t.rows)}
	for _, in := range inputs {
		x, err := t.expand(in)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", in.Name, err)
		}
		s.Inputs, s.X = append(s.Inputs, in.Name), append(s.X, x)
	}
	for i, label := range t.Label {
		s.Class[i] = of[label]
	}
	if s.Weight == nil {
		s.Weight = ones(t.rows)
	}
	return s, nil
}

func ones(n int) []float32 {
	w := make([]float32, n)
	for i := range w {
		w[i] = 1
	}
	return w
}

// Merge makes rows that are equal in every input, class and type one row with the sum of their weights. Rows stay in the
// order of their first occurrence.
func (s *Set) Merge() *Set {
	g := group(s.Len(), append(s.keys(), integers(s.Class), integers(s.Type)))
	m := s.Subset(g.first)
	m.Weight = g.weights(s.Weight)
	return m
}

// Groups numbers the rows so that those with equal inputs, whatever their class, share a number. Numbers count from 0 in
// the order of first occurrence.
func (s *Set) Groups() []int32 { return group(s.Len(), s.keys()).of }

func (s *Set) keys() []key {
	keys := make([]key, len(s.X))
	for i, x := range s.X {
		keys[i] = floats(x)
	}
	return keys
}

// key is a column by which rows are compared, bit by bit.
type key interface {
	mix(hash []uint64, seed uint64)
	differs(of, first []int32) bool
}

type floats []float32

func (f floats) mix(hash []uint64, seed uint64) {
	for i, v := range f {
		hash[i] = mix(hash[i], uint64(math.Float32bits(v))^seed)
	}
}

func (f floats) differs(of, first []int32) bool {
	for i, v := range f {
		if math.Float32bits(v) != math.Float32bits(f[first[of[i]]]) {
			return true
		}
	}
	return false
}

type integers []int32

func (n integers) mix(hash []uint64, seed uint64) {
	for i, v := range n {
		hash[i] = mix(hash[i], uint64(uint32(v))^seed)
	}
}

func (n integers) differs(of, first []int32) bool {
	for i, v := range n {
		if v != n[first[of[i]]] {
			return true
		}
	}
	return false
}

// mix is the multiply-and-fold step of wyhash (Wang Yi, 2019).
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, v^0xe7037ed1a0b428db)
	return hi ^ lo
}

// grouping is a partition of rows.
type grouping struct {
	of    []int32 // group of each row
	first []int32 // first row of each group
}

// group puts rows together that are equal in all keys. Rows are hashed column by column, which memory likes, and then
// compared with the first row of their group the same way; should two different rows share a hash, another one is tried.
func group(rows int, keys []key) grouping {
	for seed := uint64(0x8ebc6af09c88c6e3); ; seed = mix(seed, 1) {
		g := groupByHash(hashes(rows, keys, seed))
		collision := false
		for _, k := range keys {
			collision = collision || k.differs(g.of, g.first)
		}
		if !collision {
			return g
		}
	}
}

func hashes(rows int, keys []key, seed uint64) []uint64 {
	hash := make([]uint64, rows)
	for i := range hash {
		hash[i] = seed
	}
	for i, k := range keys {
		k.mix(hash, mix(seed, uint64(i)))
	}
	return hash
}

// groupByHash groups by equal hashes, in an open-addressed table.
func groupByHash(hash []uint64) grouping {
	size := 1 << bits.Len(uint(len(hash))*2)
	table := make([]int32, size) // group + 1
	g := grouping{of: make([]int32, len(hash))}
	for row, h := range hash {
		slot := int(h) & (size - 1)
		for table[slot] != 0 && hash[g.first[table[slot]-1]] != h {
			slot = (slot + 1) & (size - 1)
		}
		if table[slot] == 0 {
			g.first = append(g.first, int32(row))
			table[slot] = int32(len(g.first))
		}
		g.of[row] = table[slot] - 1
	}
	return g
}

// weights sums the weights of each group's rows; nil stands for ones.
func (g grouping) weights(of []float32) []float32 {
	sum := make([]float64, len(g.first))
	for row, k := range g.of {
		if of == nil {
			sum[k]++
		} else {
			sum[k] += float64(of[row])
		}
	}
	w := make([]float32, len(sum))
	for i, v := range sum {
		w[i] = float32(v)
	}
	return w
}

// pick copies some rows of a column.
func pick[T any](column []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = column[row]
	}
	return out
}
