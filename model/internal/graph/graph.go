// Package graph runs ONNX graphs that other tools exported: the operators that the converters of scikit-learn, LightGBM and
// XGBoost emit, one after the other, without sub-graphs. What is not needed for the wanted output is not run.
package graph

import (
	"errors"
	"fmt"
	"slices"

	"mlids/model/internal/onnx"
)

// ErrOperator is returned for an operator that is not supported.
var ErrOperator = errors.New("operator is not supported")

// Trees computes the scores of a tree ensemble, n×outputs, of x, n×width.
type Trees interface {
	Scores(x []float32, n, width int) (scores []float64, outputs int, err error)
}

// Program is a graph ready to run. It is not changed by running, and safe for concurrent use.
type Program struct {
	steps  []step
	slots  map[string]int
	consts map[int]*Tensor
	output int
}

// step is one operator: it reads slots (-1 for an input left out) and fills slots.
type step struct {
	name    string
	in, out []int
	run     op
}

// op computes the outputs of an operator. Inputs that were left out are nil; inputs are not changed.
type op func(c *call, in []*Tensor) ([]*Tensor, error)

// call is one run of a program.
type call struct {
	program *Program
	budget  int // elements that may still be made
	work    int // multiplications, about, that may still be done
	met     func(token string, categories []string)
}

// runElements bounds the elements of all tensors of a run, runWork its multiplications (a block of rows times all weights
// that a file can hold), and maxSteps the operators of a graph.
const (
	runElements = 1 << 25
	runWork     = 1 << 33
	maxSteps    = 1 << 16

	elementWork = 8 // of reading or writing an element
)

var errWork = errors.New("the graph is too much work")

// spend takes work off what may still be done. No factor is above 2^29.
func (c *call) spend(factors ...int) error {
	work := 1
	for _, f := range factors {
		if work *= f; work > runWork {
			return errWork
		}
	}
	if c.work -= work; c.work < 0 {
		return errWork
	}
	return nil
}

// Compile prepares what makes one output of a graph. trees makes the tree ensembles.
func Compile(g *onnx.Graph, output string, trees func(*onnx.Node) (Trees, error)) (*Program, error) {
	if len(g.Nodes) > maxSteps {
		return nil, fmt.Errorf("%d operators, at most %d are accepted", len(g.Nodes), maxSteps)
	}
	p := &Program{slots: map[string]int{}, consts: map[int]*Tensor{}}
	if err := p.define(g); err != nil {
		return nil, err
	}
	var steps []step
	for i := range g.Nodes {
		s, err := p.step(&g.Nodes[i], trees)
		if err != nil {
			return nil, fmt.Errorf("node %d %s %q: %w", i, g.Nodes[i].Op, g.Nodes[i].Name, err)
		}
		steps = append(steps, s)
	}
	slot, ok := p.slots[output]
	if !ok {
		return nil, fmt.Errorf("nothing makes the output %q", output)
	}
	p.output = slot
	p.steps = needed(steps, slot)
	for _, s := range p.steps {
		if s.run == nil {
			return nil, fmt.Errorf("%s: %w", s.name, ErrOperator)
		}
	}
	return p, nil
}

// define gives the constants and inputs their slots.
func (p *Program) define(g *onnx.Graph) error {
	for i := range g.Initializers {
		t, err := constant(&g.Initializers[i])
		if err != nil {
			return err
		}
		slot, err := p.slot(g.Initializers[i].Name)
		if err != nil {
			return err
		}
		p.consts[slot] = t
	}
	for _, in := range g.Inputs {
		if _, ok := p.slots[in.Name]; ok { // older files list constants among the inputs
			continue
		}
		if _, err := p.slot(in.Name); err != nil {
			return err
		}
	}
	return nil
}

// slot makes room for a value; a name that exists is an error.
func (p *Program) slot(name string) (int, error) {
	if _, twice := p.slots[name]; twice {
		return 0, fmt.Errorf("value %q is made twice", name)
	}
	n := len(p.slots)
	p.slots[name] = n
	return n, nil
}

// step prepares one operator. Its inputs must exist: nodes are in the order they run in, so a cycle is an error here.
func (p *Program) step(n *onnx.Node, trees func(*onnx.Node) (Trees, error)) (step, error) {
	s := step{name: n.Op}
	fixed := make([]*Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		slot := -1
		if name != "" {
			var ok bool
			if slot, ok = p.slots[name]; !ok {
				return s, fmt.Errorf("input %q is not made before: a cycle, or out of order", name)
			}
			fixed[i] = p.consts[slot]
		}
		s.in = append(s.in, slot)
	}
	for _, name := range n.Outputs {
		slot := -1
		if name != "" {
			var err error
			if slot, err = p.slot(name); err != nil {
				return s, err
			}
		}
		s.out = append(s.out, slot)
	}
	prepare := makers[opName{n.Domain, n.Op}]
	if prepare == nil {
		return s, nil // refused if it is needed
	}
	var err error
	s.run, err = prepare(&node{Node: n, constants: fixed, trees: trees})
	return s, err
}

// needed keeps the steps that a slot depends on.
func needed(steps []step, slot int) []step {
	want := map[int]bool{slot: true}
	var out []step
	for _, s := range slices.Backward(steps) {
		if !slices.ContainsFunc(s.out, func(o int) bool { return want[o] }) {
			continue
		}
		out = append(out, s)
		for _, in := range s.in {
			want[in] = true
		}
	}
	slices.Reverse(out)
	return out
}

// Run computes the output of a graph from its inputs.
func (p *Program) Run(inputs map[string]*Tensor) (*Tensor, error) { return p.run(inputs, nil) }

// Trace is Run that tells which categories each text is compared with.
func (p *Program) Trace(inputs map[string]*Tensor, met func(token string, categories []string)) error {
	_, err := p.run(inputs, met)
	return err
}

func (p *Program) run(inputs map[string]*Tensor, met func(string, []string)) (*Tensor, error) {
	values := make([]*Tensor, len(p.slots))
	for slot, t := range p.consts {
		values[slot] = t
	}
	for name, t := range inputs {
		if slot, ok := p.slots[name]; ok {
			values[slot] = t
		}
	}
	c := &call{program: p, budget: runElements, work: runWork, met: met}
	for i, s := range p.steps {
		if err := c.step(s, values); err != nil {
			return nil, fmt.Errorf("step %d %s: %w", i, s.name, err)
		}
	}
	if values[p.output] == nil {
		return nil, errors.New("the output was not made")
	}
	return values[p.output], nil
}

func (c *call) step(s step, values []*Tensor) error {
	in := make([]*Tensor, len(s.in))
	for i, slot := range s.in {
		if slot >= 0 {
			if in[i] = values[slot]; in[i] == nil {
				return fmt.Errorf("input %d was not given", i)
			}
			if err := c.spend(elementWork, in[i].len()); err != nil {
				return err
			}
		}
	}
	out, err := s.run(c, in)
	if err != nil {
		return err
	}
	for i, t := range out {
		if c.budget -= t.len(); c.budget < 0 {
			return fmt.Errorf("more than %d elements in a run", runElements)
		}
		if i < len(s.out) && s.out[i] >= 0 {
			values[s.out[i]] = t
		}
	}
	return nil
}
