package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"

	"mlids/learn"
	"mlids/learn/metric"
	"mlids/report/chart"
)

const (
	shownInputs     = 25
	shownCandidates = 6
	curvePoints     = 300
	mostMatrix      = 20 // classes of a drawn confusion matrix
)

// WriteModel writes a model's report as one HTML file that needs nothing else.
func WriteModel(w io.Writer, r *ModelReport) error {
	r.Sum()
	return render(w, "model", modelPage{r})
}

// modelPage gives the template what it draws.
type modelPage struct{ *ModelReport }

// SettingsText is the learner's settings.
func (p modelPage) SettingsText() string {
	if p.Settings == nil {
		return ""
	}
	text, err := json.MarshalIndent(p.Settings, "", "  ")
	if err != nil {
		return "" // the page does not depend on it
	}
	return string(text)
}

// Priors lists the classes with their shares in the training data.
func (p modelPage) Priors() []Share {
	out := make([]Share, 0, len(p.Info.Classes))
	for k, name := range p.Info.Classes {
		s := Share{Name: name, Share: math.NaN()}
		if k < len(p.Info.Priors) {
			s.Share = p.Info.Priors[k]
		}
		out = append(out, s)
	}
	return out
}

// ROC draws recall over the false-positive rate.
func (p modelPage) ROC() template.HTML {
	e := p.Evaluation
	if len(e.Curve) == 0 {
		return ""
	}
	x := chart.Axis{Title: "false-positive rate (share of benign rows flagged)", Low: p.leastFPR(), High: 1, Log: true, Percents: true}
	y := chart.Axis{Title: "recall (share of attacks flagged)", High: 1, Percents: true}
	lines := append(p.rivals(func(m metric.Point) (float64, float64) { return m.FPR, m.Recall }), rocLine("this model", e.Curve, 0))
	lines = append(lines, chart.Line{Label: "threshold", X: []float64{e.Binary.FPR}, Y: []float64{e.Binary.Recall}, Colour: 1, Bare: true})
	return chart.Lines("ROC curve", x, y, append(lines, guess(x.Low)))
}

// leastFPR is the left end of the axis: one false alarm among the benign rows.
func (p modelPage) leastFPR() float64 {
	b := p.Evaluation.Binary
	n := max(10, b.FP+b.TN)
	return max(1e-6, math.Pow(10, math.Floor(math.Log10(1/n))))
}

// guess is the curve of a coin.
func guess(low float64) chart.Line {
	l := chart.Line{Label: "guessing", Colour: 7, Faint: true}
	for v := low; v < 1; v *= 1.3 {
		l.X, l.Y = append(l.X, v), append(l.Y, v)
	}
	l.X, l.Y = append(l.X, 1), append(l.Y, 1)
	return l
}

func rocLine(name string, points []metric.Point, colour int) chart.Line {
	l := chart.Line{Label: name, Colour: colour, X: []float64{0}, Y: []float64{0}}
	for _, m := range points {
		l.X, l.Y = append(l.X, m.FPR), append(l.Y, m.Recall)
	}
	l.X, l.Y = append(l.X, 1), append(l.Y, 1)
	return l
}

// PrecisionRecall draws precision over recall.
func (p modelPage) PrecisionRecall() template.HTML {
	e := p.Evaluation
	if len(e.Curve) == 0 {
		return ""
	}
	of := func(m metric.Point) (float64, float64) { return m.Recall, m.Precision }
	lines := append(p.rivals(of), line("this model", e.Curve, 0, of))
	lines = append(lines, chart.Line{Label: "threshold", X: []float64{e.Binary.Recall}, Y: []float64{e.Binary.Precision}, Colour: 1, Bare: true})
	y := chart.Axis{Title: "precision (share of alarms that are right)", High: 1, Percents: true}
	if e.Weight > 0 {
		share := (e.Binary.TP + e.Binary.FN) / e.Weight
		y.Low = max(0, math.Floor(share*10)/10-0.1)
		lines = append(lines, chart.Line{Label: "flagging everything", X: []float64{0, 1}, Y: []float64{share, share}, Colour: 7, Faint: true})
	}
	return chart.Lines("Precision-recall curve", chart.Axis{Title: "recall (share of attacks flagged)", High: 1, Percents: true}, y, lines)
}

