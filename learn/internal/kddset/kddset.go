// Package kddset gives the learners' tests the KDD Cup 1999 rows as a labelled set.
package kddset

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"mlids/dataset"
	"mlids/feature"
	"mlids/internal/testdata"
)

// Classes are those of the contest, the benign one first.
var Classes = []string{"normal", "dos", "probe", "r2l", "u2r"}

// Load reads every step-th row of the 10% file: categories one-hot, five classes, types as the file spells them.
func Load(tb testing.TB, step int) *dataset.Set {
	tb.Helper()
	return LoadWith(tb, step)
}

// LoadWith reads every step-th row and all rows of the given classes besides.
func LoadWith(tb testing.TB, step int, whole ...string) *dataset.Set {
	tb.Helper()
	classes := types(tb, testdata.Path(tb, "kdd99", "attack_types.csv"))
	rows := table(tb, testdata.Path(tb, "kdd99", "kddcup.data_10_percent.gz"), strings.Join(whole, ","), step, func(line string) bool {
		return len(whole) > 0 && slices.Contains(whole, classes[strings.TrimSuffix(line[strings.LastIndexByte(line, ',')+1:], ".")])
	})
	all, err := feature.Schemas()
	if err != nil {
		tb.Fatal(err)
	}
	schema, err := all.Find("kdd99")
	if err != nil {
		tb.Fatal(err)
	}
	s := &dataset.Set{Classes: Classes}
	for _, in := range schema.Inputs(false) {
		s.Inputs = append(s.Inputs, in.Name)
		s.X = append(s.X, column(tb, schema, in, rows))
	}
	index := map[string]int32{}
	for _, row := range rows {
		name := strings.TrimSuffix(row[41], ".")
		if _, known := index[name]; !known {
			index[name] = int32(len(s.Types))
			s.Types = append(s.Types, name)
		}
		s.Type = append(s.Type, index[name])
		s.Class = append(s.Class, int32(slices.Index(Classes, classes[name])))
		s.Weight = append(s.Weight, 1)
	}
	return s
}

// Binary is s with one class for all attacks.
func Binary(s *dataset.Set) *dataset.Set {
	b := *s
	b.Classes = []string{"benign", "attack"}
	b.Class = make([]int32, s.Len())
	for i, c := range s.Class {
		b.Class[i] = min(c, 1)
	}
	return &b
}

// Part is the rows for which keep is true.
func Part(s *dataset.Set, keep func(i int) bool) *dataset.Set {
	p := *s
	p.X, p.Class, p.Type, p.Weight = make([][]float32, len(s.X)), nil, nil, nil
	for i := range s.Class {
		if keep(i) {
			p.Class, p.Type, p.Weight = append(p.Class, s.Class[i]), append(p.Type, s.Type[i]), append(p.Weight, s.Weight[i])
		}
	}
	for j, x := range s.X {
		p.X[j] = make([]float32, 0, len(p.Class))
		for i, v := range x {
			if keep(i) {
				p.X[j] = append(p.X[j], v)
			}
		}
	}
	return &p
}

func column(tb testing.TB, s *feature.Schema, in feature.Input, rows [][]string) []float32 {
	tb.Helper()
	out := make([]float32, len(rows))
	seen := map[string]float32{}
	for i, row := range rows {
		text := row[in.Column]
		if in.Category >= 0 {
			if text == s.Columns[in.Column].Categories[in.Category] {
				out[i] = 1
			}
			continue
		}
		v, known := seen[text]
		if !known {
			f, err := strconv.ParseFloat(text, 32)
			if err != nil {
				tb.Fatal(err)
			}
			v = float32(f)
			seen[text] = v
		}
		out[i] = v
	}
	return out
}

var tables sync.Map // path and step → rows, as many tests read the same

func table(tb testing.TB, path, kept string, step int, also func(line string) bool) [][]string {
	tb.Helper()
	key := path + strconv.Itoa(step) + kept
	if rows, ok := tables.Load(key); ok {
		return rows.([][]string)
	}
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var rows [][]string
	for _, line := range lines(tb, z, step, also) {
		rows = append(rows, strings.Split(line, ","))
	}
	if step > 1 {
		tables.Store(key, rows) // all rows would keep the collector busy in benchmarks
	}
	return rows
}

func types(tb testing.TB, path string) map[string]string {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	class := map[string]string{}
	for _, line := range lines(tb, f, 1, nil) {
		name, of, _ := strings.Cut(line, ",")
		class[name] = of
	}
	return class
}

// lines are every step-th line, and those that also says.
func lines(tb testing.TB, r io.Reader, step int, also func(string) bool) []string {
	tb.Helper()
	var out []string
	s := bufio.NewScanner(r)
	for n := 0; s.Scan(); n++ {
		if n%step == 0 || also(s.Text()) {
			out = append(out, s.Text())
		}
	}
	if err := s.Err(); err != nil {
		tb.Fatal(err)
	}
	return out
}
