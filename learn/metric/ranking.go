package metric

import (
	"cmp"
	"math"
	"slices"
)

// Ranking is rows in groups of equal score, the highest score first.
type Ranking struct {
	Steps          []Step
	Attack, Benign float64 // weight of all attacks and of all benign rows
}

// Step is what is flagged when the threshold is Score: the weight of attacks and benign rows of at least this score.
type Step struct {
	Score          float64
	Attack, Benign float64
}

// Rank orders rows by score. A nil weight counts each row once. NaN scores count as the lowest.
func Rank(score []float64, attack []bool, weight []float32) *Ranking {
	order := make([]int32, len(score))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(score[b], score[a]) })
	r := &Ranking{}
	for n, i := range order {
		w := 1.0
		if weight != nil {
			w = float64(weight[i])
		}
		if attack[i] {
			r.Attack += w
		} else {
			r.Benign += w
		}
		step := Step{Score: score[i], Attack: r.Attack, Benign: r.Benign}
		if n > 0 && r.Steps[len(r.Steps)-1].Score == step.Score {
			r.Steps[len(r.Steps)-1] = step
		} else {
			r.Steps = append(r.Steps, step)
		}
	}
	return r
}

// ROCAUC is the area under the ROC curve: the chance that an attack scores above a benign row, ties counting half
// (Hanley and McNeil, Radiology 143, 1982). Without attacks or without benign rows it is 0.5.
func (r *Ranking) ROCAUC() float64 {
	if r.Attack == 0 || r.Benign == 0 {
		return 0.5
	}
	area, last := 0.0, Step{}
	for _, s := range r.Steps {
		area += (s.Benign - last.Benign) * (s.Attack + last.Attack) / 2
		last = s
	}
	return area / (r.Attack * r.Benign)
}

// PRAUC is average precision: the mean over attacks of the precision at the threshold of their score.
func (r *Ranking) PRAUC() float64 {
	sum, last := 0.0, Step{}
	for _, s := range r.Steps {
		sum += (s.Attack - last.Attack) * ratio(s.Attack, s.Attack+s.Benign)
		last = s
	}
	return ratio(sum, r.Attack)
}

// At is what a threshold flags.
func (r *Ranking) At(threshold float64) Step {
	n, _ := slices.BinarySearchFunc(r.Steps, threshold, func(s Step, t float64) int {
		if s.Score >= t {
			return -1
		}
		return 1
	})
	if n == 0 {
		return Step{Score: threshold}
	}
	return Step{Score: threshold, Attack: r.Steps[n-1].Attack, Benign: r.Steps[n-1].Benign}
}

// Budget is the lowest threshold whose false-positive rate is at most fpr; rows of equal score go together, so the rate
// never exceeds it. When even the highest score breaks the budget, the threshold is above every score.
func (r *Ranking) Budget(fpr float64) Step {
	best := Step{Score: math.Inf(1)}
	if len(r.Steps) > 0 {
		best.Score = math.Nextafter(r.Steps[0].Score, math.Inf(1))
	}
	for _, s := range r.Steps {
		if s.Benign > fpr*r.Benign {
			break
		}
		best = s
	}
	return best
}

// Recall is the share of attacks in what a threshold flags.
func (r *Ranking) Recall(s Step) float64 { return ratio(s.Attack, r.Attack) }

// FPR is the share of benign rows in what a threshold flags.
func (r *Ranking) FPR(s Step) float64 { return ratio(s.Benign, r.Benign) }

// Point is a point of the ROC and of the precision-recall curve.
type Point struct {
	Threshold float64 `json:"threshold"`
	FPR       float64 `json:"fpr"`
	Recall    float64 `json:"recall"`
	Precision float64 `json:"precision"`
}

// Curve is the corners of the ROC curve, at most limit of them (at least 2; 0: all), evenly chosen in both rates.
func (r *Ranking) Curve(limit int) []Point {
	var points []Point
	last := Step{Attack: -1, Benign: -1}
	for i, s := range r.Steps {
		far := limit == 0 || s.Attack-last.Attack >= 2*r.Attack/float64(limit) || s.Benign-last.Benign >= 2*r.Benign/float64(limit)
		rare := s.Benign != last.Benign && s.Benign < 0.01*r.Benign && s.Benign > 1.1*last.Benign // keeps log-scale plots smooth
		if far || rare || i == 0 || i == len(r.Steps)-1 {
			points = append(points, Point{
				Threshold: s.Score, FPR: r.FPR(s), Recall: r.Recall(s), Precision: ratio(s.Attack, s.Attack+s.Benign),
			})
			last = s
		}
	}
	return points
}
