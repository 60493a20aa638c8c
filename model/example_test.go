package model_test

import (
	"errors"
	"fmt"
	"log"

	"mlids/model"
)

// small is a forest of one tree: flows of many packets per second are attacks.
func small() *model.Model {
	forest := &model.Forest{
		Inputs: 2, Outputs: 1, Link: model.Logistic, Base: []float64{-1},
		Trees: []model.Tree{{
			Nodes: []model.Node{
				{Feature: 1, Threshold: 1000, MissingLeft: true, Left: 1, Right: 2, Cover: 100},
				{Feature: -1, Left: 0, Cover: 75},
				{Feature: -1, Left: 1, Cover: 25},
			},
			Values: []float64{-2, 4},
		}},
	}
	m, err := model.New(model.Info{
		Name: "small", Schema: "cicflow/v4", Inputs: []string{"flow_duration", "flow_pkts_s"},
		Classes: []string{"benign", "attack"}, Threshold: 0.5,
	}, forest)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

func Example() {
	m := small()
	again, err := model.Read(m.Encode()) // the ONNX file
	if err != nil {
		log.Fatal(err)
	}
	rows := []float32{3.5, 20, 0.1, 90_000}
	probabilities := make([]float32, 2*again.Classes())
	if err := again.Probabilities(probabilities, rows); err != nil {
		log.Fatal(err)
	}
	for i := range 2 {
		v := again.Decide(probabilities[2*i : 2*i+2])
		fmt.Printf("%v %s %.3f\n", v.Attack, v.Class, v.Probability)
	}
	// Output:
	// false benign 0.953
	// true attack 0.953
}

func ExampleModel_Explain() {
	x, err := small().Explain([]float32{0.1, 90_000})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %.2f on average, %.2f here\n", x.Class, x.Base, x.Margin)
	for _, c := range x.Contributions {
		fmt.Printf("%s = %g: %+.2f\n", c.Input, c.Value, c.Contribution)
	}
	// Output:
	// attack: -1.50 on average, 3.00 here
	// flow_pkts_s = 90000: +4.50
	// flow_duration = 0.1: +0.00
}

func ExampleModel_CheckSchema() {
	err := small().CheckSchema("kdd99/1")
	fmt.Println(errors.Is(err, model.ErrSchema))
	// Output: true
}

func ExampleModel_DecideCost() {
	costs := [][]float64{{0, 1}, {10, 0}} // a missed attack costs ten false alarms
	v, err := small().DecideCost([]float32{0.8, 0.2}, costs)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Class)
	// Output: attack
}
