package report

import (
	"mlids/dataset"
	"mlids/feature"
)

// repeats finds rows that are equal in all columns but those of identity and text.
func repeats(t *dataset.Table, g *target) Repeats {
	n := t.Len()
	set := &dataset.Set{Class: make([]int32, n)} // without inputs' names: only grouped
	for i, x := range t.Columns {
		c := t.Schema.Columns[i]
		if x != nil && !c.Identity && c.Kind != feature.Text && c.Kind != feature.Time {
			set.X = append(set.X, x)
		}
	}
	if n == 0 || len(set.X) == 0 {
		return Repeats{Distinct: n, Ceiling: 1}
	}
	of := set.Groups()
	groups := int32(0)
	for _, k := range of {
		groups = max(groups, k+1)
	}
	if g.class == nil {
		return Repeats{Distinct: int(groups), Rows: n - int(groups), Ceiling: 1}
	}
	r := Repeats{Distinct: len(pairs(of, g.labels))}
	r.Rows = n - r.Distinct
	r.conflicts(pairs(of, g.class), int(groups), n)
	return r
}

// pairs counts the rows of each pair of group (upper half) and code (lower half).
func pairs(of, code []int32) map[uint64]int32 {
	count := make(map[uint64]int32, len(of)/4)
	for i, k := range of {
		count[uint64(uint32(k))<<32|uint64(uint32(code[i]))]++
	}
	return count
}

// conflicts counts rows whose group has several classes, and what is right when each group is given its most frequent.
func (r *Repeats) conflicts(count map[uint64]int32, groups, rows int) {
	sum, most := make([]int32, groups), make([]int32, groups)
	for pair, n := range count {
		group := pair >> 32
		sum[group] += n
		most[group] = max(most[group], n)
	}
	right := 0
	for group, n := range sum {
		right += int(most[group])
		if most[group] < n {
			r.Conflicts += int(n)
		}
	}
	r.Ceiling = float64(right) / float64(rows)
}
