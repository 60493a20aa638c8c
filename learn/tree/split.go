package tree

import "math"

// split is the best way found to divide a leaf.
type split struct {
	gain    float64 // 0: no split is any good
	column  int
	bin     int  // rows go left whose bin is at most this
	missing side // where the rows of the missing bin go
	left    pair // sum of the rows that go left
}

// side is where missing values go.
type side uint8

const (
	either side = iota // no missing value was seen here
	left
	right
)

// scorer finds splits by Newton gain.
type scorer struct {
	g, h    float64 // value of one unit of gradient and of hessian
	l2      float64
	minGain float64
	maxStep float64
	least   uint32 // least hessian in a child, in units, at least 1
}

// atLeast sets the least hessian of a child.
func (s *scorer) atLeast(hess float64) {
	s.least = uint32(max(1, min(math.Ceil(hess/s.h), math.MaxUint32)))
}

func (s *scorer) grad(p pair) float64 { return float64(p>>32) * s.g }
func (s *scorer) hess(p pair) float64 { return float64(uint32(p)) * s.h }

// score is twice the loss that a leaf of this sum saves.
func (s *scorer) score(p pair) float64 {
	g := s.grad(p)
	return g * g / (s.hess(p) + s.l2)
}

// best finds the best split among the given columns of a leaf. Of equal ones the first column's first bin wins.
func (s *scorer) best(t *table, columns []int, h hist, total pair) split {
	top := split{gain: s.score(total) + 2*s.minGain}
	floor := top.gain
	for _, i := range columns {
		s.scan(&t.columns[i], i, h, total, &top)
	}
	if top.gain <= floor {
		return split{}
	}
	top.gain = (top.gain - s.score(total)) / 2
	return top
}

// scan tries the bins of one column from the left, with missing values on the right, and once more with them left.
func (s *scorer) scan(c *column, index int, h hist, total pair, top *split) {
	bins := h[c.block][c.first:][:c.bins()]
	last := len(c.edges)
	if !c.missing || bins[last+1] == 0 {
		s.sweep(bins[:last], 0, total, top, split{column: index})
		return
	}
	s.sweep(bins[:last+1], 0, total, top, split{column: index, missing: right})
	s.sweep(bins[:last], bins[last+1], total, top, split{column: index, missing: left})
}

// sweep moves one bin after the other from right to left.
func (s *scorer) sweep(bins []pair, sum, total pair, top *split, found split) {
	for b, v := range bins {
		if v == 0 {
			continue
		}
		sum += v
		if uint32(sum) < s.least {
			continue
		}
		rest := total - sum
		if uint32(rest) < s.least {
			return
		}
		if gain := s.score(sum) + s.score(rest); gain > top.gain {
			found.gain, found.bin, found.left = gain, b, sum
			*top = found
		}
	}
}

// leaf is the Newton step of a leaf.
func (s *scorer) leaf(p pair) float64 {
	return max(-s.maxStep, min(-s.grad(p)/(s.hess(p)+s.l2), s.maxStep))
}