func line(name string, points []metric.Point, colour int, of func(metric.Point) (x, y float64)) chart.Line {
	l := chart.Line{Label: name, Colour: colour}
	for _, m := range points {
		x, y := of(m)
		l.X, l.Y = append(l.X, x), append(l.Y, y)
	}
	return l
}

// rivals are the curves of the best candidate of each other algorithm.
func (p modelPage) rivals(of func(metric.Point) (x, y float64)) []chart.Line {
	if p.Comparison == nil {
		return nil
	}
	var out []chart.Line
	seen := map[string]bool{p.Info.Algorithm: true}
	for _, t := range p.Candidates() {
		if t.Scored == nil || t.Skipped != "" || seen[t.Algorithm] || len(out) == shownCandidates {
			continue
		}
		seen[t.Algorithm] = true
		out = append(out, line(t.Name, t.Scored.Ranked().Curve(curvePoints), 2+len(out), of))
	}
	return out
}

// Candidates lists the trials, the best figure first, those that were skipped last.
func (p modelPage) Candidates() []learn.Trial {
	if p.Comparison == nil {
		return nil
	}
	c := p.Comparison
	low := c.Metric == "logloss" || c.Metric == "cost"
	trials := slices.Clone(c.Trials)
	slices.SortStableFunc(trials, func(a, b learn.Trial) int {
		by := cmp.Compare(b.Value, a.Value)
		if low {
			by = -by
		}
		return cmp.Or(cmp.Compare(min(1, len(a.Skipped)), min(1, len(b.Skipped))), by)
	})
	return trials
}

// Chosen is the name of the candidate that became the model.
func (p modelPage) Chosen() string {
	if c := p.Comparison; c.Best >= 0 && c.Best < len(c.Trials) {
		return c.Trials[c.Best].Name
	}
	return ""
}

// Confusion draws the classes actually (rows) and as said (columns), each row shaded by its shares.
func (p modelPage) Confusion() template.HTML {
	return confusion("Confusion matrix: the most probable class", p.Evaluation.Classes, p.Evaluation.Matrix)
}

// CostConfusion draws the decisions of least expected cost.
func (p modelPage) CostConfusion() template.HTML {
	if p.Evaluation.Cost == nil {
		return ""
	}
	return confusion("Confusion matrix: the class of least expected cost", p.Evaluation.Classes, p.Evaluation.Cost.Matrix)
}

// Binary draws benign against attack at the threshold.
func (p modelPage) Binary() template.HTML {
	b := p.Evaluation.Binary
	return confusion("Confusion matrix: benign against attack, at the threshold", []string{"benign", "attack"}, [][]float64{{b.TN, b.FP}, {b.FN, b.TP}})
}

func confusion(title string, classes []string, m [][]float64) template.HTML {
	n := min(len(classes), len(m), mostMatrix)
	h := chart.Heat{Rows: classes[:n], Cols: classes[:n], Across: "said", Down: "actual"}
	for i, row := range m[:n] {
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		shade, text := make([]float64, n), make([]string, n)
		for j, v := range row[:n] {
			shade[j], text[j] = v/max(sum, 1e-300), weight(v)
			if i == j {
				shade[j] = -shade[j] // right is blue, wrong is orange
			}
		}
		h.Shade, h.Text = append(h.Shade, shade), append(h.Text, text)
	}
	return h.Draw(title)
}

