package model

// Forest is an ensemble of decision trees over a vector of float32 inputs.
//
// The margins of a row are Base plus what each tree's leaf adds; Link turns margins into class probabilities.
type Forest struct {
	Inputs  int       // length of the vectors it takes
	Outputs int       // margins per row: 1 for two classes under Logistic, else one per class
	Base    []float64 // margin of each output before any tree, length Outputs
	Link    Link
	Trees   []Tree
}

// Link turns margins into probabilities.
type Link uint8

// The links.
const (
	Identity Link = iota // margins are probabilities already (decision tree, averaged forest)
	Logistic             // one margin m, P(class 1) = 1/(1+exp(-m))
	Softmax              // exp(m_k) / Σ exp(m_j)
)

// Tree is one decision tree. Nodes[0] is its root.
type Tree struct {
	Output int32 // the output that its leaves add to; -1 when a leaf holds one value per output
	Nodes  []Node
	Values []float64 // leaf values: one per leaf, or Outputs per leaf when Output is -1
}

// Node is an inner node or a leaf. A row goes left when its value is at most Threshold; a missing value (NaN) goes left
// when MissingLeft is set.
type Node struct {
	Feature     int32 // index of the input; -1 for a leaf
	Threshold   float32
	MissingLeft bool
	Left, Right int32   // children, indexes in Nodes; of a leaf, Left is the index of its first value
	Cover       float64 // weight of the training rows that passed here
}
