// Package anomaly learns what rows look like that it has seen, so that others can be told from them.
//
// Linear is an autoencoder: rows that cannot be put back together from what benign rows have in common are anomalies.
// Config is an isolation forest (Liu, Ting and Zhou, Isolation forest, ICDM 2008): rows that few random cuts set apart from
// the rest are anomalies. Both take the logarithm of inputs, as sizes and times of flows are spread over orders of
// magnitude.
package anomaly

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"mlids/dataset"
	"mlids/learn/internal/data"
	"mlids/learn/internal/dense"
	"mlids/model"
)

// ErrConfig is returned for a setting that makes no sense.
var ErrConfig = data.ErrConfig

// Classes are those of the model: a row is like those seen, or not.
func Classes() []string { return []string{"seen", "anomaly"} }

// Config is how the forest is grown. Start from Default.
type Config struct {
	Trees  int     `json:"trees"`  // at least 1
	Sample int     `json:"sample"` // rows of each tree, at least 2
	Benign bool    `json:"benign"` // learn from benign rows only, so that known attacks are anomalies too
	Middle float64 `json:"middle"` // share of the training weight that scores below one half
	Seed   uint64  `json:"seed"`
}

// Default is 100 trees of 1024 benign rows each; types of attack that are held out are found better by what benign rows look
// like than by what all rows look like, and by trees of more rows than the 256 of the paper (docs/training.md).
func Default() Config { return Config{Trees: 100, Sample: 1024, Benign: true, Middle: 0.99} }

// Check returns ErrConfig with the first setting that is out of range.
func (c *Config) Check() error {
	switch {
	case c.Trees < 1 || c.Trees > 1e5:
		return fmt.Errorf("%w: trees is %d, want 1 to 100,000", ErrConfig, c.Trees)
	case c.Sample < 2 || c.Sample > 1<<16:
		return fmt.Errorf("%w: sample is %d, want 2 to 65,536", ErrConfig, c.Sample)
	case !(c.Middle > 0 && c.Middle < 1):
		return fmt.Errorf("%w: middle is %v, want above 0 and below 1", ErrConfig, c.Middle)
	}
	return nil
}

// Fit grows a forest whose P(class 1) is high for rows unlike those of the set: one half at Middle of the training
// weight, and the logistic function of the mean path length in standard deviations beyond. Labels are used for Benign
// only. The same data, settings and seed give the same forest on any number of cores.
func (c Config) Fit(ctx context.Context, s *dataset.Set) (*model.Forest, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("isolation forest: %w", err)
	}
	rows, err := c.rows(s)
	if err != nil {
		return nil, fmt.Errorf("isolation forest: %w", err)
	}
	f := &model.Forest{Inputs: len(s.X), Outputs: 1, Base: []float64{0}, Link: model.Logistic, Trees: make([]model.Tree, c.Trees)}
	dense.Each(c.Trees, func(i int) {
		if ctx.Err() != nil {
			return
		}
		g := &grower{x: s.X, rand: rand.New(rand.NewPCG(c.Seed, uint64(i)))}
		g.tree.Nodes = make([]model.Node, 1, 2*c.Sample)
		g.grow(0, g.sample(rows, c.Sample), 0, int(math.Ceil(math.Log2(float64(c.Sample)))))
		f.Trees[i] = g.tree
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("isolation forest: %w", err)
	}
	c.centre(f, s, rows)
	return f, nil
}

// rows are those to learn from.
func (c *Config) rows(s *dataset.Set) ([]int32, error) {
	if s.Len() == 0 {
		return nil, data.ErrNoRows
	}
	if err := data.Compatible(s.Inputs, s.Classes, s); err != nil {
		return nil, err
	}
	var rows []int32
	for i, class := range s.Class {
		if (!c.Benign || class == 0) && data.Weight(s, i) > 0 {
			rows = append(rows, int32(i))
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: none is benign", data.ErrNoRows)
	}
	return rows, nil
}

// centre turns mean path lengths into margins.
func (c *Config) centre(f *model.Forest, s *dataset.Set, rows []int32) {
	length, weight := make([]float64, len(rows)), 0.0
	dense.Each((len(rows)+1023)/1024, func(b int) {
		for i := b * 1024; i < min((b+1)*1024, len(rows)); i++ {
			for t := range f.Trees {
				length[i] += pathLength(&f.Trees[t], s.X, rows[i]) / float64(len(f.Trees))
			}
		}
	})
	mean, square := 0.0, 0.0
	order := make([]int, len(rows))
	for i, r := range rows {
		order[i] = i
		w := data.Weight(s, int(r))
		weight += w
		mean += w * length[i]
		square += w * length[i] * length[i]
	}
	mean /= weight
	deviation := max(math.Sqrt(max(square/weight-mean*mean, 0)), 1e-3)
	slices.SortStableFunc(order, func(a, b int) int { return cmpDown(length[a], length[b]) })
	middle, below := length[order[len(order)-1]], 0.0
	for _, i := range order {
		if below += data.Weight(s, int(rows[i])); below >= c.Middle*weight {
			middle = length[i]
			break
		}
	}
	f.Base[0] = middle / deviation
	for t := range f.Trees {
		for i := range f.Trees[t].Values {
			f.Trees[t].Values[i] = -f.Trees[t].Values[i] / (deviation * float64(len(f.Trees)))
		}
	}
}

func cmpDown(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// pathLength is how many cuts it takes to reach a row's leaf, and what further cuts its leaf would need.
func pathLength(t *model.Tree, x [][]float32, row int32) float64 {
	n := &t.Nodes[0]
	for n.Feature >= 0 {
		if v := x[n.Feature][row]; v <= n.Threshold || v != v && n.MissingLeft {
			n = &t.Nodes[n.Left]
		} else {
			n = &t.Nodes[n.Right]
		}
	}
	return t.Values[n.Left]
}
