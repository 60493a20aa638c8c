package model

import (
	"slices"

	"mlids/model/internal/simd"
)

// forestEngine is a checked forest ready to run, by vector instructions where trees and processor allow.
type forestEngine struct {
	*flat
	vector *vector
}

func (f *Forest) compile() engine { return f.compileFor(simd.Detect()) }

func (f *Forest) compileFor(level simd.Level) *forestEngine {
	r := f.rounded()
	c := r.flatten()
	return &forestEngine{flat: c, vector: r.vectorise(c, level)}
}

func (e *forestEngine) margins(dst []float64, rows []float32, s *scratch) error {
	if e.vector != nil {
		e.vector.margins(dst, rows, s)
	} else {
		e.flat.margins(dst, rows, s)
	}
	return nil
}

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
