package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mlids/model/internal/graph"
	"mlids/model/internal/onnx"
)

// readForeign makes a model of an ONNX file that another tool exported. A graph that is one tree ensemble becomes a
// Forest, with all that forests can do; any other runs operator by operator.
func readForeign(file *onnx.Model, info Info) (*Model, error) {
	inputs, err := graphInputs(&file.Graph)
	if err != nil {
		return nil, err
	}
	output, err := probabilityOutput(&file.Graph)
	if err != nil {
		return nil, err
	}
	names, order := orderClasses(labels(&file.Graph), info.Classes)
	if f := liftForest(&file.Graph, inputs, output, order); f != nil {
		info.describe(inputs, names, classes(f.Outputs, f.Link))
		if err := f.check(); err != nil {
			return nil, err
		}
		return assemble(info, f)
	}
	p, err := newProgram(&file.Graph, inputs, output, order)
	if err != nil {
		return nil, err
	}
	info.describe(p.inputs, names, classes(p.outputs, p.link))
	return assemble(info, p)
}

// describe fills in what a file of another tool does not say.
func (i *Info) describe(inputs []graphInput, names []string, classes int) {
	if len(i.Inputs) == 0 {
		for _, in := range inputs {
			i.Inputs = append(i.Inputs, in.names()...)
		}
	}
	if len(i.Classes) == 0 {
		i.Classes = names
	}
	if len(i.Classes) == 0 && classes == 2 {
		i.Classes = []string{"benign", "attack"}
	}
	for k := len(i.Classes); len(names) == 0 && k < classes; k++ {
		i.Classes = append(i.Classes, strconv.Itoa(k))
	}
}

// graphInput is one input of a graph: so many numbers, or one text whose categories are inputs of the model each.
type graphInput struct {
	name       string
	elem       int64
	width      int
	alone      bool // the graph's only input
	categories []string
}

// names of the model's inputs that this one takes: its own name, "f0", "f1", … for the columns of a lone matrix, and
// "name=category" for text, as schemas spell categories.
func (in *graphInput) names() []string {
	if in.elem == onnx.Text {
		out := make([]string, len(in.categories))
		for i, c := range in.categories {
			out[i] = in.name + "=" + c
		}
		return out
	}
	if in.width == 1 && !in.alone {
		return []string{in.name}
	}
	prefix := "f"
	if !in.alone {
		prefix = in.name + "_"
	}
	out := make([]string, in.width)
	for i := range out {
		out[i] = prefix + strconv.Itoa(i)
	}
	return out
}

// constantsOf finds a graph's constants by name; of two that share one the first counts.
func constantsOf(g *onnx.Graph) map[string]*onnx.Tensor {
	out := make(map[string]*onnx.Tensor, len(g.Initializers))
	for i := range slices.Backward(g.Initializers) {
		out[g.Initializers[i].Name] = &g.Initializers[i]
	}
	return out
}

// graphInputs lists what a graph is given: matrices of known width, or columns.
func graphInputs(g *onnx.Graph) ([]graphInput, error) {
	var out []graphInput
	total, fixed := 0, constantsOf(g)
	for _, v := range g.Inputs {
		if fixed[v.Name] != nil {
			continue
		}
		if len(v.Dims) != 2 || v.Dims[1] < 1 || v.Dims[1] > MaxInputs {
			return nil, fmt.Errorf("input %q has shape %v, wanted rows of 1 to %d columns", v.Name, v.Dims, MaxInputs)
		}
		if v.Elem == onnx.Text && v.Dims[1] != 1 {
			return nil, fmt.Errorf("input %q has %d columns of text, wanted one", v.Name, v.Dims[1])
		}
		if total += int(v.Dims[1]); total > MaxInputs {
			return nil, fmt.Errorf("more than %d inputs", MaxInputs)
		}
		out = append(out, graphInput{name: v.Name, elem: v.Elem, width: int(v.Dims[1])})
	}
	if len(out) == 0 {
		return nil, errors.New("the graph has no inputs")
	}
	out[0].alone = len(out) == 1
	return out, nil
}

// probabilityOutput is the output named so, else the last one: converters put the label first.
func probabilityOutput(g *onnx.Graph) (string, error) {
	if len(g.Outputs) == 0 {
		return "", errors.New("the graph has no outputs")
	}
	for _, o := range g.Outputs {
		if strings.Contains(strings.ToLower(o.Name), "prob") {
			return o.Name, nil
		}
	}
	return g.Outputs[len(g.Outputs)-1].Name, nil
}

// labels finds the class labels: attributes of the classifier or ZipMap, or the constant that an index picks them from.
func labels(g *onnx.Graph) []string {
	for i := range g.Nodes {
		for _, name := range []string{"classlabels_strings", "classlabels_int64s", "classlabels_ints"} {
			if a := g.Nodes[i].Attr(name); a != nil && len(a.Strings)+len(a.Ints) > 1 {
				return append(slices.Clone(a.Strings), decimal(a.Ints)...)
			}
		}
	}
	fixed := constantsOf(g)
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Op == "ArrayFeatureExtractor" && len(n.Inputs) == 2 {
			if t := fixed[n.Inputs[0]]; t != nil && len(t.Strings)+len(t.Ints) > 1 {
				return append(slices.Clone(t.Strings), decimal(t.Ints)...)
			}
		}
	}
	return nil
}

