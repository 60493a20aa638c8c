package report

import "math"

// table counts rows by cell and class: rows of cell c and class k at c*classes+k.
func (g *target) table(c cells) []int {
	k := len(g.classes)
	count := make([]int, c.n*k)
	for row, cell := range c.of {
		count[int(cell)*k+int(g.class[row])]++
	}
	return count
}

// information is the mutual information of cells and classes, in nats (Shannon, 1948): 0 when the cell says nothing of
// the class, the classes' entropy when it says all.
func (g *target) information(c cells) float64 {
	k, n := len(g.classes), float64(len(g.class))
	count, sum := g.table(c), 0.0
	for cell := range c.n {
		row := count[cell*k : (cell+1)*k]
		total := 0
		for _, v := range row {
			total += v
		}
		for j, v := range row {
			if v > 0 {
				sum += float64(v) / n * math.Log(float64(v)*n/(float64(total)*float64(g.count[j])))
			}
		}
	}
	return max(0, sum)
}

// oneRule is the share of rows whose class their cell tells (Holte, Very simple classification rules perform well,
// Machine Learning 11, 1993). Each row is judged by the other rows of its cell, so that a value of its own tells nothing.
func (g *target) oneRule(c cells) float64 {
	k := len(g.classes)
	count, right := g.table(c), 0
	for cell := range c.n {
		first, second := 0, 0 // the two largest counts
		for _, v := range count[cell*k : (cell+1)*k] {
			if v > first {
				first, second = v, first
			} else if v > second {
				second = v
			}
		}
		if first-1 > second {
			right += first
		}
	}
	return float64(right) / float64(max(1, len(g.class)))
}

// auc is the chance that an attack has a higher value than a benign row, ties counting half (Mann and Whitney, 1947);
// 0.5 when there are not both. Rows without a value are left out.
func (g *target) auc(o *ordered) float64 {
	benign, attack, area := 0.0, 0.0, 0.0
	o.runs(func(from, to int) {
		b, a := 0.0, 0.0
		for _, row := range o.rows[from:to] {
			switch class := g.class[row]; {
			case class == 0:
				b++
			case g.attack(class):
				a++
			}
		}
		area += a * (benign + b/2)
		benign, attack = benign+b, attack+a
	})
	if benign == 0 || attack == 0 {
		return 0.5
	}
	return area / (benign * attack)
}

// medians tells for each label where its median row stands among all rows with a value: 0 lowest, 1 highest, -1 for none.
func (g *target) medians(o *ordered) []float64 {
	total, seen := make([]int, g.types), make([]int, g.types)
	for _, row := range o.rows[:o.valid] {
		total[g.labels[row]]++
	}
	out := make([]float64, g.types)
	for l := range out {
		out[l] = -1
	}
	o.runs(func(from, to int) {
		middle := float64(from+to-1) / 2 / math.Max(1, float64(o.valid-1))
		for _, row := range o.rows[from:to] {
			l := g.labels[row]
			if seen[l]++; seen[l] == (total[l]+1)/2 {
				out[l] = middle
			}
		}
	})
	return out
}
