package dense

import "math"

// Platt fits P(positive) = 1/(1+exp(-(a·margin+b))) to weighted rows by Newton's method (Lin, Lin and Weng, A note on
// Platt's probabilistic outputs for support vector machines, Machine Learning 68, 2007). The targets are Platt's, a little
// off 0 and 1, so that the fit exists for margins that tell the classes apart perfectly.
func Platt(margin []float64, positive []bool, weight []float64) (a, b float64) {
	var pos, neg float64
	for i, w := range weight {
		if positive[i] {
			pos += w
		} else {
			neg += w
		}
	}
	high, low := (pos+1)/(pos+2), 1/(neg+2)
	fit := plattFit{margin: margin, weight: weight, target: make([]float64, len(margin))}
	for i, p := range positive {
		fit.target[i] = low
		if p {
			fit.target[i] = high
		}
	}
	a, b = 0, math.Log((pos+1)/(neg+1))
	loss := fit.loss(a, b)
	for range 100 {
		da, db := fit.step(a, b)
		size := 1.0
		for ; size > 1e-10; size /= 2 {
			if next := fit.loss(a+size*da, b+size*db); next < loss {
				a, b, loss = a+size*da, b+size*db, next
				break
			}
		}
		if size <= 1e-10 || math.Abs(da)+math.Abs(db) < 1e-9 {
			break
		}
	}
	return a, b
}

type plattFit struct{ margin, weight, target []float64 }

func (f *plattFit) loss(a, b float64) float64 {
	sum := 0.0
	for i, m := range f.margin {
		z := a*m + b
		sum += f.weight[i] * (max(z, 0) - z*f.target[i] + math.Log1p(math.Exp(-math.Abs(z))))
	}
	return sum
}

// step is the Newton step.
func (f *plattFit) step(a, b float64) (da, db float64) {
	var ga, gb float64
	haa, hab, hbb := 1e-12, 0.0, 1e-12
	for i, m := range f.margin {
		p := 1 / (1 + math.Exp(-(a*m + b)))
		d, h := f.weight[i]*(p-f.target[i]), f.weight[i]*p*(1-p)
		ga, gb = ga+d*m, gb+d
		haa, hab, hbb = haa+h*m*m, hab+h*m, hbb+h
	}
	det := haa*hbb - hab*hab
	if !(det > 0) {
		return 0, 0
	}
	return -(hbb*ga - hab*gb) / det, -(haa*gb - hab*ga) / det
}
