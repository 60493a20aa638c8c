package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"mlids/dataset"
)

// Options say how to look at a table.
type Options struct {
	Classes  *dataset.Classes   // nil: those that come with the schema
	Against  *dataset.Table     // a second table whose difference is of interest; nil for none
	Seed     uint64             // of the sample that correlations are measured on
	Progress func(done, of int) // columns; called by one goroutine at a time, may be nil
}

// Inspect looks at a table as it was read (dataset.Options with Extra and Text show all columns); a merged one counts
// distinct rows. It takes about 20 bytes for each row beside the table, and the same input gives the same report on any
// number of cores. Cancelling ctx ends it with its error.
func Inspect(ctx context.Context, t *dataset.Table, o Options) (*DataReport, error) {
	if t == nil || t.Schema == nil {
		return nil, errors.New("inspect: no table")
	}
	if o.Classes == nil {
		o.Classes = dataset.ClassesOf(t.Schema)
	}
	if n := len(o.Classes.Names); n > maxClasses {
		return nil, fmt.Errorf("inspect %s: %d classes; want at most %d", t.Source, n, maxClasses)
	}
	g := newTarget(t, o.Classes)
	r := &DataReport{Source: t.Source, Schema: t.Schema.ID(), Rows: t.Len(), Ignored: t.Ignored, Classes: shares(g), Entropy: g.entropy()}
	r.Labels = labels(t, g)
	if err := r.describe(ctx, t, g, o.Progress); err != nil {
		return nil, fmt.Errorf("inspect %s: %w", t.Source, err)
	}
	r.alignLabels()
	r.sameColumns(t)
	r.Repeats = repeats(t, g)
	var err error
	if r.Pairs, r.Matrix, err = correlate(ctx, t, r.Columns, o.Seed); err != nil {
		return nil, fmt.Errorf("inspect %s: %w", t.Source, err)
	}
	if o.Against != nil {
		r.Drift = compareTables(t, o.Against, g, newTarget(o.Against, o.Classes))
	}
	r.suspect(g)
	r.find(g)
	return r, ctx.Err()
}

// maxClasses bounds what is counted for each value of a column.
const maxClasses = 256

func workers() int { return runtime.GOMAXPROCS(0) }

// describe looks at every column, several at a time.
func (r *DataReport) describe(ctx context.Context, t *dataset.Table, g *target, progress func(done, of int)) error {
	n := len(t.Schema.Columns)
	found, has := make([]Column, n), make([]bool, n)
	var mu sync.Mutex
	done := 0
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(workers())
	for i := range n {
		work.Go(func() error {
			found[i], has[i] = describe(t, i, g)
			mu.Lock()
			defer mu.Unlock()
			if done++; progress != nil {
				progress(done, n)
			}
			return ctx.Err()
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for i, c := range found {
		if has[i] {
			r.Columns = append(r.Columns, c)
		} else {
			r.Absent = append(r.Absent, c.Name)
		}
	}
	return nil
}

// alignLabels puts Column.ByLabel in the order of Labels.
func (r *DataReport) alignLabels() {
	for i := range r.Columns {
		byCode := r.Columns[i].ByLabel
		if byCode == nil {
			continue
		}
		aligned := make([]float64, len(r.Labels))
		for k, l := range r.Labels {
			aligned[k] = byCode[l.code]
		}
		r.Columns[i].ByLabel = aligned
	}
}

// sameColumns finds columns that repeat an earlier one.
func (r *DataReport) sameColumns(t *dataset.Table) {
	first := map[uint64]int{}
	for i := range r.Columns {
		c := &r.Columns[i]
		if t.Columns[c.column] == nil || c.Constant || c.Kind == "category" {
			continue
		}
		j, seen := first[c.hash]
		if !seen {
			first[c.hash] = i
			continue
		}
		a, b := t.Columns[r.Columns[j].column], t.Columns[c.column]
		if slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
			c.Same = r.Columns[j].Name
		}
	}
}

// shares counts the classes; nil without labels.
func shares(g *target) []Share {
	if g.class == nil {
		return nil
	}
	out := make([]Share, 0, len(g.classes))
	for k, name := range g.classes {
		out = append(out, Share{name, g.count[k], float64(g.count[k]) / float64(max(1, len(g.class)))})
	}
	return out
}

func countLabels(t *dataset.Table) []int {
	count := make([]int, len(t.Labels))
	for _, l := range t.Label {
		count[l]++
	}
	return count
}

// labels lists the labels, the most frequent first.
func labels(t *dataset.Table, g *target) []Label {
	if t.Label == nil {
		return nil
	}
	out := make([]Label, len(t.Labels))
	for row, l := range t.Label {
		if out[l].Rows++; out[l].Rows == 1 {
			out[l] = Label{Name: t.Labels[l], Class: g.classes[g.class[row]], Rows: 1, code: l}
		}
	}
	out = slices.DeleteFunc(out, func(l Label) bool { return l.Rows == 0 })
	slices.SortStableFunc(out, func(a, b Label) int { return cmp.Compare(b.Rows, a.Rows) })
	return out
}
