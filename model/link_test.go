package model

import (
	"math"
	"testing"
)

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		link    Link
		margins []float64
		want    []float32
	}{
		{Identity, []float64{0.25, 0.75}, []float32{0.25, 0.75}},
		{Logistic, []float64{0}, []float32{0.5, 0.5}},
		{Logistic, []float64{800}, []float32{0, 1}},
		{Logistic, []float64{-800}, []float32{1, 0}},
		{Softmax, []float64{1000, 1000}, []float32{0.5, 0.5}},
		{Softmax, []float64{0, -2000, 0}, []float32{0.5, 0, 0.5}},
		{Normalised, []float64{0, 0, -800}, []float32{0.5, 0.5, 0}},
		{Normalised, []float64{-40, -40, -80}, []float32{0.5, 0.5, 0}},
		{Normalised, []float64{-2000, -2000, -3000}, []float32{0.5, 0.5, 0}},
	} {
		got := make([]float32, len(c.want))
		c.link.apply(got, c.margins, len(c.margins))
		for i := range got {
			if math.Abs(float64(got[i]-c.want[i])) > 1e-6 || got[i] != got[i] {
				t.Errorf("%s of %v is %v, want %v", c.link, c.margins, got, c.want)
				break
			}
		}
	}
	if Link(9).String() == "" || Activation(9).String() == "" {
		t.Error("names of values that do not exist are empty")
	}
}
