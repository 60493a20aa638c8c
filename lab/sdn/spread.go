package main

import (
	"cmp"
	"fmt"
	"slices"
)

// middle is the run of the median time to the block.
func middle(runs []*result) *result {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b *result) int { return cmp.Compare(a.delay(), b.delay()) })
	return sorted[(len(sorted)-1)/2]
}

// spread tells how far the runs of one attack lie apart: least, median and most.
func spread(runs []*result) string {
	blocked := 0
	for _, r := range runs {
		if r.blocked {
			blocked++
		}
	}
	text := fmt.Sprintf("%s, %d runs, %d blocked: after %s ms; kept %s%%", runs[0].attack.name, len(runs), blocked,
		three(runs, "%.0f", func(r *result) float64 { return float64(r.after().Milliseconds()) }),
		three(runs, "%.2f", func(r *result) float64 { all, _ := r.kept(); return all }))
	if runs[0].during.sent > 0 {
		text += fmt.Sprintf("; pings lost %s%%, median RTT %s µs before, %s µs meanwhile, %s of it; %s µs with idle switches",
			three(runs, "%.2f", func(r *result) float64 { return r.during.lost() }),
			three(runs, "%.0f", func(r *result) float64 { return float64(r.before.median().Microseconds()) }),
			three(runs, "%.0f", func(r *result) float64 { return float64(r.during.median().Microseconds()) }),
			three(runs, "%.2f", func(r *result) float64 { return r.during.median().Seconds() / max(r.before.median().Seconds(), 1e-9) }),
			three(runs, "%.0f", func(r *result) float64 { return float64(r.idle.median().Microseconds()) }))
	}
	if runs[0].mbitBefore > 0 {
		text += fmt.Sprintf("; TCP meanwhile %s of before", three(runs, "%.2f", func(r *result) float64 { return r.mbitDuring / r.mbitBefore }))
	}
	return text
}

// three are the least, the median and the most of a figure of the runs.
func three(runs []*result, format string, of func(*result) float64) string {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	slices.Sort(values)
	return fmt.Sprintf(format+", "+format+", "+format, values[0], values[(len(values)-1)/2], values[len(values)-1])
}
