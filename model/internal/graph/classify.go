package graph

import (
	"fmt"
	"math"

	"mlids/model/internal/onnx"
)

// transform is the post_transform of classifiers, for one row.
type transform func(row []float64)

func (n *node) transform() (transform, error) {
	switch name := n.string("post_transform", "NONE"); name {
	case "NONE", "":
		return func([]float64) {}, nil
	case "LOGISTIC":
		return func(row []float64) {
			for i, v := range row {
				row[i] = sigmoid(v)
			}
		}, nil
	case "SOFTMAX":
		return func(row []float64) { softmaxRow(row, row) }, nil
	case "SOFTMAX_ZERO":
		return softmaxZero, nil
	default:
		return nil, fmt.Errorf("post_transform %s: %w", name, ErrOperator)
	}
}

// softmaxZero is the softmax of the scores that are not zero.
func softmaxZero(row []float64) {
	top, sum := math.Inf(-1), 0.0
	for _, v := range row {
		top = max(top, v)
	}
	for i, v := range row {
		if math.Abs(v) > 1e-7 {
			row[i] = math.Exp(v - top)
		}
		sum += row[i]
	}
	for i := range row {
		row[i] /= sum
	}
}

// labelled are the two outputs of a classifier: the label, as an index, which no converter needs for the probabilities,
// and the scores.
func labelled(scores *Tensor, after transform) ([]*Tensor, error) {
	n, width := scores.rows()
	label, err := numbers(onnx.Int64, n)
	if err != nil {
		return nil, err
	}
	for i := range n {
		row := scores.F[i*width : (i+1)*width]
		best := 0
		for j, v := range row {
			if v > row[best] {
				best = j
			}
		}
		label.F[i] = float64(best)
		if width > 0 {
			after(row)
		}
	}
	return []*Tensor{label, scores.round()}, nil
}

// classes is how many labels a classifier has.
func (n *node) classes() int {
	for _, name := range []string{"classlabels_strings", "classlabels_int64s", "classlabels_ints"} {
		if a := n.Attr(name); a != nil {
			return max(len(a.Strings), len(a.Ints))
		}
	}
	return 0
}

// twoSided makes both classes' scores of the one score of the second class.
func twoSided(scores *Tensor, probability bool) (*Tensor, error) {
	y, err := numbers(scores.Type, len(scores.F), 2)
	if err != nil {
		return nil, err
	}
	for i, v := range scores.F {
		y.F[2*i], y.F[2*i+1] = -v, v
		if probability {
			y.F[2*i] = 1 - v
		}
	}
	return y, nil
}

func linearClassifier(n *node) (op, error) {
	outputs := len(n.ints("classlabels_ints"))
	outputs = max(outputs, n.classes())
	classes := outputs
	if k := len(n.floats("intercepts")); k == 1 {
		outputs = 1
	}
	l, err := n.linear(outputs)
	if err != nil {
		return nil, err
	}
	after, err := n.transform()
	if err != nil {
		return nil, err
	}
	return func(c *call, in []*Tensor) ([]*Tensor, error) {
		x, err := first(in)
		if err != nil {
			return nil, err
		}
		scores, err := l.apply(c, x)
		if err == nil && outputs == 1 && classes == 2 {
			scores, err = twoSided(scores, n.string("post_transform", "NONE") == "NONE")
		}
		if err != nil {
			return nil, err
		}
		return labelled(scores, after)
	}, nil
}

func linearRegressor(n *node) (op, error) {
	l, err := n.linear(int(n.int("targets", 1)))
	if err != nil {
		return nil, err
	}
	return func(c *call, in []*Tensor) ([]*Tensor, error) {
		x, err := first(in)
		if err != nil {
			return nil, err
		}
		y, err := l.apply(c, x)
		return []*Tensor{y}, err
	}, nil
}

// ensemble is TreeEnsembleClassifier or TreeEnsembleRegressor.
func ensemble(classifier bool) maker {
	return func(n *node) (op, error) {
		trees, err := n.trees(n.Node)
		if err != nil {
			return nil, err
		}
		nodes := len(n.strings("nodes_modes"))
		return func(c *call, in []*Tensor) ([]*Tensor, error) {
			x, err := first(in)
			if err != nil {
				return nil, err
			}
			rows, width, err := x.matrix()
			if err != nil {
				return nil, err
			}
			if err := c.spend(rows, nodes); err != nil {
				return nil, err
			}
			values := make([]float32, len(x.F))
			for i, v := range x.F {
				values[i] = float32(v)
			}
			scores, outputs, err := trees.Scores(values, rows, width)
			if err != nil {
				return nil, err
			}
			y := (&Tensor{Type: onnx.Float32, Dims: []int{rows, outputs}, F: scores}).round()
			if !classifier {
				return []*Tensor{y}, nil
			}
			return labelled(y, func([]float64) {})
		}, nil
	}
}

