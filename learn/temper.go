package learn

import (
	"fmt"

	"mlids/learn/metric"
)

// novelShare is how many rows CostTemperature takes to be of attack types that training lacked.
const novelShare = 0.05

// temperatures are those that CostTemperature chooses from.
var temperatures = []float64{1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 10}

// CostTemperature is the temperature (metric.Cost.Temperature) of least cost on what HoldOutTypes found: one row in twenty
// of a type that training lacked, each type counting alike, the others benign. Models are too sure of themselves on such
// rows, so flatter probabilities find more of them for few false alarms. ErrType when no type was held out.
func CostTemperature(unseen []Unseen, cost metric.Cost) (float64, error) {
	if len(unseen) == 0 {
		return 0, fmt.Errorf("%w: the temperature needs at least one", ErrType)
	}
	best, least := 0.0, 0.0
	for _, t := range temperatures {
		total := 0.0
		for _, u := range unseen {
			c, err := cost.For(u.Scored.Classes)
			if err != nil {
				return 0, err
			}
			c.Temperature = t
			novel, benign := split(u.Scored.Confusion(c.Decide))
			total += novelShare*c.Mean(novel) + (1-novelShare)*c.Mean(benign)
		}
		if best == 0 || total < least {
			best, least = t, total
		}
	}
	return best, nil
}

// split parts a confusion matrix into the rows of attacks and those of class 0.
func split(confusion [][]float64) (attacks, benign [][]float64) {
	attacks, benign = make([][]float64, len(confusion)), make([][]float64, len(confusion))
	copy(attacks[1:], confusion[1:])
	benign[0] = confusion[0]
	return attacks, benign
}
