package report

import (
	"cmp"
	"math"
	"slices"

	"mlids/dataset"
	"mlids/feature"
)

const (
	coarseBins = 64   // of mutual information
	fineBins   = 1024 // of the one-column rule
	histBins   = 32
	topValues  = 12
)

// column describes one column of a table. It returns false for one that the table does not have.
func describe(t *dataset.Table, i int, g *target) (Column, bool) {
	s := t.Schema.Columns[i]
	c := Column{Name: s.Name, Kind: s.Kind.String(), Unit: s.Unit, Meaning: s.Meaning, Identity: s.Identity, AUC: 0.5, column: i}
	switch {
	case t.Columns[i] != nil:
		c.numbers(t.Columns[i], s, g)
		if i < len(t.Infinite) {
			c.Infinite = t.Infinite[i]
		}
	case t.Text[i] != nil:
		c.text(t.Text[i], g)
	default:
		return c, false
	}
	c.Constant = c.Distinct <= 1
	return c, true
}

// numbers describes a column of numbers or codes.
func (c *Column) numbers(x []float32, s feature.Column, g *target) {
	o := order(x)
	c.Missing = len(x) - o.valid
	o.runs(func(from, to int) {
		c.Distinct++
		if s.Kind == feature.Category {
			c.category(s.Categories, o.at(from), to-from)
		}
	})
	c.Values = frequent(c.Values)
	c.hash = hashOf(x)
	if s.Kind != feature.Category && o.valid > 0 {
		c.Numbers = o.numbers()
		c.Histogram = o.histogram(g)
	}
	if g.class == nil {
		return
	}
	c.associate(o.bins(clamp(len(x)/50, 4, coarseBins)), o.bins(fineBins), g)
	if s.Kind != feature.Category {
		c.AUC = g.auc(o)
		c.Higher = c.AUC > 0.5
		c.AUC = max(c.AUC, 1-c.AUC)
		c.ByClass = o.byClass(g)
		c.ByLabel = g.medians(o)
	}
}

// category counts one category.
func (c *Column) category(names []string, code float64, rows int) {
	if code < 0 || int(code) >= len(names) {
		c.Unknown += rows
		c.Values = append(c.Values, Value{Text: "(not in the schema)", Rows: rows})
		return
	}
	c.Values = append(c.Values, Value{Text: names[int(code)], Rows: rows})
}

// text describes a column of text.
func (c *Column) text(text []string, g *target) {
	all, values := textCells(text)
	c.Distinct, c.Missing = len(values), len(text)
	for _, v := range values {
		c.Missing -= v.Rows
	}
	c.Values = frequent(values)
	if g.class != nil {
		c.associate(all, all, g)
		c.Information, c.Explains = 0, 0 // with about as many values as rows it would be high for any column
	}
}

// associate tells how much of the class the column knows.
func (c *Column) associate(coarse, fine cells, g *target) {
	c.Information = g.information(coarse)
	if h := g.entropy(); h > 0 {
		c.Explains = min(1, c.Information/h)
	}
	c.OneRule = g.oneRule(fine)
}

// frequent keeps the values that most rows have.
func frequent(values []Value) []Value {
	slices.SortStableFunc(values, func(a, b Value) int { return cmp.Compare(b.Rows, a.Rows) })
	return slices.Clone(values[:min(len(values), topValues)])
}

// hashOf tells columns apart; equal hashes are compared value by value (FNV-1a over 32-bit words).
func hashOf(x []float32) uint64 {
	h := uint64(14695981039346656037)
	for _, v := range x {
		h = (h ^ uint64(math.Float32bits(v))) * 1099511628211
	}
	return h
}

// numbers sums up the values that are there.
func (o *ordered) numbers() *Numbers {
	n := &Numbers{}
	for _, row := range o.rows[:o.valid] {
		v := float64(o.x[row])
		if v == 0 {
			n.Zeros++
		}
		n.Mean += v
	}
	n.Mean /= float64(o.valid)
	for _, row := range o.rows[:o.valid] {
		d := float64(o.x[row]) - n.Mean
		n.Deviation += d * d
	}
	n.Deviation = math.Sqrt(n.Deviation / float64(max(1, o.valid-1)))
	for _, r := range ranks {
		n.Quantiles = append(n.Quantiles, o.at(int(r*float64(o.valid-1))))
	}
	return n
}

// byClass gives the quantiles of each class.
func (o *ordered) byClass(g *target) []Quantiles {
	part := make([][]float64, len(g.classes))
	for k, n := range g.count {
		part[k] = make([]float64, 0, n)
	}
	for _, row := range o.rows[:o.valid] {
		k := g.class[row]
		part[k] = append(part[k], float64(o.x[row]))
	}
	out := make([]Quantiles, len(part))
	for k, v := range part {
		for _, r := range ranks {
			if len(v) > 0 {
				out[k] = append(out[k], v[int(r*float64(len(v)-1))])
			}
		}
	}
	return out
}

// histogram counts the values by class. Long-tailed columns, as most of flows are, get a logarithmic axis.
func (o *ordered) histogram(g *target) *Histogram {
	low, high := o.at(0), o.at(o.valid-1)
	quarter, three := o.at((o.valid-1)/4), o.at((o.valid-1)*3/4)
	median := math.Abs(o.at((o.valid - 1) / 2))
	h := &Histogram{Log: high-low > 100 && (high-low > 20*(three-quarter) || high-low > 50*(1+median))}
	from, to := h.scale(low), h.scale(high)
	bins := histBins
	if from == to {
		bins = 1
	}
	for i := range bins + 1 {
		h.Edges = append(h.Edges, h.unscale(from+(to-from)*float64(i)/float64(bins)))
	}
	h.Edges[0], h.Edges[bins] = low, high
	h.Counts = make([][]int, max(1, len(g.classes)))
	for k := range h.Counts {
		h.Counts[k] = make([]int, bins)
	}
	for _, row := range o.rows[:o.valid] {
		k := int32(0)
		if g.class != nil {
			k = g.class[row]
		}
		b := 0
		if to > from {
			b = clamp(int((h.scale(float64(o.x[row]))-from)/(to-from)*float64(bins)), 0, bins-1)
		}
		h.Counts[k][b]++
	}
	return h
}

// scale is where a value stands on the axis.
func (h *Histogram) scale(v float64) float64 {
	if h.Log {
		return math.Copysign(math.Log1p(math.Abs(v)), v)
	}
	return v
}

func (h *Histogram) unscale(s float64) float64 {
	if h.Log {
		return math.Copysign(math.Expm1(math.Abs(s)), s)
	}
	return s
}

func clamp(v, low, high int) int { return max(low, min(v, high)) }
