package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"mlids/report/chart"
)

// bin is what packets are counted over for the picture.
const bin = 100 * time.Millisecond

// style gives a picture of package chart its colours, outside a report's page.
const style = `<style>
svg{background:#fff} text{font:12px sans-serif;fill:#222} text.tick{font-size:11px;fill:#666} .axis,.frame{stroke:#666;fill:none} .grid{stroke:#ddd}
.line{fill:none;stroke-width:2;stroke-linejoin:round} .faint{stroke-dasharray:5 4} .l0{stroke:#999} .l1{stroke:#d62728} .l2{stroke:#1f77b4}
</style>`

// draw writes a picture of the packets per second at the attacker and at the victim, the block marked.
func draw(path string, r *result) error {
	if len(r.sent) == 0 {
		return fmt.Errorf("%s: no packet was sent", r.attack.name)
	}
	start := r.sent[0]
	sent, top := rates("sent by the attacker", 0, start, r.sent)
	arrived, _ := rates("arriving at the victim", 1, start, r.arrived)
	lines := []chart.Line{sent, arrived}
	if r.blocked {
		at := r.after().Seconds()
		lines = append(lines, chart.Line{Label: fmt.Sprintf("block after %d ms", r.after().Milliseconds()), X: []float64{at, at}, Y: []float64{0, top}, Colour: 2, Faint: true})
	}
	last := max(float64(r.sent[len(r.sent)-1]-start)/1e9, 1)
	svg := string(chart.Lines(r.attack.name, chart.Axis{Title: "seconds", Low: -0.2, High: last}, chart.Axis{Title: "packets/s", Low: 0, High: top * 1.1}, lines))
	svg = strings.Replace(svg, "<svg ", `<svg xmlns="http://www.w3.org/2000/svg" `, 1)
	svg = strings.Replace(svg, "<title>", style+"<title>", 1)
	if err := os.WriteFile(path, []byte(svg), 0o644); err != nil { //nolint:gosec // a picture for everybody
		return fmt.Errorf("picture: %w", err)
	}
	return nil
}

// rates counts packets per second over time.
func rates(label string, colour int, start int64, times []int64) (l chart.Line, top float64) {
	l = chart.Line{Label: label, Colour: colour}
	counts := map[int64]int{}
	last := int64(0)
	for _, t := range times {
		i := (t - start) / int64(bin)
		counts[i]++
		last = max(last, i)
	}
	for i := int64(-1); i <= last+1; i++ {
		rate := float64(counts[i]) / bin.Seconds()
		top = max(top, rate)
		l.X, l.Y = append(l.X, (float64(i)+0.5)*bin.Seconds()), append(l.Y, rate)
	}
	return l, top
}
