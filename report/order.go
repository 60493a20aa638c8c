package report

import (
	"cmp"
	"math"
	"slices"

	"mlids/dataset"
)

// ordered is a column's rows in the order of their values, missing ones last.
type ordered struct {
	x     []float32
	rows  []int32 // rows by rising value
	valid int     // rows[valid:] have no value
}

// radixRows is the length from which a radix sort, with its tables of 65,536 counts, pays.
const radixRows = 8192

// order sorts a column: a radix sort of the values' bits, 16 at a time, so that a million rows take milliseconds.
func order(x []float32) *ordered {
	n := len(x)
	keys, rows := make([]uint32, n), make([]int32, n)
	valid := 0
	for i, v := range x {
		rows[i] = int32(i)
		keys[i] = sortable(v)
		if v == v {
			valid++
		}
	}
	if n < radixRows {
		slices.SortStableFunc(rows, func(a, b int32) int { return cmp.Compare(keys[a], keys[b]) })
		return &ordered{x: x, rows: rows, valid: valid}
	}
	spare := make([]int32, n)
	for _, shift := range []uint{0, 16} {
		var start [1 << 16]int32
		for _, k := range keys {
			start[k>>shift&0xffff]++
		}
		sum := int32(0)
		for d, count := range start {
			start[d], sum = sum, sum+count
		}
		for _, row := range rows {
			d := keys[row] >> shift & 0xffff
			spare[start[d]] = row
			start[d]++
		}
		rows, spare = spare, rows
	}
	return &ordered{x: x, rows: rows, valid: valid}
}

// sortable maps numbers to integers of the same order; NaN is the largest.
func sortable(v float32) uint32 {
	bits := math.Float32bits(v)
	switch {
	case v != v:
		return math.MaxUint32
	case bits>>31 != 0:
		return ^bits
	}
	return bits | 1<<31
}

// at is the value of a rank.
func (o *ordered) at(rank int) float64 { return float64(o.x[o.rows[rank]]) }

// runs calls each with every run of equal values: ranks from to to-1.
func (o *ordered) runs(each func(from, to int)) {
	for from := 0; from < o.valid; {
		v, to := o.x[o.rows[from]], from+1
		for to < o.valid && o.x[o.rows[to]] == v {
			to++
		}
		each(from, to)
		from = to
	}
}

// cells parts rows by a column: cell 0 has those without a value.
type cells struct {
	of []int32
	n  int
}

// bins makes about limit cells of equally many rows. Equal values are never parted, and a value that fills a cell gets
// one of its own.
func (o *ordered) bins(limit int) cells {
	c := cells{of: make([]int32, len(o.x)), n: 1}
	size := max(1, (o.valid+limit-1)/max(limit, 1))
	filled := size // opens the first cell
	o.runs(func(from, to int) {
		if filled >= size || to-from >= size {
			c.n++
			filled = 0
		}
		filled += to - from
		for _, row := range o.rows[from:to] {
			c.of[row] = int32(c.n - 1)
		}
	})
	return c
}

// textCells gives each different text a cell; empty text is missing.
func textCells(text []string) (cells, []Value) {
	c := cells{of: make([]int32, len(text)), n: 1}
	code := map[string]int32{}
	var values []Value
	for i, s := range text {
		if s == "" {
			continue
		}
		k, ok := code[s]
		if !ok {
			k = int32(c.n)
			code[s] = k
			c.n++
			values = append(values, Value{Text: s})
		}
		c.of[i] = k
		values[k-1].Rows++
	}
	return c, values
}

// target is what a table's rows are.
type target struct {
	classes []string
	class   []int32 // of each row; nil without labels
	count   []int   // rows of each class
	labels  []int32 // of each row, nil without labels
	types   int     // number of labels
	unknown []string
}

// noClass is the class of labels that the table of classes does not have.
const noClass = "(no class)"

// newTarget maps labels to classes.
func newTarget(t *dataset.Table, c *dataset.Classes) *target {
	if t.Label == nil {
		return &target{}
	}
	g := &target{classes: append([]string(nil), c.Names...), labels: t.Label, types: len(t.Labels), class: make([]int32, t.Len())}
	of := make([]int32, len(t.Labels))
	for i, name := range t.Labels {
		k, ok := c.Of(name)
		if !ok {
			k = len(c.Names)
			g.unknown = append(g.unknown, name)
		}
		of[i] = int32(k)
	}
	if len(g.unknown) > 0 {
		g.classes = append(g.classes, noClass)
	}
	g.count = make([]int, len(g.classes))
	for i, l := range t.Label {
		g.class[i] = of[l]
		g.count[of[l]]++
	}
	return g
}

// attack tells whether a class is one of attacks.
func (g *target) attack(class int32) bool { return class > 0 && g.classes[class] != noClass }

// benign lists the rows of class 0.
func (g *target) benign() []int32 {
	var rows []int32
	for i, k := range g.class {
		if k == 0 {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// entropy is that of the classes, in nats.
func (g *target) entropy() float64 { return entropy(g.count, len(g.class)) }

func entropy(count []int, n int) float64 {
	h := 0.0
	for _, c := range count {
		if c > 0 {
			p := float64(c) / float64(n)
			h -= p * math.Log(p)
		}
	}
	return h
}
