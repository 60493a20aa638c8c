package learn

import (
	"fmt"

	"mlids/learn/metric"
)

// novelShare is how many rows Caution takes to be of attack types that training lacked.
const novelShare = 0.05

// cautions are the factors that Caution chooses from.
var cautions = []float64{1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005}

// Caution sets metric.Cost.Benign to what costs least on what HoldOutTypes found: one row in twenty of a type that training
// lacked, each type counting alike, the others benign. Ranking survives a new type of attack far better than probabilities
// do, so a model that doubts what it calls benign finds more of them for few false alarms. ErrType when no type was held
// out.
func Caution(unseen []Unseen, cost metric.Cost) (metric.Cost, error) {
	if len(unseen) == 0 {
		return cost, fmt.Errorf("%w: caution needs at least one", ErrType)
	}
	best, least := cost, 0.0
	for i, factor := range cautions {
		cost.Benign = factor
		total := 0.0
		for _, u := range unseen {
			c, err := cost.For(u.Scored.Classes)
			if err != nil {
				return best, err
			}
			novel, benign := split(u.Scored.Confusion(c.Decide))
			total += novelShare*c.Mean(novel) + (1-novelShare)*c.Mean(benign)
		}
		if i == 0 || total < least {
			best, least = cost, total
		}
	}
	return best, nil
}

// SetCost fills in what decisions of least expected cost cost per row of the type, by scores of its rows.
func (u *Unseen) SetCost(scored *metric.Scored, cost metric.Cost) error {
	c, err := cost.For(scored.Classes)
	if err != nil {
		return err
	}
	novel, _ := split(scored.Confusion(c.Decide))
	u.Cost = c.Mean(novel)
	return nil
}

// split parts a confusion matrix into the rows of attacks and those of class 0.
func split(confusion [][]float64) (attacks, benign [][]float64) {
	attacks, benign = make([][]float64, len(confusion)), make([][]float64, len(confusion))
	copy(attacks[1:], confusion[1:])
	benign[0] = confusion[0]
	return attacks, benign
}
