package chart

import (
	"html/template"
	"math"
)

// Heat is a table whose cells are coloured.
type Heat struct {
	Rows, Cols []string
	Shade      [][]float64 // -1 to 1: sign is the colour, size is how strong it is; NaN for an empty cell
	Text       [][]string  // what the cells say; nil for nothing
	Across     string      // what the columns are
	Down       string      // what the rows are
}

// Draw draws the table, column names slanted above it.
func (h Heat) Draw(title string) template.HTML {
	wide := 22.0
	for _, row := range h.Text {
		wide = max(wide, widest(row, 12)+12)
	}
	const high = 22.0
	left, slant := widest(h.Rows, longest)+14, widest(h.Cols, longest)*0.72+16
	if h.Across != "" {
		slant += 18
	}
	c := &canvas{}
	for j, name := range h.Cols {
		x := left + (float64(j)+0.5)*wide
		c.add(`<text class="label" transform="translate(%s %s) rotate(-45)">%s</text>`, x, slant-6, cut(name, longest))
	}
	if h.Across != "" {
		c.add(`<text class="tick" x="%s" y="12">%s</text>`, left, h.Across)
	}
	if h.Down != "" {
		c.add(`<text class="tick" x="%s" y="%s" text-anchor="end">%s</text>`, left-8, slant-6, h.Down)
	}
	for i, name := range h.Rows {
		y := slant + float64(i)*high
		c.add(`<text class="label" x="%s" y="%s" text-anchor="end">%s</text>`, left-8, y+15, cut(name, longest))
		for j, v := range h.Shade[i] {
			h.cell(c, i, j, left+float64(j)*wide, y, wide, high, v)
		}
	}
	right := widest(h.Cols, longest) * 0.72 // the last names lean out
	return c.finish(left+float64(len(h.Cols))*wide+right, slant+float64(len(h.Rows))*high+2, title)
}

func (h Heat) cell(c *canvas, i, j int, x, y, wide, high, v float64) {
	if math.IsNaN(v) {
		c.add(`<rect class="empty" x="%s" y="%s" width="%s" height="%s"/>`, x, y, wide-1, high-1)
		return
	}
	class := "hot"
	if v < 0 {
		class = "cold"
	}
	c.add(`<rect class="empty" x="%s" y="%s" width="%s" height="%s"/>`, x, y, wide-1, high-1)
	c.add(`<rect class="%s" x="%s" y="%s" width="%s" height="%s" fill-opacity="%d%%"/>`, class, x, y, wide-1, high-1, int(min(1, math.Abs(v))*100))
	if h.Text != nil {
		ink := "value"
		if math.Abs(v) > 0.55 {
			ink = "value over"
		}
		c.add(`<text class="%s" x="%s" y="%s" text-anchor="middle">%s</text>`, ink, x+wide/2, y+15, cut(h.Text[i][j], 12))
	}
}
