// Package model is a trained model: one ONNX file, compiled into a flat form for inference, that knows which schema and
// inputs it wants and which thresholds it decides by.
//
// A learner makes a Forest or a Network and wraps it by New; Read and Load take the file back. Rows go in as float32
// vectors in the order of Info.Inputs; probabilities come out in the order of Info.Classes. Forests of trees of up to 64
// leaves run on AVX-512 or AVX2 where there is such, and give the same bits everywhere.
//
// # The file
//
// The graph has one input, features (float [N, inputs]), and two outputs: probabilities (float [N, classes]) and label
// (string [N], by the rule of Model.Decide). Trees are one ai.onnx.ml TreeEnsembleRegressor whose targets are the margins,
// with Node.Cover as nodes_hitrates; a Network is Imputer, Scaler, Clip and one Gemm (float64) per Layer; Link is written
// as plain operators. Info is kept in metadata_props under "mlids." and the field's json name. Equal models are equal bytes.
//
// # Files of other tools
//
// Read also takes what skl2onnx and onnxmltools export of scikit-learn, LightGBM and XGBoost, LightGBM's text (v3, v4)
// and XGBoost's JSON. A graph that is one tree ensemble becomes a Forest; any other runs operator by operator, from these:
// Abs Add And ArgMax ArgMin ArrayFeatureExtractor Binarizer Cast Ceil Clip Concat Constant Cos Div Dropout Equal Erf Exp
// FeatureVectorizer Flatten Floor Gather Gemm Greater GreaterOrEqual Identity Imputer LabelEncoder Less LessOrEqual
// LinearClassifier LinearRegressor Log MatMul Max Min Mul Neg Normalizer Not OneHotEncoder Or Pow Reciprocal ReduceL1
// ReduceL2 ReduceMax ReduceMean ReduceMin ReduceSum ReduceSumSquare Relu Reshape SVMClassifier Scaler Sigmoid Sign Sin
// Softmax Sqrt Squeeze Sub Sum Tanh Transpose TreeEnsembleClassifier TreeEnsembleRegressor Unsqueeze Where ZipMap.
//
// The probabilities are the output with "prob" in its name, else the last one; scores that are no probabilities become
// some by the logistic function, so that the decision at 0.5 is the model's own. A text input is asked for as one input
// per category, "name=category". The class called benign, normal, legitimate or 0 comes first.
package model

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"mlids/model/internal/simd"
)

// Errors of this package; they come wrapped with what was found and what would be right.
var (
	ErrInputs      = errors.New("wrong number of inputs")
	ErrSchema      = errors.New("model wants another schema")
	ErrInvalid     = errors.New("invalid model file")
	ErrUnexplained = errors.New("a model of this form cannot be explained")
)

// Limits of a model; a file beyond them is refused with ErrInvalid.
const (
	MaxFile    = 128 << 20 // bytes
	MaxInputs  = 1 << 15
	MaxClasses = 1 << 10
	MaxNodes   = 1 << 23 // nodes of all trees
	MaxDepth   = 1 << 10 // of a tree
)

// DefaultThreshold stands in for an Info.Threshold of zero.
const DefaultThreshold = 0.5

// Predictor is what a Model computes margins by: a *Forest or a *Network.
type Predictor interface {
	shape() (inputs, outputs int, link Link)
	check() error        // everything that compile and encode rely on
	compile() engine     // of a checked predictor
	encode(g *graphBody) // appends the nodes that make margins from the input
}

// engine computes margins. It is immutable, and safe for concurrent use.
type engine interface {
	// margins fills dst, n×outputs, from rows, n×inputs.
	margins(dst []float64, rows []float32, s *scratch) error
}

// Model is a trained model. It is immutable, and safe for concurrent use.
type Model struct {
	info            Info
	inputs, outputs int
	link            Link
	engine          engine
	file            []byte
	pool            sync.Pool // of *scratch
}

