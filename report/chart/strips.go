package chart

import (
	"html/template"
)

// Strip is one histogram of a picture of several.
type Strip struct {
	Label  string
	Counts []int
	Colour int
}

// Tick is a mark on an axis; At runs from 0 to 1.
type Tick struct {
	At   float64
	Text string
}

// Strips draws histograms over the same bins below each other. Each is as high as its own largest bin, so that shapes of
// rare classes can be compared with those of frequent ones.
func Strips(title string, strips []Strip, ticks []Tick) template.HTML {
	const height, room = 30.0, 230.0
	names := make([]string, 0, len(strips))
	for _, s := range strips {
		names = append(names, s.Label)
	}
	left := widest(names, 18) + 10
	c := &canvas{}
	for i, s := range strips {
		base := float64(i+1) * height
		c.add(`<text class="label" x="%s" y="%s" text-anchor="end">%s</text>`, left-6, base-4, cut(s.Label, 18))
		c.strip(s, left, base, room, height-5)
	}
	base := float64(len(strips)) * height
	for _, t := range ticks {
		x := left + t.At*room
		c.add(`<line class="axis" x1="%s" y1="%s" x2="%s" y2="%s"/>`, x, base, x, base+4)
		c.add(`<text class="tick" x="%s" y="%s" text-anchor="%s">%s</text>`, x, base+16, anchor(t.At), t.Text)
	}
	return c.finish(left+room+8, base+22, title)
}

// strip draws one histogram as one path.
func (c *canvas) strip(s Strip, left, base, width, height float64) {
	most := 0
	for _, n := range s.Counts {
		most = max(most, n)
	}
	c.add(`<line class="axis" x1="%s" y1="%s" x2="%s" y2="%s"/>`, left, base, left+width, base)
	if most == 0 {
		return
	}
	step := width / float64(len(s.Counts))
	for i, n := range s.Counts {
		if n > 0 {
			h := max(1.2, float64(n)/float64(most)*height)
			c.add(`<rect class="c%d" x="%s" y="%s" width="%s" height="%s"/>`, s.Colour%Colours, left+float64(i)*step, base-h, max(step-0.6, 0.6), h)
		}
	}
}

// anchor keeps the text of the outer ticks inside the picture.
func anchor(at float64) string {
	switch {
	case at < 0.1:
		return "start"
	case at > 0.9:
		return "end"
	}
	return "middle"
}
