package tree

import (
	"math"
	"runtime"
	"sync/atomic"

	"mlids/dataset"
	"mlids/learn/internal/data"
)

// informationBins bounds the bins that information is measured in; more would see it in chance.
const informationBins = 32

// Information is the mutual information of each input with the class, in nats: how much knowing the input tells of the
// class. Inputs are cut into at most 32 bins of about equal weight, missing values are one; the expected value for an
// input that tells nothing (Miller, 1955) is taken off.
func Information(s *dataset.Set) ([]float64, error) {
	if err := data.Check(s, nil); err != nil {
		return nil, err
	}
	out := make([]float64, len(s.X))
	var next atomic.Int64
	parallel(runtime.GOMAXPROCS(0), func(int) {
		c, slots := newCounter(), make([]uint32, s.Len())
		for j := int(next.Add(1)) - 1; j < len(s.X); j = int(next.Add(1)) - 1 {
			c.count(s.X[j], s.Weight, slots)
			b, of := c.divide(informationBins)
			out[j] = information(s, b.bins(), of, slots)
		}
	})
	return out, nil
}

func information(s *dataset.Set, bins int, of []uint8, slots []uint32) float64 {
	classes := len(s.Classes)
	joint, row, column := make([]float64, bins*classes), make([]float64, bins), make([]float64, classes)
	total := 0.0
	for i, c := range s.Class {
		w := data.Weight(s, i)
		b := int(of[slots[i]])
		joint[b*classes+int(c)] += w
		row[b] += w
		column[c] += w
		total += w
	}
	sum := 0.0
	for i, w := range joint {
		if w > 0 {
			sum += w / total * math.Log(w*total/(row[i/classes]*column[i%classes]))
		}
	}
	return max(0, sum-float64((bins-1)*(classes-1))/(2*float64(s.Len())))
}
