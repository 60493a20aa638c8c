package cicflow

import "math"

// moments keeps mean, variance, least and greatest of a row of whole numbers without keeping the numbers: Welford's
// method (Technometrics 4, 1962) in the order of operations of Apache Commons Math, whose rounding CICFlowMeter prints.
// The caller counts. The conversions keep compilers from fusing operations, which rounds differently.
type moments struct {
	mean, m2 float64
	min, max int64
}

// add takes the n-th number.
func (m *moments) add(n uint32, x int64) {
	if n == 1 {
		*m = moments{mean: float64(x), min: x, max: x}
		return
	}
	k := float64(n)
	dev := float64(x) - m.mean
	step := dev / k
	m.mean += step
	m.m2 += float64(float64((k-1)*dev) * step)
	m.min = min(m.min, x)
	m.max = max(m.max, x)
}

// addMany takes more times the same number after n others.
func (m *moments) addMany(n, more uint32, x float64) {
	if n == 0 {
		*m = moments{mean: x, min: int64(x), max: int64(x)}
		return
	}
	dev, all := x-m.mean, float64(n)+float64(more)
	m.mean += dev * float64(more) / all
	m.m2 += dev * dev * float64(n) * float64(more) / all
	m.min = min(m.min, int64(x))
	m.max = max(m.max, int64(x))
}

// variance divides by n-1; fewer than two numbers have none.
func (m *moments) variance(n uint32) float64 {
	if n < 2 {
		return 0
	}
	return m.m2 / float64(n-1)
}

func (m *moments) std(n uint32) float64 { return math.Sqrt(m.variance(n)) }

// series is moments that count by themselves.
type series struct {
	moments
	n uint32
}

func (s *series) add(x int64) {
	s.n++
	s.moments.add(s.n, x)
}