// TypeBars draws how much of each attack type is flagged, the worst first.
func (p modelPage) TypeBars() template.HTML {
	bars := make([]chart.Bar, 0, len(p.Evaluation.Type))
	for _, t := range p.Evaluation.Type {
		colour, name := 0, t.Name+" ("+weight(t.Weight)+")"
		switch {
		case t.Class == benignOf(p.Evaluation):
			colour, name = 7, name+", benign"
		case t.Flagged < weakRecall:
			colour = 1
		}
		bars = append(bars, chart.Bar{Label: name, Value: t.Flagged, Text: percent(t.Flagged), Colour: colour})
	}
	slices.SortStableFunc(bars, func(a, b chart.Bar) int { return cmp.Compare(a.Value, b.Value) })
	return chart.Bars("Share of each attack type that is flagged", bars[:min(len(bars), 60)], false)
}

// Reliability draws the rate of attacks over the score.
func (p modelPage) Reliability() template.HTML {
	l := chart.Line{Label: "this model, larger for more rows", Bare: true}
	for _, b := range p.Evaluation.Bins {
		l.Size = append(l.Size, 2.5+1.5*math.Log10(max(1, b.Weight)))
		l.X, l.Y = append(l.X, b.Score), append(l.Y, b.Rate)
	}
	if len(l.X) == 0 {
		return ""
	}
	same := chart.Line{Label: "perfectly calibrated", X: []float64{0, 1}, Y: []float64{0, 1}, Colour: 7, Faint: true}
	return chart.Lines("Reliability diagram", chart.Axis{Title: "probability that the model gives", High: 1, Percents: true},
		chart.Axis{Title: "share of attacks among such rows", High: 1, Percents: true}, []chart.Line{same, l})
}

// ImportanceBars draws what the model looks at.
func (p modelPage) ImportanceBars() template.HTML {
	var bars []chart.Bar
	for j, v := range p.Importance {
		if j < len(p.Info.Inputs) && v > 0 {
			bars = append(bars, chart.Bar{Label: p.Info.Inputs[j], Value: v, Text: percent(v)})
		}
	}
	slices.SortStableFunc(bars, func(a, b chart.Bar) int { return cmp.Compare(b.Value, a.Value) })
	return chart.Bars("Importance of inputs", bars[:min(len(bars), shownInputs)], false)
}

// TrainingCurve draws the validation loss.
func (p modelPage) TrainingCurve() template.HTML {
	l := chart.Line{Label: "validation loss"}
	for i, v := range p.Curve {
		l.X, l.Y = append(l.X, float64(i+1)), append(l.Y, v)
	}
	least, most := slices.Min(p.Curve), slices.Max(p.Curve)
	return chart.Lines("Training curve", chart.Axis{Title: "round or epoch", Low: 1, High: float64(max(2, len(p.Curve)))},
		chart.Axis{Title: "log loss (nats)", Log: least > 0 && most > 20*least}, []chart.Line{l})
}

// SelectionCurve draws the loss over the number of inputs.
func (p modelPage) SelectionCurve() template.HTML {
	l := chart.Line{Label: "log loss out of fold", Dots: true}
	for _, s := range p.Selection.Steps {
		l.X, l.Y = append(l.X, float64(s.Inputs)), append(l.Y, s.Loss)
	}
	if len(l.X) == 0 {
		return ""
	}
	return chart.Lines("Loss by number of inputs", chart.Axis{Title: "inputs"}, chart.Axis{Title: "log loss (nats)"}, []chart.Line{l})
}

// UnseenBars draws how much of types that training lacked is flagged.
func (p modelPage) UnseenBars() template.HTML {
	bars := make([]chart.Bar, 0, len(p.Unseen))
	for _, u := range p.Unseen {
		colour := 0
		if u.Budget.Recall < 0.5 {
			colour = 1
		}
		bars = append(bars, chart.Bar{
			Label: u.Type, Value: u.Budget.Recall, Colour: colour,
			Text: fmt.Sprintf("%s at FPR %s", percent(u.Budget.Recall), percent(u.Budget.FPR)),
		})
	}
	slices.SortStableFunc(bars, func(a, b chart.Bar) int { return cmp.Compare(a.Value, b.Value) })
	return chart.Bars("Share of unseen attack types that is flagged", bars, false)
}