// New makes a model of what a learner produced. Leaf values, weights and bases are rounded to float32, as the file has
// them, so the model predicts the same bits now and when read back. Version is computed, and Threshold 0 becomes
// DefaultThreshold. An Info that does not fit the predictor, or a predictor that contradicts itself, is ErrInvalid.
func New(info Info, p Predictor) (*Model, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m, err := assemble(info, p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	file, err := encode(m.info, p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m.sign(file)
	return m, nil
}

// assemble compiles p for serving under info.
func assemble(info Info, p Predictor) (*Model, error) {
	m := &Model{info: info.clone()}
	m.inputs, m.outputs, m.link = p.shape()
	if m.info.Threshold == 0 {
		m.info.Threshold = DefaultThreshold
	}
	if err := m.info.check(m.inputs, classes(m.outputs, m.link)); err != nil {
		return nil, err
	}
	m.engine = p.compile()
	return m, nil
}

// classes is the number of classes that margins stand for.
func classes(outputs int, l Link) int {
	if l == Logistic {
		return 2
	}
	return outputs
}

// sign keeps the file and derives the version from it.
func (m *Model) sign(file []byte) {
	sum := sha256.Sum256(file)
	m.file = file
	m.info.Version = hex.EncodeToString(sum[:6])
}

// Encode returns the ONNX file (or the file of another tool that was read), the same bytes every time.
func (m *Model) Encode() []byte { return slices.Clone(m.file) }

// Info returns what the model says of itself.
func (m *Model) Info() Info { return m.info.clone() }

// Inputs is the length of the vectors that the model takes.
func (m *Model) Inputs() int { return m.inputs }

// Outputs is the number of margins per row: one for two classes under Logistic, else one per class.
func (m *Model) Outputs() int { return m.outputs }

// Classes is the number of classes, the number of probabilities per row.
func (m *Model) Classes() int { return len(m.info.Classes) }

// CheckSchema returns ErrSchema unless rows of the schema with this ID ("kdd99/1") may be given to the model. A model from
// elsewhere, that names no schema, takes any that has its inputs.
func (m *Model) CheckSchema(id string) error {
	if m.info.Schema != "" && m.info.Schema != id {
		return fmt.Errorf("%w: rows are %s, model %s %s wants %s", ErrSchema, id, m.info.Name, m.info.Version, m.info.Schema)
	}
	return nil
}

// Margins fills dst, n×Outputs, with the raw scores of rows, n×Inputs, both row by row. Wrong lengths are ErrInputs.
func (m *Model) Margins(dst []float64, rows []float32) error {
	if _, err := m.count(len(dst), m.outputs, len(rows)); err != nil {
		return err
	}
	s := m.scratch()
	defer m.pool.Put(s)
	return m.engine.margins(dst, rows, s)
}

// Probabilities fills dst, n×Classes, with the class probabilities of rows, n×Inputs, both row by row. NaN stands for a
// missing value. Wrong lengths are ErrInputs. It does not allocate once warm.
func (m *Model) Probabilities(dst, rows []float32) error {
	n, err := m.count(len(dst), len(m.info.Classes), len(rows))
	if err != nil {
		return err
	}
	s := m.scratch()
	defer m.pool.Put(s)
	k := len(m.info.Classes)
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		margins := s.margins[:(to-from)*m.outputs]
		if err := m.engine.margins(margins, rows[from*m.inputs:to*m.inputs], s); err != nil {
			return fmt.Errorf("model %s: %w", m.info.Name, err)
		}
		m.link.apply(dst[from*k:to*k], margins, m.outputs)
	}
	return nil
}

// count checks the lengths of a batch and returns its number of rows.
func (m *Model) count(dst, width, rows int) (int, error) {
	n := rows / m.inputs
	if n*m.inputs != rows {
		return 0, fmt.Errorf("%w: %d values are no whole number of rows, model %s wants %d per row", ErrInputs, rows, m.info.Name, m.inputs)
	}
	if n*width != dst {
		return 0, fmt.Errorf("%w: room for %d results, %d rows need %d", ErrInputs, dst, n, n*width)
	}
	return n, nil
}

// block is the number of rows that are computed together; their margins stay in the cache.
const block = 256

// scratch is the memory of one call: the margins of a block, and what engines grow as they need it.
type scratch struct {
	margins []float64
	columns []float32
	sums    []float64
	row     [simd.RowInputs]float32
}

func (m *Model) scratch() *scratch {
	if s, ok := m.pool.Get().(*scratch); ok {
		return s
	}
	return &scratch{margins: make([]float64, block*m.outputs)}
}

// floats returns room for n values.
func (s *scratch) floats(n int) []float32 {
	if cap(s.columns) < n {
		s.columns = make([]float32, n)
	}
	return s.columns[:n]
}

// doubles returns room for n sums.
func (s *scratch) doubles(n int) []float64 {
	if cap(s.sums) < n {
		s.sums = make([]float64, n)
	}
	return s.sums[:n]
}

// finite reports whether v is a number.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
