package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
)

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

// Subset copies some rows, in the order given.
func (s *Set) Subset(rows []int32) *Set {
	out := *s
	out.X = make([][]float32, len(s.X))
	for j, x := range s.X {
		out.X[j] = pick(x, rows)
	}
	out.Class, out.Type, out.Weight = pick(s.Class, rows), pick(s.Type, rows), pick(s.Weight, rows)
	return &out
}

// Select keeps some inputs, in the order given. Their columns are shared with s.
func (s *Set) Select(inputs []string) (*Set, error) {
	out := *s
	out.Inputs, out.X = slices.Clone(inputs), make([][]float32, len(inputs))
	for i, name := range inputs {
		j := slices.Index(s.Inputs, name)
		if j < 0 {
			return nil, fmt.Errorf("%w: the set has no input %q", ErrColumn, name)
		}
		out.X[i] = s.X[j]
	}
	return &out, nil
}

// Concat puts sets of the same inputs and the same benign class one behind the other. Classes and types are united in
// order of first appearance.
func Concat(sets ...*Set) (*Set, error) {
	out := &Set{}
	for i, s := range sets {
		if i == 0 {
			out.Inputs, out.X = s.Inputs, make([][]float32, len(s.X))
		}
		if !slices.Equal(s.Inputs, out.Inputs) {
			return nil, fmt.Errorf("%w: set %d has the inputs %q; want %q, as the first", ErrColumn, i+1, s.Inputs, out.Inputs)
		}
		if i > 0 && s.Classes[0] != out.Classes[0] {
			return nil, fmt.Errorf("%w: benign class %q of set %d; want %q, as the first", ErrLabel, s.Classes[0], i+1, out.Classes[0])
		}
		for j, x := range s.X {
			out.X[j] = append(out.X[j], x...)
		}
		out.Class = appendCodes(out.Class, &out.Classes, s.Class, s.Classes)
		out.Type = appendCodes(out.Type, &out.Types, s.Type, s.Types)
		out.Weight = append(out.Weight, s.Weight...)
	}
	return out, nil
}

// appendCodes appends codes of another dictionary, uniting the two.
func appendCodes(to []int32, names *[]string, from []int32, fromNames []string) []int32 {
	united := slices.Clone(*names)
	code := make([]int32, len(fromNames))
	for i, name := range fromNames {
		k := slices.Index(united, name)
		if k < 0 {
			k = len(united)
			united = append(united, name)
		}
		code[i] = int32(k)
	}
	for _, k := range from {
		to = append(to, code[k])
	}
	*names = united
	return to
}

// AppendRows appends rows lo to hi-1 to dst as row-major vectors, (hi-lo) × len(Inputs) values.
func (s *Set) AppendRows(dst []float32, lo, hi int) []float32 {
	start, width := len(dst), len(s.X)
	dst = slices.Grow(dst, (hi-lo)*width)[:start+(hi-lo)*width]
	for j, x := range s.X {
		for i, v := range x[lo:hi] {
			dst[start+i*width+j] = v
		}
	}
	return dst
}

// Rows are all rows as row-major vectors, Len() × len(Inputs) values. For large sets take AppendRows in blocks.
func (s *Set) Rows() []float32 { return s.AppendRows(nil, 0, s.Len()) }

// Fingerprint is the SHA-256, in hexadecimal, of everything that learners see: names and all rows in their order.
func (s *Set) Fingerprint() string {
	h := sha256.New()
	for _, names := range [][]string{s.Inputs, s.Classes, s.Types} {
		h.Write(fmt.Appendf(nil, "%q\n", names))
	}
	hashWords(h, s.Len(), func(i int) uint32 { return uint32(s.Class[i]) })
	hashWords(h, s.Len(), func(i int) uint32 { return uint32(s.Type[i]) })
	hashWords(h, s.Len(), func(i int) uint32 { return math.Float32bits(s.Weight[i]) })
	for _, x := range s.X {
		hashWords(h, s.Len(), func(i int) uint32 { return math.Float32bits(x[i]) })
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hashWords hashes n words, little-endian.
func hashWords(h hash.Hash, n int, word func(i int) uint32) {
	buf := make([]byte, 0, 1<<16)
	for i := range n {
		if buf = binary.LittleEndian.AppendUint32(buf, word(i)); len(buf) == cap(buf) {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	h.Write(buf)
}
