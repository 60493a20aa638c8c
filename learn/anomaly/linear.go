package anomaly

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/model"
)

// Linear is an autoencoder without curves: benign rows, as standardised logarithms, are put back together from their first
// principal components, and what is lost of a row is how unlike them it is (Shyu et al., A novel anomaly detection scheme
// based on principal component classifier, 2003). Start from DefaultLinear.
type Linear struct {
	Components int     `json:"components"` // 0: one for every eight inputs
	Limit      float32 `json:"limit"`      // standard deviations from the mean at which an input is cut
	Middle     float64 `json:"middle"`     // share of the benign weight that scores below one half
}

// DefaultLinear is one component for every eight inputs, cut at 5 standard deviations.
func DefaultLinear() Linear { return Linear{Limit: 5, Middle: 0.99} }

// Check returns ErrConfig with the first setting that is out of range.
func (c *Linear) Check() error {
	switch {
	case c.Components < 0:
		return fmt.Errorf("%w: components is %d, want 0 or more", ErrConfig, c.Components)
	case !(c.Limit > 0 && c.Limit <= 1e3):
		return fmt.Errorf("%w: limit is %v, want above 0 and at most 1,000", ErrConfig, c.Limit)
	case !(c.Middle > 0 && c.Middle < 1):
		return fmt.Errorf("%w: middle is %v, want above 0 and below 1", ErrConfig, c.Middle)
	}
	return nil
}

// Fit learns from the benign rows, each counted once, and returns a network whose P(class 1) grows with the sum of the
// absolute values that are lost: one half at Middle of the benign weight, 1/(1+exp(-4)) at the worst benign row. The same
// data and settings give the same network on any number of cores.
func (c Linear) Fit(ctx context.Context, s *dataset.Set) (*model.Network, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("linear autoencoder: %w", err)
	}
	rows, err := (&Config{Benign: true}).rows(s)
	if err != nil {
		return nil, fmt.Errorf("linear autoencoder: %w", err)
	}
	scaler, z := c.standardise(s, rows)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("linear autoencoder: %w", err)
	}
	lost, err := c.complement(covariance(z))
	if err != nil {
		return nil, fmt.Errorf("linear autoencoder: %w", err)
	}
	n := &model.Network{Scaler: scaler, Link: model.Logistic, Layers: []model.Layer{absolute(lost), {In: 2 * len(z), Out: 1}}}
	c.centre(n, s, rows, z)
	return n, nil
}

// standardise finds the scaler, and gives the columns of the rows as it leaves them.
func (c *Linear) standardise(s *dataset.Set, rows []int32) (model.Scaler, [][]float32) {
	d := len(s.X)
	scaler := model.Scaler{Log: true, Limit: c.Limit, Missing: make([]float32, d), Offset: make([]float32, d), Scale: make([]float32, d)}
	z := make([][]float32, d)
	dense.Each(d, func(j int) {
		mean, deviation := moments(s.X[j], rows)
		scaler.Missing[j] = dense.Unlog(mean)
		scaler.Offset[j], scaler.Scale[j] = float32(mean), float32(1/deviation)
		z[j] = make([]float32, len(rows))
		for i, r := range rows {
			if v := s.X[j][r]; v == v {
				z[j][i] = max(-c.Limit, min(c.Limit, (float32(signedLog(v))-scaler.Offset[j])*scaler.Scale[j]))
			}
		}
	})
	return scaler, z
}

// moments are mean and standard deviation of the logarithms of a column. A column that does not change counts as one of
// deviation 1: the sums of many equal numbers are rounded to something else.
func moments(x []float32, rows []int32) (mean, deviation float64) {
	known, sum, square := 0.0, 0.0, 0.0
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		if v := x[r]; v == v {
			l := signedLog(v)
			known, sum, square = known+1, sum+l, square+l*l
			low, high = min(low, l), max(high, l)
		}
	}
	mean = sum / max(known, 1)
	deviation = math.Sqrt(max(square/max(known, 1)-mean*mean, 0))
	if deviation < 1e-6 || low == high {
		return mean, 1
	}
	return mean, deviation
}

// covariance of columns whose mean is about 0.
func covariance(z [][]float32) *mat.SymDense {
	out := mat.NewSymDense(len(z), nil)
	dense.Each(len(z), func(i int) {
		for j := i; j < len(z); j++ {
			sum := 0.0
			for r, v := range z[i] {
				sum += float64(v) * float64(z[j][r])
			}
			out.SetSym(i, j, sum/float64(len(z[i])))
		}
	})
	return out
}

// complement is the projection on what the first components leave out.
func (c *Linear) complement(covariance *mat.SymDense) (*mat.Dense, error) {
	d := covariance.SymmetricDim()
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, fmt.Errorf("%w: no principal components found", data.ErrShape)
	}
	k := c.Components
	if k == 0 {
		k = (d + 4) / 8
	}
	var vectors, kept mat.Dense
	eigen.VectorsTo(&vectors) // the last has the greatest variance
	out := mat.NewDense(d, d, nil)
	for i := range d {
		out.Set(i, i, 1)
	}
	if k = min(k, d-1); k > 0 {
		first := vectors.Slice(0, d, d-k, d)
		kept.Mul(first, first.T())
		out.Sub(out, &kept)
	}
	return out, nil
}

// absolute is a layer of what is lost and of its opposite, either cut at 0: their sum is the absolute value.
func absolute(lost *mat.Dense) model.Layer {
	d, _ := lost.Dims()
	l := model.Layer{In: d, Out: 2 * d, Activation: model.Relu, Weights: make([]float32, 2*d*d), Bias: make([]float32, 2*d)}
	for i := range d {
		for j := range d {
			v := float32(lost.At(i, j))
			l.Weights[i*d+j], l.Weights[(d+i)*d+j] = v, -v
		}
	}
	return l
}

// centre makes the last layer turn sums into margins.
func (c *Linear) centre(n *model.Network, s *dataset.Set, rows []int32, z [][]float32) {
	d, first, last := len(z), &n.Layers[0], &n.Layers[1]
	sums, order, weight := make([]float64, len(rows)), make([]int, len(rows)), 0.0
	dense.Each((len(rows)+1023)/1024, func(b int) {
		row := make([]float32, d)
		for i := b * 1024; i < min((b+1)*1024, len(rows)); i++ {
			for j := range z {
				row[j] = z[j][i]
			}
			for o := range d {
				sum := 0.0
				for j, w := range first.Weights[o*d : (o+1)*d] {
					sum += float64(w) * float64(row[j])
				}
				sums[i] += math.Abs(sum)
			}
		}
	})
	for i, r := range rows {
		order[i] = i
		weight += data.Weight(s, int(r))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmpDown(sums[b], sums[a]) })
	worst, middle, below := sums[order[len(order)-1]], 0.0, 0.0
	for _, i := range order {
		middle = sums[i]
		if below += data.Weight(s, int(rows[i])); below >= c.Middle*weight {
			break
		}
	}
	slope := 4 / max(worst-middle, 1e-3)
	last.Weights, last.Bias = slices.Repeat([]float32{float32(slope)}, 2*d), []float32{float32(-slope * middle)}
}
