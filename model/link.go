package model

import "math"

// Link turns margins into probabilities.
type Link uint8

// The links.
const (
	Identity   Link = iota // margins are probabilities already (decision tree, averaged forest)
	Logistic               // one margin m, P(class 1) = 1/(1+exp(-m))
	Softmax                // exp(m_k) / Σ exp(m_j)
	Normalised             // 1/(1+exp(-m_k)) divided by the sum of these over the classes: one-against-rest scores
)

var linkNames = [...]string{"identity", "logistic", "softmax", "normalised"}

// String is the link's name.
func (l Link) String() string { return linkNames[min(int(l), len(linkNames)-1)] }

// apply fills dst with the probabilities of margins, outputs per row.
func (l Link) apply(dst []float32, margins []float64, outputs int) {
	switch l {
	case Identity:
		for i, m := range margins {
			dst[i] = float32(m)
		}
	case Logistic:
		dst = dst[:2*len(margins)]
		for i, m := range margins {
			p := 1 / (1 + math.Exp(-m))
			dst[2*i], dst[2*i+1] = float32(1-p), float32(p)
		}
	case Softmax, Normalised:
		for r := 0; r < len(margins); r += outputs {
			l.row(dst[r:r+outputs], margins[r:r+outputs])
		}
	}
}

// row is apply for one row of a link over several margins.
func (l Link) row(dst []float32, margins []float64) {
	top := math.Inf(-1)
	for _, m := range margins {
		top = max(top, m)
	}
	sum := 0.0
	for _, m := range margins {
		sum += l.unscaled(m, top)
	}
	if sum == 0 { // all far below zero, where 1/(1+exp(-m)) is exp(m)
		Softmax.row(dst, margins)
		return
	}
	for i, m := range margins {
		dst[i] = float32(l.unscaled(m, top) / sum)
	}
}

// unscaled is a probability up to the factor that makes a row's sum one.
func (l Link) unscaled(m, top float64) float64 {
	if l == Softmax {
		return math.Exp(m - top)
	}
	return 1 / (1 + math.Exp(-m))
}