// makers are the supported operators.
var makers = map[opName]maker{
	{"", "Identity"}: same, {"", "Constant"}: fixed, {"", "Cast"}: cast, {"", "Dropout"}: same,
	{"", "Neg"}: unary(func(v float64) float64 { return -v }), {"", "Abs"}: unary(math.Abs), {"", "Sign"}: unary(sign),
	{"", "Exp"}: unary(math.Exp), {"", "Log"}: unary(math.Log), {"", "Sqrt"}: unary(math.Sqrt),
	{"", "Cos"}: unary(math.Cos), {"", "Sin"}: unary(math.Sin), {"", "Floor"}: unary(math.Floor), {"", "Ceil"}: unary(math.Ceil),
	{"", "Reciprocal"}: unary(func(v float64) float64 { return 1 / v }),
	{"", "Relu"}:       unary(func(v float64) float64 { return max(v, 0) }),
	{"", "Tanh"}:       unary(math.Tanh), {"", "Sigmoid"}: unary(sigmoid), {"", "Erf"}: unary(math.Erf),
	{"", "Not"}: unary(func(v float64) float64 { return truth(v == 0) }),
	{"", "Add"}: binary(func(a, b float64) float64 { return a + b }), {"", "Sum"}: binary(func(a, b float64) float64 { return a + b }),
	{"", "Sub"}: binary(func(a, b float64) float64 { return a - b }), {"", "Mul"}: binary(func(a, b float64) float64 { return a * b }),
	{"", "Div"}: binary(func(a, b float64) float64 { return a / b }), {"", "Pow"}: binary(math.Pow),
	{"", "Min"}:            binary(func(a, b float64) float64 { return min(a, b) }),
	{"", "Max"}:            binary(func(a, b float64) float64 { return max(a, b) }),
	{"", "Less"}:           compare(func(a, b float64) bool { return a < b }),
	{"", "LessOrEqual"}:    compare(func(a, b float64) bool { return a <= b }),
	{"", "Greater"}:        compare(func(a, b float64) bool { return a > b }),
	{"", "GreaterOrEqual"}: compare(func(a, b float64) bool { return a >= b }),
	{"", "Equal"}:          compare(func(a, b float64) bool { return a == b }),
	{"", "And"}:            compare(func(a, b float64) bool { return a != 0 && b != 0 }),
	{"", "Or"}:             compare(func(a, b float64) bool { return a != 0 || b != 0 }),
	{"", "Where"}:          where, {"", "Clip"}: clip, {"", "Softmax"}: softmax,
	{"", "MatMul"}: matmul, {"", "Gemm"}: gemm, {"", "Transpose"}: transpose,
	{"", "Concat"}: concat, {"", "Reshape"}: reshape, {"", "Flatten"}: flatten, {"", "Squeeze"}: squeeze,
	{"", "Unsqueeze"}: unsqueeze, {"", "Gather"}: gather,
	{"", "ReduceSum"}:       reduction(0, func(s, v float64) float64 { return s + v }, whole),
	{"", "ReduceMean"}:      reduction(0, func(s, v float64) float64 { return s + v }, func(s float64, n int) float64 { return s / float64(n) }),
	{"", "ReduceSumSquare"}: reduction(0, func(s, v float64) float64 { return s + v*v }, whole),
	{"", "ReduceL1"}:        reduction(0, func(s, v float64) float64 { return s + math.Abs(v) }, whole),
	{"", "ReduceL2"}:        reduction(0, func(s, v float64) float64 { return s + v*v }, func(s float64, _ int) float64 { return math.Sqrt(s) }),
	{"", "ReduceMax"}:       reduction(math.Inf(-1), func(s, v float64) float64 { return max(s, v) }, whole),
	{"", "ReduceMin"}:       reduction(math.Inf(1), func(s, v float64) float64 { return min(s, v) }, whole),
	{"", "ArgMax"}:          extreme(func(a, b float64) bool { return a > b }),
	{"", "ArgMin"}:          extreme(func(a, b float64) bool { return a < b }),

	{onnx.ML, "ArrayFeatureExtractor"}: extract, {onnx.ML, "Scaler"}: scaler, {onnx.ML, "Normalizer"}: normalizer,
	{onnx.ML, "Imputer"}: imputer, {onnx.ML, "Binarizer"}: binarizer, {onnx.ML, "OneHotEncoder"}: oneHot,
	{onnx.ML, "FeatureVectorizer"}: vectorizer, {onnx.ML, "LabelEncoder"}: labelEncoder, {onnx.ML, "ZipMap"}: same,
	{onnx.ML, "LinearClassifier"}: linearClassifier, {onnx.ML, "LinearRegressor"}: linearRegressor,
	{onnx.ML, "SVMClassifier"}: svmClassifier, {onnx.ML, "TreeEnsembleClassifier"}: ensemble(true),
	{onnx.ML, "TreeEnsembleRegressor"}: ensemble(false),
}
