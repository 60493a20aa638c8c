package chart

import (
	"encoding/xml"
	"errors"
	"html/template"
	"io"
	"math"
	"strings"
	"testing"
)

// wellFormed checks that a picture is XML without what is no number.
func wellFormed(tb testing.TB, name string, svg template.HTML) {
	tb.Helper()
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			tb.Errorf("%s: %v", name, err)
			return
		}
	}
	for _, ugly := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(string(svg), ugly) {
			tb.Errorf("%s: %s in the picture", name, ugly)
		}
	}
}

func TestPicturesOfAnything(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	strange := []float64{nan, inf, -inf, 0, -1, 1e300}
	line := Line{Label: "<&\">", X: strange, Y: strange, Dots: true}
	for name, svg := range map[string]template.HTML{
		"no bars":      Bars("", nil, false),
		"bars":         Bars("a & b", []Bar{{Label: "<x>", Value: 3, Text: "3"}, {Value: nan}, {Value: -1}, {Label: strings.Repeat("é", 99), Value: 1}}, true),
		"no strips":    Strips("", nil, nil),
		"strips":       Strips("s", []Strip{{Label: "<b>", Counts: []int{0, 3, 1}}, {Counts: []int{0}}, {}}, []Tick{{0, "<"}, {0.5, "m"}, {1, ">"}}),
		"no heat":      Heat{}.Draw(""),
		"heat":         Heat{Rows: []string{"<r>"}, Cols: []string{"a", "b", "c"}, Shade: [][]float64{{-1, nan, 2}}, Text: [][]string{{"1", "", "<2>"}}, Across: "&", Down: "&"}.Draw("h"),
		"no lines":     Lines("", Axis{}, Axis{}, nil),
		"lines":        Lines("l", Axis{}, Axis{}, []Line{line, {Bare: true, X: []float64{1}, Y: []float64{1}, Size: []float64{nan}}}),
		"log lines":    Lines("l", Axis{Log: true}, Axis{Log: true, Percents: true}, []Line{line}),
		"one point":    Lines("l", Axis{}, Axis{Log: true}, []Line{{X: []float64{2}, Y: []float64{2}}}),
		"unequal ends": Lines("l", Axis{}, Axis{}, []Line{{X: []float64{1, 2, 3}, Y: []float64{1}}}),
	} {
		wellFormed(t, name, svg)
	}
}

func TestAxes(t *testing.T) {
	for _, x := range []struct {
		axis Axis
		want string
	}{
		{Axis{High: 1, Percents: true}, "0% 20% 40% 60% 80% 100%"},
		{Axis{Low: 1e-4, High: 1, Log: true, Percents: true}, "0.01% 0.1% 1% 10% 100%"},
		{Axis{Low: -1, High: 1}, "-1 -0.5 0 0.5 1"},
		{Axis{Low: 2, High: 5, Log: true}, "2 5"},
	} {
		var got []string
		for _, tick := range x.axis.ticks() {
			got = append(got, tick.Text)
		}
		if s := strings.Join(got, " "); s != x.want {
			t.Errorf("%+v: %s, want %s", x.axis, s, x.want)
		}
	}
	log := Axis{Low: 0.001, High: 1, Log: true}
	if at := log.at(0); at != 0 {
		t.Errorf("0 is at %v of a log axis, want its start", at)
	}
	if at := log.at(math.Sqrt(0.001)); math.Abs(at-0.5) > 1e-12 {
		t.Errorf("the geometric middle is at %v", at)
	}
}

func TestBarsAreInProportion(t *testing.T) {
	svg := string(Bars("b", []Bar{{Label: "x", Value: 2}, {Label: "y", Value: 1}}, false))
	if !strings.Contains(svg, `width="520"`) || !strings.Contains(svg, `width="260"`) {
		t.Error("the second bar is not half of the first:", svg)
	}
}