func decimal(values []int64) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strconv.FormatInt(v, 10)
	}
	return out
}

// orderClasses names the classes with the benign one first; order tells which of the file's classes each one is. Names
// that the metadata gives are taken to be in the file's order.
func orderClasses(labels, given []string) (names []string, order []int) {
	for i := range max(len(labels), len(given)) {
		order = append(order, i)
	}
	if len(given) > 0 {
		return given, order
	}
	if slices.Equal(labels, []string{"0", "1"}) {
		return []string{"benign", "attack"}, order
	}
	benign := slices.IndexFunc(labels, isBenign)
	if benign > 0 {
		order = slices.Insert(slices.Delete(order, benign, benign+1), 0, benign)
	}
	for _, i := range order {
		names = append(names, labels[i])
	}
	return names, order
}

// isBenign knows the usual spellings of the class that is no attack.
func isBenign(label string) bool {
	switch strings.ToLower(strings.TrimSuffix(strings.TrimSpace(label), ".")) {
	case "benign", "normal", "legitimate", "0":
		return true
	}
	return false
}

// program is a graph that runs operator by operator. It is Predictor and engine in one.
type program struct {
	*graph.Program
	inputs  []graphInput
	order   []int
	width   int // of the graph's output
	outputs int
	link    Link
}

// newProgram compiles a graph and finds out, from a few rows, what its output is.
func newProgram(g *onnx.Graph, inputs []graphInput, output string, order []int) (*program, error) {
	compiled, err := graph.Compile(g, output, func(n *onnx.Node) (graph.Trees, error) { return newTreeScores(n) })
	if err != nil {
		return nil, err
	}
	p := &program{Program: compiled, inputs: slices.Clone(inputs), order: order}
	if err := p.trace(); err != nil {
		return nil, err
	}
	return p, p.probe()
}

// trace asks which categories each text input is compared with.
func (p *program) trace() error {
	if !slices.ContainsFunc(p.inputs, func(in graphInput) bool { return in.elem == onnx.Text }) {
		return nil
	}
	feed := map[string]*graph.Tensor{}
	tokens := map[string]int{}
	for i, in := range p.inputs {
		t := &graph.Tensor{Type: in.elem, Dims: []int{1, in.width}, F: make([]float64, in.width)}
		if in.elem == onnx.Text {
			token := "\x00" + strconv.Itoa(i)
			tokens[token] = i
			t.F, t.S = nil, []string{token}
		}
		feed[in.name] = t
	}
	err := p.Trace(feed, func(token string, categories []string) {
		if i, known := tokens[token]; known {
			for _, c := range categories {
				if in := &p.inputs[i]; !slices.Contains(in.categories, c) {
					in.categories = append(in.categories, c)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	for _, in := range p.inputs {
		if in.elem == onnx.Text && len(in.categories) == 0 {
			return fmt.Errorf("text input %q is compared with no categories", in.name)
		}
	}
	return nil
}

// probe runs a few rows and takes the output for probabilities when all are, else for scores.
func (p *program) probe() error {
	const n = 32
	inputs, _, _ := p.shape()
	if inputs > MaxInputs {
		return fmt.Errorf("%d inputs with categories, at most %d are accepted", inputs, MaxInputs)
	}
	rows := make([]float32, n*inputs)
	for i := range rows[inputs:] { // the first row is all zeros
		rows[inputs+i] = float32(math.Sin(float64(i)*1.7) * math.Pow(10, float64(i%5-1)))
	}
	if _, err := p.output(rows[:inputs], 1); err != nil {
		return err
	}
	y, err := p.output(rows, n)
	if err != nil {
		return err
	}
	if len(y)%n != 0 || len(y) == 0 {
		return fmt.Errorf("%d results for %d rows", len(y), n)
	}
	p.width = len(y) / n
	p.interpret(y)
	if k := classes(p.outputs, p.link); len(p.order) != k && len(p.order) != 0 {
		return fmt.Errorf("%d results per row for %d classes", p.width, len(p.order))
	}
	return nil
}

// interpret tells what outputs are by an example of them.
func (p *program) interpret(y []float64) {
	probabilities := !slices.ContainsFunc(y, func(v float64) bool { return v < -1e-6 || v > 1+1e-6 })
	opposite := p.width == 2
	for i := 0; opposite && i < len(y); i += 2 {
		opposite = y[i] == -y[i+1]
	}
	switch {
	case p.width == 1 && probabilities:
		p.outputs, p.link = 2, Identity
	case p.width == 1 || opposite && !probabilities:
		p.outputs, p.link = 1, Logistic
	case probabilities:
		p.outputs, p.link = p.width, Identity
	default:
		p.outputs, p.link = p.width, Normalised
	}
}

func (p *program) shape() (inputs, outputs int, link Link) {
	for i := range p.inputs {
		if in := &p.inputs[i]; in.elem == onnx.Text {
			inputs += len(in.categories)
		} else {
			inputs += in.width
		}
	}
	return inputs, p.outputs, p.link
}

func (p *program) check() error      { return nil } // compiling did
func (p *program) encode(*graphBody) {}             // the file that was read is kept
func (p *program) compile() engine   { return p }
