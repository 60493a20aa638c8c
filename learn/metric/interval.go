package metric

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a confidence interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Holds reports whether v is in the interval.
func (i Interval) Holds(v float64) bool { return i.Low <= v && v <= i.High }

// AUCInterval is the 95% interval of the ROC AUC (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988). A row with a
// weight counts as one observation that matters more, not as many: merged duplicates say nothing new. It ends at 0 and 1.
func (s *Scored) AUCInterval() Interval {
	r := s.Ranked()
	auc := r.ROCAUC()
	var square, count [2]float64
	at := make(map[float64]int, len(r.Steps))
	for i, step := range r.Steps {
		at[step.Score] = i
	}
	for i, score := range s.Attack() {
		step, above := r.Steps[at[score]], Step{}
		if at[score] > 0 {
			above = r.Steps[at[score]-1]
		}
		w := s.weight(i)
		if w == 0 {
			continue
		}
		if s.Class[i] != 0 {
			beaten := 1 - (step.Benign+above.Benign)/(2*r.Benign)
			d := w / r.Attack * (beaten - auc)
			square[1] += d * d
			count[1]++
		} else {
			lost := (step.Attack + above.Attack) / (2 * r.Attack)
			d := w / r.Benign * (lost - auc)
			square[0] += d * d
			count[0]++
		}
	}
	if count[0] < 2 || count[1] < 2 {
		return Interval{Low: 0, High: 1}
	}
	variance := square[0]*count[0]/(count[0]-1) + square[1]*count[1]/(count[1]-1)
	half := 1.959964 * math.Sqrt(variance)
	return Interval{Low: max(0, auc-half), High: min(1, auc+half)}
}

// Bootstrap is the 95% interval of a figure: what it gives on samples of the rows drawn with replacement (Efron, Annals
// of Statistics 7, 1979; here each weight is multiplied by a Poisson number). The figure gets the samples' weights.
func (s *Scored) Bootstrap(samples int, seed uint64, figure func(*Scored) float64) Interval {
	r := rand.New(rand.NewPCG(seed, 0xb007))
	sample := *s
	sample.Weight = make([]float32, s.Len())
	found := make([]float64, 0, samples)
	for range samples {
		for i := range sample.Weight {
			sample.Weight[i] = float32(s.weight(i) * poisson(r))
		}
		found = append(found, figure(&sample))
	}
	slices.Sort(found)
	if len(found) == 0 {
		return Interval{Low: math.Inf(-1), High: math.Inf(1)}
	}
	return Interval{Low: found[len(found)*25/1000], High: found[min(len(found)*975/1000, len(found)-1)]}
}

// poisson draws a Poisson number of mean 1 (Knuth).
func poisson(r *rand.Rand) float64 {
	n, p := 0.0, r.Float64()
	for p > 1/math.E {
		n, p = n+1, p*r.Float64()
	}
	return n
}
