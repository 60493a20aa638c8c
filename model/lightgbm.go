package model

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// readLightGBM reads the text that LightGBM's save_model writes: lines of key=value, a header, then one block per tree.
// Categorical splits and linear leaves are refused.
func readLightGBM(b []byte) (*Model, error) {
	text := &lightText{rest: b}
	f, info, err := text.header()
	if err != nil {
		return nil, fmt.Errorf("LightGBM model, line %d: %w", text.line, err)
	}
	for text.more {
		if len(f.Trees) > MaxNodes {
			return nil, fmt.Errorf("LightGBM model: more than %d trees", MaxNodes)
		}
		t, err := text.tree(int32(len(f.Trees) % f.Outputs))
		if err != nil {
			return nil, fmt.Errorf("LightGBM model, tree %d, before line %d: %w", len(f.Trees), text.line, err)
		}
		f.Trees = append(f.Trees, t)
	}
	f.multiply(text.factor(len(f.Trees) / f.Outputs))
	if err := f.check(); err != nil {
		return nil, err
	}
	info.describe(nil, nil, classes(f.Outputs, f.Link))
	return assemble(info, f)
}

// lightText walks through the lines of a model.
type lightText struct {
	rest    []byte
	line    int
	block   map[string]string // the keys of the block that was read last
	more    bool              // a tree follows
	average bool
	sigmoid float64
}

// maxKeys is more keys than a block has; those beyond are not kept.
const maxKeys = 256

// next reads a block up to the next tree or the end of trees.
func (t *lightText) next() {
	t.block, t.more = map[string]string{}, false
	for len(t.rest) > 0 {
		var line []byte
		line, t.rest, _ = bytes.Cut(t.rest, []byte("\n"))
		t.line++
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		switch key {
		case "Tree":
			t.more = true
			return
		case "end of trees":
			return
		}
		if len(t.block) < maxKeys {
			t.block[key] = value
		}
	}
}

func (t *lightText) header() (*Forest, Info, error) {
	t.next()
	h := t.block
	var info Info
	if v := h["version"]; v != "v3" && v != "v4" {
		return nil, info, fmt.Errorf("version %q, wanted v3 or v4", v)
	}
	_, t.average = h["average_output"]
	last, err := strconv.Atoi(h["max_feature_idx"])
	if err != nil || last < 0 || last >= MaxInputs {
		return nil, info, fmt.Errorf("max_feature_idx %q, wanted 0 to %d", h["max_feature_idx"], MaxInputs-1)
	}
	per, err := strconv.Atoi(h["num_tree_per_iteration"])
	if err != nil || per < 1 || per > MaxClasses {
		return nil, info, fmt.Errorf("num_tree_per_iteration %q, wanted 1 to %d", h["num_tree_per_iteration"], MaxClasses)
	}
	info.Inputs = strings.Fields(h["feature_names"])
	f := &Forest{Inputs: last + 1, Outputs: per, Base: make([]float64, per)}
	f.Link, err = t.objective(h["objective"])
	return f, info, err
}

// objective is the link of a model, and the factor of its scores.
func (t *lightText) objective(text string) (Link, error) {
	words := strings.Fields(text)
	t.sigmoid = 1
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, "sigmoid:"); ok {
			var err error
			if t.sigmoid, err = strconv.ParseFloat(v, 64); err != nil {
				return 0, fmt.Errorf("objective %q: %w", text, err)
			}
		}
	}
	switch {
	case len(words) == 0:
	case words[0] == "binary" || words[0] == "cross_entropy":
		return Logistic, nil
	case words[0] == "multiclass":
		return Softmax, nil
	}
	return 0, fmt.Errorf("objective %q is not supported, wanted binary, cross_entropy or multiclass", text)
}

// factor is what leaf values are multiplied by.
func (t *lightText) factor(rounds int) float64 {
	if t.average && rounds > 0 {
		return t.sigmoid / float64(rounds)
	}
	return t.sigmoid
}

func (f *Forest) multiply(by float64) {
	for i := range f.Trees {
		for j := range f.Trees[i].Values {
			f.Trees[i].Values[j] *= by
		}
	}
}

