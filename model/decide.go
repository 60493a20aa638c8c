package model

import (
	"fmt"

	"mlids"
)

// Attack is the probability that a row is an attack of any kind: all of probs, one row of Probabilities, but the benign
// class. It is 1 - P(benign), without the rounding of that difference.
func Attack(probs []float32) float64 {
	sum := 0.0
	for i, p := range probs {
		if i > 0 {
			sum += float64(p)
		}
	}
	return sum
}

// Decide turns one row of Probabilities into a verdict: an attack, of the most probable attack class, when 1 - P(benign) is
// at least the threshold; else benign. Probabilities that are no numbers count as an attack.
func (m *Model) Decide(probs []float32) mlids.Verdict {
	return m.DecideAt(probs, m.info.Threshold)
}

// DecideAt is Decide with another threshold.
func (m *Model) DecideAt(probs []float32, threshold float64) mlids.Verdict {
	class := 0
	if attack := Attack(probs); !(attack < threshold) {
		class = 1
		for k := 2; k < len(probs); k++ {
			if probs[k] > probs[class] {
				class = k
			}
		}
	}
	return m.verdict(probs, class, threshold)
}

// DecideCost turns one row of Probabilities, with P(benign) times Info.CostBenign, into the verdict of least expected cost.
// costs has a row per actual and a column per predicted class, in the order of Info.Classes; of equal costs the first
// class wins. A matrix or row of another size is ErrInputs.
func (m *Model) DecideCost(probs []float32, costs [][]float64) (mlids.Verdict, error) {
	k := m.Classes()
	if len(probs) != k || len(costs) != k {
		return mlids.Verdict{}, fmt.Errorf("%w: %d probabilities and %d rows of costs for %d classes", ErrInputs, len(probs), len(costs), k)
	}
	for i, row := range costs {
		if len(row) != k {
			return mlids.Verdict{}, fmt.Errorf("%w: row %d of the costs has %d columns, wanted %d", ErrInputs, i, len(row), k)
		}
	}
	doubted := m.doubted(probs)
	best, least := 0, expected(doubted, costs, 0)
	for c := 1; c < k; c++ {
		if cost := expected(doubted, costs, c); cost < least {
			best, least = c, cost
		}
	}
	return m.verdict(probs, best, m.info.Threshold), nil
}

// doubted gives probabilities with P(benign) times Info.CostBenign; they no longer sum to one.
func (m *Model) doubted(probs []float32) []float64 {
	out := make([]float64, len(probs))
	for i, p := range probs {
		out[i] = float64(p)
	}
	if m.info.CostBenign != 0 {
		out[0] *= m.info.CostBenign
	}
	return out
}

// expected is the expected cost of predicting class c.
func expected(probs []float64, costs [][]float64, c int) float64 {
	sum := 0.0
	for actual, p := range probs {
		sum += p * costs[actual][c]
	}
	return sum
}

func (m *Model) verdict(probs []float32, class int, threshold float64) mlids.Verdict {
	if class >= len(probs) || class >= len(m.info.Classes) {
		return mlids.Verdict{Threshold: threshold, Model: m.info.Name, Version: m.info.Version}
	}
	return mlids.Verdict{
		Attack:      class != 0,
		Class:       m.info.Classes[class],
		Probability: float64(probs[class]),
		Threshold:   threshold,
		Model:       m.info.Name,
		Version:     m.info.Version,
	}
}
