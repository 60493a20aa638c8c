package report

import (
	"cmp"
	"math"
	"slices"

	"mlids/dataset"
	"mlids/feature"
)

const (
	driftBins  = 10
	leastShare = 1e-4 // what an empty part counts as in the stability index
	mostUnseen = 10
)

// compareTables tells how the rows of b differ from those of a. Identity columns differ by nature and are left out.
func compareTables(a, b *dataset.Table, ga, gb *target) *Drift {
	d := &Drift{Source: b.Source, Rows: b.Len(), Classes: shares(gb)}
	benignA, benignB := ga.benign(), gb.benign()
	for i, c := range a.Schema.Columns {
		j, ok := b.Schema.Index(c.Name)
		has := a.Columns[i] != nil
		switch {
		case c.Identity || c.Kind == feature.Text || c.Kind == feature.Time:
		case has && ok && b.Columns[j] != nil && a.Len() > 0 && b.Len() > 0:
			change := driftOf(a, b, i, j)
			if len(benignA) > 0 && len(benignB) > 0 {
				psi := driftIndex(c, pick(a.Columns[i], benignA), pick(b.Columns[j], benignB))
				change.Benign = &psi
			}
			d.Columns = append(d.Columns, change)
		case has && (!ok || b.Columns[j] == nil):
			d.Absent = append(d.Absent, c.Name)
		case !has && ok && b.Columns[j] != nil:
			d.Beyond = append(d.Beyond, c.Name)
		}
	}
	slices.SortStableFunc(d.Columns, func(x, y ColumnDrift) int { return cmp.Compare(y.PSI, x.PSI) })
	d.labels(a, b, ga, gb)
	return d
}

// labels finds labels that only one table has.
func (d *Drift) labels(a, b *dataset.Table, ga, gb *target) {
	if ga.class == nil || gb.class == nil {
		return
	}
	count := countLabels(b)
	for k, name := range b.Labels {
		if !slices.Contains(a.Labels, name) {
			d.Unseen = append(d.Unseen, Value{name, count[k]})
		}
	}
	for _, name := range a.Labels {
		if !slices.Contains(b.Labels, name) {
			d.Gone = append(d.Gone, name)
		}
	}
}

func driftOf(a, b *dataset.Table, i, j int) ColumnDrift {
	c := a.Schema.Columns[i]
	d := ColumnDrift{Name: c.Name, PSI: driftIndex(c, a.Columns[i], b.Columns[j])}
	if c.Kind == feature.Category {
		d.categories(text(a, i), text(b, j))
		return d
	}
	x, y := order(a.Columns[i]), order(b.Columns[j])
	d.KS = kolmogorov(x, y)
	if x.valid > 0 && y.valid > 0 {
		low, high := x.at(0), x.at(x.valid-1)
		out := 0
		for _, row := range y.rows[:y.valid] {
			if v := float64(y.x[row]); v < low || v > high {
				out++
			}
		}
		d.Outside = float64(out) / float64(y.valid)
		d.Medians = &[2]float64{x.at((x.valid - 1) / 2), y.at((y.valid - 1) / 2)}
	}
	return d
}

// driftIndex is the stability index of a column.
func driftIndex(c feature.Column, a, b []float32) float64 {
	x, y := order(a), order(b)
	if c.Kind == feature.Category {
		return stability(codes(x, len(c.Categories)), codes(y, len(c.Categories)))
	}
	return stability(x.parts(y))
}

// text is a category column as the source spells it, or by the schema's names.
func text(t *dataset.Table, i int) []string {
	if t.Text[i] != nil {
		return t.Text[i]
	}
	names := t.Schema.Columns[i].Categories
	out := make([]string, t.Len())
	for row, v := range t.Columns[i] {
		switch {
		case v >= 0 && int(v) < len(names):
			out[row] = names[int(v)]
		case v < 0:
			out[row] = "(not in the schema)"
		}
	}
	return out
}

// categories finds values that only the second table has.
func (d *ColumnDrift) categories(a, b []string) {
	seen := map[string]bool{}
	for _, s := range a {
		seen[s] = true
	}
	fresh := map[string]int{}
	rows := 0
	for _, s := range b {
		if !seen[s] && s != "" {
			fresh[s]++
			rows++
		}
	}
	d.Outside = float64(rows) / float64(len(b))
	for s, n := range fresh {
		d.Unseen = append(d.Unseen, Value{s, n})
	}
	slices.SortFunc(d.Unseen, func(x, y Value) int { return cmp.Or(cmp.Compare(y.Rows, x.Rows), cmp.Compare(x.Text, y.Text)) })
	d.Unseen = d.Unseen[:min(len(d.Unseen), mostUnseen)]
}

// codes counts missing values, unknown categories and each category.
func codes(o *ordered, categories int) []int {
	count := make([]int, categories+2)
	count[0] = len(o.x) - o.valid
	o.runs(func(from, to int) { count[clamp(int(o.at(from))+2, 1, categories+1)] += to - from })
	return count
}

// parts counts both tables' rows in ten parts of the first one's, and those without a value.
func (o *ordered) parts(other *ordered) (a, b []int) {
	c := o.bins(driftBins)
	a = make([]int, c.n)
	upper := make([]float64, c.n) // highest value of each part
	for _, row := range o.rows {
		cell := c.of[row]
		a[cell]++
		upper[cell] = float64(o.x[row])
	}
	b = make([]int, c.n)
	b[0] = len(other.x) - other.valid
	cell := 1
	for rank := range other.valid {
		for cell < c.n-1 && other.at(rank) > upper[cell] {
			cell++
		}
		b[min(cell, c.n-1)]++
	}
	return a, b
}

// stability is the population stability index: the sum over parts of (q-p)·ln(q/p), Kullback and Leibler's divergence
// both ways (1951).
func stability(a, b []int) float64 {
	n, m, sum := 0, 0, 0.0
	for i := range a {
		n, m = n+a[i], m+b[i]
	}
	for i := range a {
		if a[i] == 0 && b[i] == 0 {
			continue
		}
		p, q := max(float64(a[i])/float64(max(n, 1)), leastShare), max(float64(b[i])/float64(max(m, 1)), leastShare)
		sum += (q - p) * math.Log(q/p)
	}
	return sum
}

// kolmogorov is the statistic of Kolmogorov and Smirnov (1948) for two samples; 0 when one is empty.
func kolmogorov(a, b *ordered) float64 {
	i, j, most := 0, 0, 0.0
	for i < a.valid && j < b.valid {
		v := min(a.at(i), b.at(j))
		for i < a.valid && a.at(i) == v {
			i++
		}
		for j < b.valid && b.at(j) == v {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(a.valid)-float64(j)/float64(b.valid)))
	}
	return most
}
