package report

import (
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"mlids/report/chart"
)

const (
	shownBest    = 20
	shownShapes  = 12
	shownPairs   = 30
	shownDrift   = 30
	shownLabels  = 40
	shownStrips  = 12
	listedLabels = 200
)

// WriteData writes a table's report as one HTML file that needs nothing else.
func WriteData(w io.Writer, r *DataReport) error { return render(w, "data", dataPage{r}) }

// dataPage gives the template what it draws.
type dataPage struct{ *DataReport }

// Part is a count as a share of the rows.
func (p dataPage) Part(n int) float64 { return float64(n) / float64(max(1, p.Rows)) }

// Present lists the classes that rows have.
func (p dataPage) Present() []Share {
	return slices.DeleteFunc(slices.Clone(p.Classes), func(c Share) bool { return c.Rows == 0 })
}

// Most is the share of the most frequent class.
func (p dataPage) Most() float64 {
	most := 0.0
	for _, c := range p.Classes {
		most = max(most, c.Share)
	}
	return most
}

func (p dataPage) count(is func(Column) bool) int {
	n := 0
	for _, c := range p.Columns {
		if is(c) {
			n++
		}
	}
	return n
}

// Constants counts the constant columns.
func (p dataPage) Constants() int {
	return p.count(func(c Column) bool { return c.Constant && p.Rows > 1 })
}

// Leaks counts the suspects.
func (p dataPage) Leaks() int { return len(p.Suspects()) }

// Suspects lists the columns that look like leaks.
func (p dataPage) Suspects() []Column {
	return slices.DeleteFunc(slices.Clone(p.Columns), func(c Column) bool { return c.Leak == "" })
}

// Best lists the columns that tell most.
func (p dataPage) Best() []Column { return p.best(shownBest) }

// colour is that of a class.
func (p dataPage) colour(class string) int {
	return max(0, slices.IndexFunc(p.Classes, func(c Share) bool { return c.Name == class }))
}

// ClassBars draws how many rows each label has, in the colours of the classes.
func (p dataPage) ClassBars() template.HTML {
	labels := p.Labels[:min(len(p.Labels), shownLabels)]
	bars := make([]chart.Bar, 0, len(labels))
	for _, l := range labels {
		name := l.Name
		if l.Class != l.Name {
			name += " · " + l.Class
		}
		bars = append(bars, chart.Bar{Label: name, Value: float64(l.Rows), Text: whole(l.Rows), Colour: p.colour(l.Class)})
	}
	return chart.Bars("Rows of each label", bars, true)
}

// TopLabels lists the most frequent labels.
func (p dataPage) TopLabels() []Label { return p.Labels[:min(len(p.Labels), listedLabels)] }

// MoreLabels counts those that are not listed.
func (p dataPage) MoreLabels() int { return len(p.Labels) - len(p.TopLabels()) }

// BestBars draws how much of the class each column explains.
func (p dataPage) BestBars() template.HTML {
	best := p.Best()
	bars := make([]chart.Bar, 0, len(best))
	for _, c := range best {
		bars = append(bars, chart.Bar{Label: c.Name, Value: c.Explains, Text: percent(c.Explains)})
	}
	return chart.Bars("Share of the class that each column explains", bars, false)
}

// Shape is the picture of a column.
type Shape struct {
	Name, Note string
	Picture    template.HTML
}

// Shapes draws the distributions of the most telling columns, or of the first ones without labels.
func (p dataPage) Shapes() []Shape {
	columns := p.best(len(p.Columns))
	if len(columns) == 0 {
		columns = p.Columns
	}
	var out []Shape
	for _, c := range columns {
		if c.Histogram == nil || c.Constant || len(out) == shownShapes {
			continue
		}
		note := c.Unit
		if c.Histogram.Log {
			note = strings.TrimPrefix(note+", log", ", ")
		}
		out = append(out, Shape{c.Name, note, p.strips(c)})
	}
	return out
}

func (p dataPage) strips(c Column) template.HTML {
	h := c.Histogram
	var strips []chart.Strip
	for k, counts := range h.Counts {
		if len(strips) == shownStrips {
			break
		}
		s := chart.Strip{Label: "all rows", Counts: counts, Colour: k}
		if len(p.Classes) > 0 {
			s.Label = p.Classes[k].Name
			if p.Classes[k].Rows == 0 {
				continue
			}
		}
		strips = append(strips, s)
	}
	return chart.Strips("Distribution of "+c.Name+" by class", strips, h.ticks())
}

// ticks are the ends of the axis and what lies in the middle of it.
func (h *Histogram) ticks() []chart.Tick {
	low, high := h.scale(h.Edges[0]), h.scale(h.Edges[len(h.Edges)-1])
	ticks := []chart.Tick{{At: 0, Text: number(h.Edges[0])}}
	if high > low {
		middle := max(h.Edges[0], min(h.round(h.unscale((low+high)/2)), h.Edges[len(h.Edges)-1]))
		ticks = append(ticks, chart.Tick{At: (h.scale(middle) - low) / (high - low), Text: number(middle)},
			chart.Tick{At: 1, Text: number(h.Edges[len(h.Edges)-1])})
	}
	return ticks
}

