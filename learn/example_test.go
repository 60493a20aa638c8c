package learn_test

import (
	"context"
	"fmt"

	"mlids/dataset"
	"mlids/learn"
	"mlids/learn/metric"
	"mlids/model"
)

// flows is a tiny table: floods are flows of many packets in no time.
func flows() *dataset.Set {
	s := &dataset.Set{
		Inputs: []string{"packets", "seconds"}, X: make([][]float32, 2),
		Classes: []string{"benign", "attack"}, Types: []string{"web", "flood"},
	}
	for i := range 200 {
		class := int32(i % 2)
		s.X[0] = append(s.X[0], float32(5+i%17+1000*int(class)))
		s.X[1] = append(s.X[1], float32(1+i%13)/float32(1+99*class))
		s.Class, s.Type, s.Weight = append(s.Class, class), append(s.Type, class), append(s.Weight, 1)
	}
	return s
}

func Example() {
	ctx := context.Background()
	set := flows()
	boost, err := learn.New("boost", learn.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	scored, err := learn.CrossValidate(ctx, boost, set, 4, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	threshold, err := learn.Threshold(scored, 0.01)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := metric.Evaluate(scored, metric.Options{Threshold: threshold.Threshold})
	if err != nil {
		fmt.Println(err)
		return
	}
	fitted, err := boost.Fit(ctx, set, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := fitted.Model(model.Info{Name: "flows", Threshold: threshold.Threshold})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: out of fold recall %.2f at FPR %.2f\n", m.Info().Algorithm, e.Binary.Recall, e.Binary.FPR)
	// Output: boost: out of fold recall 1.00 at FPR 0.00
}
