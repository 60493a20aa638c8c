package model

import "slices"

// forestEngine is a checked forest ready to run.
type forestEngine struct {
	*flat
}

func (f *Forest) compile() engine { return &forestEngine{flat: f.rounded().flatten()} }

// rounded is a copy with the precision of the file.
func (f *Forest) rounded() *Forest {
	r := *f
	r.Base = widen(narrow(f.Base))
	r.Trees = slices.Clone(f.Trees)
	for i := range r.Trees {
		t := &r.Trees[i]
		t.Values = widen(narrow(t.Values))
		t.Nodes = slices.Clone(t.Nodes)
		for j := range t.Nodes {
			t.Nodes[j].Cover = float64(float32(t.Nodes[j].Cover))
		}
	}
	return &r
}
