package main

import (
	"fmt"
	"html"
	"os"
	"strings"
	"time"

	"mlids/report/chart"
)

// bin is what packets are counted over for the picture.
const bin = 100 * time.Millisecond

// style gives a picture of package chart its colours, outside a report's page.
const style = `<style>
svg{background:#fff} text{font:12px sans-serif;fill:#222} text.head{font-size:15px;font-weight:bold} text.tick{font-size:11px;fill:#666} .axis,.frame{stroke:#666;fill:none} .grid{stroke:#ddd}
.line{fill:none;stroke-width:2;stroke-linejoin:round} .faint{stroke-dasharray:5 4} .l0{stroke:#888} .l1{stroke:#d62728} .l2{stroke:#1f77b4}
</style>`

// heading is how much room the two lines above a picture take.
const heading = 48

// draw writes a picture of the packets per second at the attacker and at the victim, the block marked.
func draw(path string, r *result) error {
	if len(r.sent) == 0 {
		return fmt.Errorf("%s: no packet was sent", r.attack.name)
	}
	start := r.sent[0]
	bins := max((r.sent[len(r.sent)-1]-start)/int64(bin), 1) // whole ones
	sent, top := rates("sent by the attacker", 0, start, bins, r.sent)
	arrived, _ := rates("arriving at the victim", 1, start, bins, r.arrived)
	lines := []chart.Line{sent, arrived}
	if r.blocked {
		at := r.after().Seconds()
		lines = append(lines, chart.Line{Label: fmt.Sprintf("block after %d ms", r.after().Milliseconds()), X: []float64{at, at}, Y: []float64{0, top * 1.05}, Colour: 2, Faint: true})
	}
	x := chart.Axis{Title: "seconds since the attack began", Low: -0.2, High: float64(bins) * bin.Seconds()}
	y := chart.Axis{Title: "packets per second", Low: -top * 0.02, High: top * 1.1} // so that a line at 0 is seen
	svg, err := framed(string(chart.Lines(r.attack.name, x, y, lines)), r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(svg), 0o644); err != nil { //nolint:gosec // a picture for everybody
		return fmt.Errorf("picture: %w", err)
	}
	return nil
}

// framed makes a chart a picture of its own: with colours, and words above it that say what it shows.
func framed(svg string, r *result) (string, error) {
	var width, height int
	if _, err := fmt.Sscanf(svg, `<svg viewBox="0 0 %d %d"`, &width, &height); err != nil {
		return "", fmt.Errorf("picture: %w", err)
	}
	all, _ := r.kept()
	words := fmt.Sprintf("not blocked: %d of %d packets arrived", len(r.arrived), len(r.sent))
	if r.blocked {
		words = fmt.Sprintf("found (%s) and blocked after %d ms: %.1f%% of %d packets kept from the victim", r.record.Class, r.after().Milliseconds(), all, len(r.sent))
	}
	above := fmt.Sprintf(`%s<rect x="0" y="%d" width="%d" height="%d" fill="#fff"/><text class="head" x="20" y="%d">%s on h2</text><text x="20" y="%d">%s</text><title>`,
		style, -heading, width, height+heading, 20-heading, html.EscapeString(r.attack.name), 38-heading, html.EscapeString(words))
	svg = strings.Replace(svg, fmt.Sprintf(`viewBox="0 0 %d %d" style="max-width:%dpx"`, width, height, width),
		fmt.Sprintf(`xmlns="http://www.w3.org/2000/svg" viewBox="0 %d %d %d" width="%d"`, -heading, width, height+heading, 2*width), 1)
	return strings.Replace(svg, "<title>", above, 1), nil
}

// rates counts packets per second over time, in as many bins.
func rates(label string, colour int, start, bins int64, times []int64) (l chart.Line, top float64) {
	l = chart.Line{Label: label, Colour: colour, X: []float64{0}, Y: []float64{0}}
	counts := make([]int, bins)
	for _, t := range times {
		if i := (t - start) / int64(bin); i >= 0 && i < bins {
			counts[i]++
		}
	}
	for i, n := range counts {
		rate := float64(n) / bin.Seconds()
		top = max(top, rate)
		l.X, l.Y = append(l.X, (float64(i)+0.5)*bin.Seconds()), append(l.Y, rate)
	}
	return l, top
}
