// Package simd runs decision trees by vector instructions, without branches: for every row a mask of the leaves that are
// still possible is kept, each node clears those on its left from the masks of the rows that go right, and the first leaf
// that remains is the one (Lucchese et al., QuickScorer, SIGIR 2015; Ye et al., RapidScorer, KDD 2018). The kernels are
// assembly written by asm/main.go.
//
// Code of a block kernel, per tree: a header of four words (nodes whose missing values go left, nodes whose missing
// values go right, bytes to the sums of the first output, number of outputs), for each output the values of 32 or 64
// leaves from left to right, then the nodes: bytes to the input's column, threshold, and one or two words of the leaves on
// the left, as Bit numbers them.
//
// Code of a row kernel, per group of 16 trees: a header of 16 words (steps whose missing values go left, steps whose
// missing values go right), the values of 32 leaves for each tree, then for each step 16 words of inputs, 16 thresholds
// and 16 masks of the leaves not on the left.
package simd

//go:generate go -C asm run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg simd

// Level is a set of instructions.
type Level uint8

// The levels.
const (
	Scalar Level = iota // no kernels
	AVX2                // block kernels
	AVX512              // block kernels and, for trees of up to 32 leaves, row kernels
)

// Sizes of the kernels' arguments.
const (
	BlockRows = 64  // rows of a block: columns and sums lie this many values apart
	RowInputs = 128 // values that a row kernel reads
	RowLanes  = 16  // trees of a group
	Panel     = 8   // outputs of a panel of weights
)

// Bit is the bit of a leaf, counted from the left, in its word of a mask.
func (l Level) Bit(leaf int) uint32 {
	if l == AVX512 {
		return 1 << (31 - leaf&31)
	}
	return 1 << (leaf & 31)
}

// Block adds the values of trees to sums, for rows rows, at most BlockRows. columns holds BlockRows values of each input;
// sums BlockRows values of each output. Words is 1 for trees of up to 32 leaves, 2 for up to 64. The level must not be
// Scalar, and code be well-formed: it is not checked.
func (l Level) Block(words int, code []uint32, trees int, columns []float32, sums []float64, rows int) {
	if trees == 0 || len(code) == 0 || len(columns) == 0 || len(sums) == 0 {
		return
	}
	l.block(words, code, trees, columns, sums, rows)
}

// Row finds the leaf value that each tree gives for one row: out gets RowLanes values per group, row has RowInputs.
// inputs is how many of them are used. The level must be AVX512.
func (l Level) Row(code []uint32, groups int, row *[RowInputs]float32, inputs int, out []float32) {
	if groups == 0 || len(out) < groups*RowLanes {
		return
	}
	l.row(code, groups, row, inputs, out)
}

// Dense adds to y, Panel sums per panel, the products of weights with x, in the order of x. weights has, per panel and
// element of x, Panel numbers; all numbers must be exact in float32, so that their products are exact in float64.
func (l Level) Dense(weights, x, y []float64) {
	panels := len(y) / Panel
	if len(x) == 0 || panels == 0 || len(weights) < panels*Panel*len(x) {
		return
	}
	if l == Scalar {
		dense(weights, x, y)
		return
	}
	l.dense(weights, x, y)
}

// dense is the form for processors without the instructions.
func dense(weights, x, y []float64) {
	for len(y) >= Panel {
		s := (*[Panel]float64)(y)
		for _, v := range x {
			w := (*[Panel]float64)(weights)
			for i := range s {
				s[i] += float64(v * w[i])
			}
			weights = weights[Panel:]
		}
		y = y[Panel:]
	}
}