// round makes a tick's value zero or a power of ten on a logarithmic axis.
func (h *Histogram) round(v float64) float64 {
	switch {
	case !h.Log:
		return v
	case math.Abs(v) < 1:
		return 0
	}
	return math.Copysign(math.Pow(10, math.Round(math.Log10(math.Abs(v)))), v)
}

// LabelHeat draws where the labels lie in the most telling columns; nothing without labels.
func (p dataPage) LabelHeat() template.HTML {
	h := chart.Heat{}
	columns := slices.DeleteFunc(p.best(len(p.Columns)), func(c Column) bool { return c.ByLabel == nil })
	columns = columns[:min(len(columns), 16)]
	if len(columns) == 0 || len(p.Labels) < 2 {
		return ""
	}
	for _, c := range columns {
		h.Cols = append(h.Cols, c.Name)
	}
	for k, l := range p.Labels[:min(len(p.Labels), shownLabels)] {
		shade, text := make([]float64, len(columns)), make([]string, len(columns))
		for j, c := range columns {
			v := c.ByLabel[k]
			shade[j], text[j] = 2*v-1, whole(int(math.Round(v*100)))
			if v < 0 {
				shade[j], text[j] = math.NaN(), ""
			}
		}
		h.Rows, h.Shade, h.Text = append(h.Rows, l.Name), append(h.Shade, shade), append(h.Text, text)
	}
	return h.Draw("Where the median row of each label stands in each column")
}

// MatrixHeat draws the correlations.
func (p dataPage) MatrixHeat() template.HTML {
	return chart.Heat{Rows: p.Matrix.Columns, Cols: p.Matrix.Columns, Shade: p.Matrix.Values}.Draw("Rank correlation of columns")
}

// TopPairs lists the strongest pairs.
func (p dataPage) TopPairs() []Pair { return p.Pairs[:min(len(p.Pairs), shownPairs)] }

// MorePairs counts those that are not shown.
func (p dataPage) MorePairs() int { return max(0, len(p.Pairs)-shownPairs) }

// TopDrift lists the columns that changed most.
func (p dataPage) TopDrift() []ColumnDrift {
	return p.Drift.Columns[:min(len(p.Drift.Columns), shownDrift)]
}

// NewValues reports whether any of them has categories that were never seen.
func (p dataPage) NewValues() bool {
	return slices.ContainsFunc(p.TopDrift(), func(c ColumnDrift) bool { return len(c.Unseen) > 0 })
}

// DriftBars draws them.
func (p dataPage) DriftBars() template.HTML {
	top := p.Drift.Columns[:min(len(p.Drift.Columns), shownBest)]
	bars := make([]chart.Bar, 0, len(top))
	for _, c := range top {
		colour := 7
		switch {
		case c.PSI >= largePSI:
			colour = 1
		case c.PSI >= 0.1:
			colour = 4
		}
		bars = append(bars, chart.Bar{Label: c.Name, Value: c.PSI, Text: third(c.PSI), Colour: colour})
	}
	return chart.Bars("Stability index of the columns", bars, false)
}

// ClassPair is a class's share in two tables.
type ClassPair struct {
	Name        string
	Here, There float64
}

// ClassPairs lists the classes that either table has.
func (p dataPage) ClassPairs() []ClassPair {
	var out []ClassPair
	for _, c := range slices.Concat(p.Classes, p.Drift.Classes) {
		if slices.ContainsFunc(out, func(o ClassPair) bool { return o.Name == c.Name }) {
			continue
		}
		there := 0.0
		for _, d := range p.Drift.Classes {
			if d.Name == c.Name {
				there = d.Share
			}
		}
		here := 0.0
		for _, d := range p.Classes {
			if d.Name == c.Name {
				here = d.Share
			}
		}
		out = append(out, ClassPair{c.Name, here, there})
	}
	return out
}

// ValueList names the most frequent values of a column.
func (p dataPage) ValueList(values []Value) string {
	values = values[:min(len(values), 5)]
	names := make([]string, 0, len(values))
	for _, v := range values {
		names = append(names, v.Text+" ("+percent(p.Part(v.Rows))+")")
	}
	return strings.Join(names, ", ")
}

// Remarks says what is special about a column.
func (p dataPage) Remarks(c Column) string {
	var out []string
	if c.Identity {
		out = append(out, "identity")
	}
	switch {
	case c.Missing == p.Rows && p.Rows > 0:
		out = append(out, "all missing")
	case c.Constant && p.Rows > 1:
		out = append(out, "constant")
	}
	if c.Same != "" {
		out = append(out, "same as "+c.Same)
	}
	if c.Unknown > 0 {
		out = append(out, plural(c.Unknown, "row")+" with unknown categories")
	}
	if c.Leak != "" {
		out = append(out, "leak?")
	}
	return strings.Join(out, "; ")
}
