// Package chart draws the pictures of a report as SVG: bars, strips of histograms, heat maps and lines.
//
// A picture is one <svg> element for a page whose style sheet has the classes that it uses (c0 to c7 are the colours of
// series, and axis, grid, faint and value are what they say). Its text is text: it can be selected and searched, and it
// takes the page's colours, so that a dark page has a dark picture. Names are escaped and cut at a length that fits.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Colours is the number of colours of series.
const Colours = 8

// letter is about the width of a letter in pixels.
const letter = 6.6

// canvas collects the elements of a picture.
type canvas struct {
	strings.Builder
}

func (c *canvas) add(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case float64:
			args[i] = coordinate(a)
		case string:
			args[i] = html.EscapeString(a)
		}
	}
	fmt.Fprintf(c, format+"\n", args...)
}

// finish frames the elements; title is what a screen reader says.
func (c *canvas) finish(width, height float64, title string) template.HTML {
	head := fmt.Sprintf("<svg viewBox=\"0 0 %s %s\" style=\"max-width:%spx\" role=\"img\">\n<title>%s</title>\n",
		coordinate(width), coordinate(height), coordinate(width), html.EscapeString(title))
	return template.HTML(head + c.String() + "</svg>") //nolint:gosec // all text in it is escaped by add
}

// coordinate writes a number with one decimal, and what is no number as 0.
func coordinate(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// cut shortens a name to so many letters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// widest is the room that names take, in pixels.
func widest(names []string, most int) float64 {
	n := 0
	for _, s := range names {
		n = max(n, min(utf8.RuneCountInString(s), most))
	}
	return float64(n) * letter
}

// Bar is one bar of a bar chart.
type Bar struct {
	Label  string
	Value  float64
	Text   string // the value as it is to be read
	Colour int
}

const longest = 36 // letters of a name

// Bars draws horizontal bars, the first on top. On a log scale a value of 1 has a short bar and 0 none.
func Bars(title string, bars []Bar, log bool) template.HTML {
	const step, room = 22.0, 520.0
	names, texts := make([]string, 0, len(bars)), make([]string, 0, len(bars))
	most := 0.0
	for _, b := range bars {
		names, texts = append(names, b.Label), append(texts, b.Text)
		most = max(most, length(b.Value, log))
	}
	left, right := widest(names, longest)+12, widest(texts, longest)+12
	c := &canvas{}
	for i, b := range bars {
		y := float64(i) * step
		c.add(`<text class="label" x="%s" y="%s" text-anchor="end">%s</text>`, left-8, y+15, cut(b.Label, longest))
		w := 0.0
		if most > 0 {
			w = max(0, length(b.Value, log)/most*room)
		}
		c.add(`<rect class="c%d" x="%s" y="%s" width="%s" height="16" rx="2"/>`, b.Colour%Colours, left, y+3, w)
		c.add(`<text class="value" x="%s" y="%s">%s</text>`, left+w+6, y+15, cut(b.Text, longest))
	}
	return c.finish(left+room+right, float64(len(bars))*step+4, title)
}

// length is that of a bar in no unit.
func length(v float64, log bool) float64 {
	if math.IsNaN(v) || v <= 0 {
		return 0
	}
	if log {
		return 0.15 + math.Log10(1+v)
	}
	return v
}