// tree reads one block: inner nodes come first in the columns, and a negative child is a leaf.
func (t *lightText) tree(output int32) (Tree, error) {
	t.next()
	leaves, err := strconv.Atoi(t.block["num_leaves"])
	if err != nil || leaves < 1 || leaves > MaxNodes {
		return Tree{}, fmt.Errorf("num_leaves %q", t.block["num_leaves"])
	}
	if c := t.block["num_cat"]; c != "" && c != "0" {
		return Tree{}, fmt.Errorf("%s categorical splits are not supported: one-hot the column before training", c)
	}
	if l := t.block["is_linear"]; l != "" && l != "0" {
		return Tree{}, errors.New("linear leaves are not supported")
	}
	tree := Tree{Output: output}
	if tree.Values, err = t.floats("leaf_value", leaves); err != nil {
		return tree, err
	}
	inner := leaves - 1
	tree.Nodes = make([]Node, inner+leaves)
	for i := range leaves {
		tree.Nodes[inner+i] = Node{Feature: -1, Left: int32(i)}
	}
	if inner == 0 {
		return tree, nil
	}
	if err := t.branches(&tree, inner); err != nil {
		return tree, err
	}
	return tree, t.cover(&tree, inner)
}

func (t *lightText) branches(tree *Tree, inner int) error {
	columns := map[string][]float64{}
	for _, name := range []string{"split_feature", "threshold", "decision_type", "left_child", "right_child"} {
		var err error
		if columns[name], err = t.floats(name, inner); err != nil {
			return err
		}
	}
	for i := range inner {
		n := &tree.Nodes[i]
		n.Feature, n.Threshold = whole(columns["split_feature"][i]), atMost(columns["threshold"][i])
		n.Left, n.Right = child(columns["left_child"][i], inner), child(columns["right_child"][i], inner)
		left, err := missingLeft(int(whole(columns["decision_type"][i])), columns["threshold"][i])
		if err != nil {
			return fmt.Errorf("split %d: %w", i, err)
		}
		n.MissingLeft = left
		if n.Feature < 0 {
			return fmt.Errorf("split %d: input %d", i, n.Feature)
		}
	}
	return nil
}

// cover reads how many rows passed each node, when the file tells.
func (t *lightText) cover(tree *Tree, inner int) error {
	if t.block["leaf_count"] == "" || t.block["internal_count"] == "" {
		return nil
	}
	leaves, err := t.floats("leaf_count", inner+1)
	if err != nil {
		return err
	}
	splits, err := t.floats("internal_count", inner)
	for i, c := range append(splits, leaves...) {
		tree.Nodes[i].Cover = c
	}
	return err
}

// missingLeft reads decision_type: bit 1 is the default direction, bits 2 and 3 what counts as missing (nothing, zero,
// NaN). Where NaN does not, it counts as zero.
func missingLeft(decision int, threshold float64) (bool, error) {
	zeroLeft, defaultLeft := 0 <= threshold, decision&2 != 0
	switch kind := decision >> 2 & 3; {
	case decision&1 != 0:
		return false, errors.New("categorical splits are not supported: one-hot the column before training")
	case kind == 0:
		return zeroLeft, nil
	case kind == 1 && zeroLeft != defaultLeft:
		return false, fmt.Errorf("zero counts as missing and goes against the threshold %v: not supported", threshold)
	}
	return defaultLeft, nil
}

// whole is a number of the file as a whole one; what is none becomes one that no check lets pass.
func whole(v float64) int32 {
	if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
		return math.MinInt32
	}
	return int32(v)
}

// child is the place of a child: leaves, written as -1-leaf, stand behind the inner nodes.
func child(v float64, inner int) int32 {
	c := whole(v)
	if c >= 0 && int(c) < inner {
		return c
	}
	if c < 0 && c > -MaxNodes {
		return int32(inner) - 1 - c
	}
	return -1
}

// atMost is the largest float32 that is not above v: comparing a float32 with either is the same.
func atMost(v float64) float32 {
	f := float32(v)
	if float64(f) > v {
		f = below(f)
	}
	return f
}

// floats reads a list of n numbers.
func (t *lightText) floats(key string, n int) ([]float64, error) {
	words := strings.Fields(t.block[key])
	if len(words) != n {
		return nil, fmt.Errorf("%s: %d numbers, wanted %d", key, len(words), n)
	}
	out := make([]float64, n)
	for i, w := range words {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		out[i] = v
	}
	return out, nil
}
