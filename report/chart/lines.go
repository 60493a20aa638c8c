package chart

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
)

// Line is a series of points.
type Line struct {
	Label  string
	X, Y   []float64
	Colour int
	Dots   bool      // points marked
	Faint  bool      // a line to compare with, dashed
	Bare   bool      // points without a line between them
	Size   []float64 // radius of each point; nil for one that can be seen
}

// Axis is one of two axes. An axis from 0 to 0 fits its points.
type Axis struct {
	Title    string
	Low      float64
	High     float64
	Log      bool // Low must be above 0; smaller values are drawn at Low
	Percents bool
}

const (
	plotWidth  = 460.0
	plotHeight = 300.0
	plotLeft   = 62.0
	plotTop    = 10.0
)

// Lines draws series over two axes, their names below.
func Lines(title string, x, y Axis, lines []Line) template.HTML {
	x.fit(lines, func(l Line) []float64 { return l.X })
	y.fit(lines, func(l Line) []float64 { return l.Y })
	c := &canvas{}
	c.axes(x, y)
	for _, l := range lines {
		c.line(x, y, l)
	}
	bottom := c.legend(lines)
	return c.finish(plotLeft+plotWidth+24, bottom, title)
}

// fit finds the ends of an axis that has none.
func (a *Axis) fit(lines []Line, of func(Line) []float64) {
	if a.Low != 0 || a.High != 0 {
		return
	}
	a.Low, a.High = math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, v := range of(l) {
			if v-v == 0 && (!a.Log || v > 0) {
				a.Low, a.High = min(a.Low, v), max(a.High, v)
			}
		}
	}
	if a.Low > a.High {
		a.Low, a.High = 0.1, 1
	}
	if a.Low == a.High {
		a.Low, a.High = a.Low-math.Abs(a.Low)/2, a.High+math.Abs(a.High)/2+1e-9
	}
	if a.Log && a.Low <= 0 {
		a.Low = a.High / 1000
	}
}

// at is where a value stands, 0 to 1.
func (a *Axis) at(v float64) float64 {
	low, high := a.Low, a.High
	if a.Log {
		v, low, high = math.Log10(max(v, a.Low)), math.Log10(low), math.Log10(high)
	}
	return max(0, min((v-low)/(high-low), 1))
}

// ticks are round values of an axis.
func (a *Axis) ticks() []Tick {
	var out []Tick
	if a.Log {
		first, last := math.Ceil(math.Log10(a.Low)-1e-9), math.Floor(math.Log10(a.High)+1e-9)
		for e := first; e <= last && len(out) < 20; e++ {
			v := math.Pow(10, e)
			out = append(out, Tick{a.at(v), a.text(v)})
		}
		if len(out) >= 2 {
			return out
		}
		return []Tick{{0, a.text(a.Low)}, {1, a.text(a.High)}}
	}
	step := math.Pow(10, math.Floor(math.Log10(a.High-a.Low)))
	for _, f := range []float64{0.1, 0.2, 0.5, 1} {
		if (a.High-a.Low)/(step*f) <= 6 {
			step *= f
			break
		}
	}
	for k := math.Ceil(a.Low/step - 1e-9); k*step <= a.High+step*1e-9 && len(out) < 20; k++ {
		v := k*step + 0 // never -0
		out = append(out, Tick{a.at(v), a.text(v)})
	}
	return out
}

func (a *Axis) text(v float64) string {
	if a.Percents {
		return strconv.FormatFloat(math.Round(v*1e8)/1e6, 'g', 6, 64) + "%"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func px(at float64) float64 { return plotLeft + at*plotWidth }
func py(at float64) float64 { return plotTop + (1-at)*plotHeight }

func (c *canvas) axes(x, y Axis) {
	for _, t := range x.ticks() {
		c.add(`<line class="grid" x1="%s" y1="%s" x2="%s" y2="%s"/>`, px(t.At), py(0), px(t.At), py(1))
		c.add(`<text class="tick" x="%s" y="%s" text-anchor="middle">%s</text>`, px(t.At), py(0)+16, t.Text)
	}
	for _, t := range y.ticks() {
		c.add(`<line class="grid" x1="%s" y1="%s" x2="%s" y2="%s"/>`, px(0), py(t.At), px(1), py(t.At))
		c.add(`<text class="tick" x="%s" y="%s" text-anchor="end">%s</text>`, px(0)-6, py(t.At)+4, t.Text)
	}
	c.add(`<rect class="frame" x="%s" y="%s" width="%s" height="%s"/>`, px(0), py(1), plotWidth, plotHeight)
	c.add(`<text class="label" x="%s" y="%s" text-anchor="middle">%s</text>`, px(0.5), py(0)+34, x.Title)
	c.add(`<text class="label" transform="translate(14 %s) rotate(-90)" text-anchor="middle">%s</text>`, py(0.5), y.Title)
}

func (c *canvas) line(x, y Axis, l Line) {
	var path []byte
	n := min(len(l.X), len(l.Y))
	for i := range n {
		path = fmt.Appendf(path, "%s,%s ", coordinate(px(x.at(l.X[i]))), coordinate(py(y.at(l.Y[i]))))
	}
	class := "line l"
	if l.Faint {
		class = "line faint l"
	}
	if !l.Bare {
		c.add(`<polyline class="%s%d" points="%s"/>`, class, l.Colour%Colours, string(path))
	}
	for i := range n {
		if l.Dots || l.Bare {
			r := 4.0
			if i < len(l.Size) {
				r = l.Size[i]
			}
			c.add(`<circle class="c%d" cx="%s" cy="%s" r="%s"/>`, l.Colour%Colours, px(x.at(l.X[i])), py(y.at(l.Y[i])), r)
		}
	}
}

// legend names the series, two in a row, and returns where the picture ends.
func (c *canvas) legend(lines []Line) float64 {
	y, column := py(0)+56, 0
	for _, l := range lines {
		if l.Label == "" {
			continue
		}
		x := plotLeft + float64(column)*plotWidth/2
		class := "line l"
		if l.Faint {
			class = "line faint l"
		}
		if l.Bare {
			c.add(`<circle class="c%d" cx="%s" cy="%s" r="4"/>`, l.Colour%Colours, x+9, y-4)
		} else {
			c.add(`<line class="%s%d" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, l.Colour%Colours, x, y-4, x+18, y-4)
		}
		c.add(`<text class="label" x="%s" y="%s">%s</text>`, x+24, y, cut(l.Label, 30))
		if column = 1 - column; column == 0 {
			y += 18
		}
	}
	if column == 1 {
		y += 18
	}
	return y - 6
}
