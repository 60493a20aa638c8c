package dataset

// Set is a labelled table in the form that learners take: one float32 slice per model input, column-major. NaN is a
// missing value. It is not changed after it is made.
type Set struct {
	Inputs  []string    // name of each column of X
	X       [][]float32 // X[j][i] is input j of row i
	Class   []int32     // class of each row, an index in Classes
	Classes []string    // Classes[0] is the benign class
	Type    []int32     // attack type (the label as the file spells it) of each row, an index in Types
	Types   []string
	Weight  []float32 // how often the row occurred
}

// Len is the number of rows.
func (s *Set) Len() int { return len(s.Class) }
