// Package feature describes what a flow's columns are: versioned schemas of named, typed, documented columns, with the
// spellings under which other tools print them. The packages below it compute those columns from packets.
package feature

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnknownSchema is returned for a schema name or version that does not exist.
var ErrUnknownSchema = errors.New("unknown schema")

// Kind is what the values of a column are.
type Kind uint8

// The kinds of columns.
const (
	Integer  Kind = iota // a count or a code
	Real                 // a measure
	Flag                 // 0 or 1
	Category             // one of Column.Categories
	Time                 // a clock
	Text                 // an address, an identifier
)

var kindNames = [...]string{"integer", "real", "flag", "category", "time", "text"}

// String is the kind's name in JSON.
func (k Kind) String() string { return kindNames[k] }

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Column describes one column of a schema.
type Column struct {
	Name       string   `json:"name"` // snake_case, unique in the schema
	Kind       Kind     `json:"kind"`
	Unit       string   `json:"unit,omitempty"` // "µs", "bytes", "packets", "1/s", "" for plain numbers
	Meaning    string   `json:"meaning"`        // definition in one sentence
	Source     string   `json:"source"`         // paper, specification or tool that defines it
	Header     string   `json:"header"`         // the spelling in files of the schema's own tool
	Aliases    []string `json:"aliases,omitempty"`
	Categories []string `json:"categories,omitempty"` // of a Category; any other value is "none of these"
	Identity   bool     `json:"identity,omitempty"`   // says who or when, not what: addresses, ports as numbers, clocks, ids
	Optional   bool     `json:"optional,omitempty"`   // files of earlier versions of the tool lack it; a table may too
}

// Schema is a versioned list of columns. Schemas are immutable once made and safe for concurrent use.
type Schema struct {
	Name    string
	Version string
	Columns []Column
	Label   []string // spellings of the label's column, the first one preferred
	Headed  bool     // files of this schema normally start with a header
	Ratios  []Ratio  // of its columns, as further inputs

	index  map[string]int // normalised spelling → column
	ratios []Input        // of Ratios
}

// New makes a schema of columns. Two columns that share a spelling are a programming error, told by an error.
func New(s Schema) (*Schema, error) {
	s.index = make(map[string]int, 2*len(s.Columns))
	for i, c := range s.Columns {
		for _, spelling := range append([]string{c.Name, c.Header}, c.Aliases...) {
			if spelling == "" {
				continue
			}
			key := Normalise(spelling)
			if j, taken := s.index[key]; taken && j != i {
				return nil, fmt.Errorf("schema %s: columns %s and %s share the spelling %q", s.ID(), s.Columns[j].Name, c.Name, spelling)
			}
			s.index[key] = i
		}
	}
	for _, r := range s.Ratios {
		column, known := s.index[Normalise(r.Column)]
		over, too := s.index[Normalise(r.Over)]
		if !known || !too {
			return nil, fmt.Errorf("schema %s: ratio of columns %s and %s, which it does not have", s.ID(), r.Column, r.Over)
		}
		s.ratios = append(s.ratios, Input{Name: r.Column + "/" + r.Over, Column: column, Category: -1, Over: over + 1})
	}
	return &s, nil
}

// ID is name and version, as models state it: "cicflow/v4".
func (s *Schema) ID() string { return s.Name + "/" + s.Version }

// Index finds a column by any of its spellings.
func (s *Schema) Index(spelling string) (int, bool) {
	i, ok := s.index[Normalise(spelling)]
	return i, ok
}

// IsLabel reports whether spelling names the label's column.
func (s *Schema) IsLabel(spelling string) bool {
	key := Normalise(spelling)
	return slices.ContainsFunc(s.Label, func(l string) bool { return Normalise(l) == key })
}

// Normalise makes spellings comparable: lower case, every run of other characters than letters and digits one underscore.
func Normalise(spelling string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(spelling) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Ratio names two columns of numbers, the first to be divided by the second. Ratios of a flow stay alike where its size and
// the speed of its network differ, so what is learned of them carries over to networks that training did not see.
type Ratio struct{ Column, Over string }

// Input is one number that a model takes: a column, the indicator of one category of a column, or a ratio of two.
type Input struct {
	Name     string // "src_bytes", "service=http", "idle_max/flow_duration"
	Column   int    // index in Schema.Columns
	Category int    // index in Column.Categories; -1 for a plain number
	Over     int    // of a ratio, the index of the column below the line, counted from 1; else 0
}

// DerivedInputs lists the ratios that a model of this schema may take besides Inputs.
func (s *Schema) DerivedInputs() []Input { return slices.Clone(s.ratios) }

// Inputs lists what a model of this schema may take, in schema order: categories one-hot, text and clocks left out, and
// identity columns too unless asked for.
func (s *Schema) Inputs(identity bool) []Input {
	var in []Input
	for i, c := range s.Columns {
		switch {
		case c.Kind == Text || c.Kind == Time || c.Identity && !identity:
		case c.Kind == Category:
			for j, cat := range c.Categories {
				in = append(in, Input{Name: c.Name + "=" + cat, Column: i, Category: j})
			}
		default:
			in = append(in, Input{Name: c.Name, Column: i, Category: -1})
		}
	}
	return in
}

// Resolve finds inputs by the names that Inputs gives them, as a model's file lists them.
func (s *Schema) Resolve(names []string) ([]Input, error) {
	all := map[string]Input{}
	for _, in := range append(s.Inputs(true), s.ratios...) {
		all[in.Name] = in
	}
	out := make([]Input, len(names))
	for i, n := range names {
		in, ok := all[n]
		if !ok {
			return nil, fmt.Errorf("schema %s has no input %q", s.ID(), n)
		}
		out[i] = in
	}
	return out, nil
}
