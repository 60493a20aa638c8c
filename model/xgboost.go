package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// xgboostFile is the part of XGBoost's JSON that tells what a model predicts.
type xgboostFile struct {
	Learner struct {
		FeatureNames []string `json:"feature_names"`
		Param        struct {
			BaseScore string `json:"base_score"`
			Features  string `json:"num_feature"`
			Classes   string `json:"num_class"`
		} `json:"learner_model_param"`
		Objective struct {
			Name string `json:"name"`
		} `json:"objective"`
		Booster struct {
			Name  string `json:"name"`
			Model struct {
				Info  []int32      `json:"tree_info"`
				Trees xgboostTrees `json:"trees"`
			} `json:"model"`
		} `json:"gradient_booster"`
	} `json:"learner"`
}

type xgboostTree struct {
	Left      []int32   `json:"left_children"`
	Right     []int32   `json:"right_children"`
	Feature   []int32   `json:"split_indices"`
	Condition []float64 `json:"split_conditions"`
	Default   []flag    `json:"default_left"`
	Type      []int     `json:"split_type"`
	Cover     []float64 `json:"sum_hessian"`
}

// xgboostTrees are read one by one: a tree of two letters would take a hundred bytes.
type xgboostTrees []xgboostTree

// UnmarshalJSON reads an array of trees; one without nodes is an error.
func (t *xgboostTrees) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return errors.New("trees are no array")
	}
	for d.More() {
		var tree xgboostTree
		if err := d.Decode(&tree); err != nil {
			return err
		}
		if len(tree.Left) == 0 {
			return fmt.Errorf("tree %d has no nodes", len(*t))
		}
		*t = append(*t, tree)
	}
	return nil
}

// flag is a truth value that older files spell as one and newer ones as a number.
type flag bool

// UnmarshalJSON reads true, false, 1 and 0.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true", "1":
		*f = true
	case "false", "0":
		*f = false
	default:
		return fmt.Errorf("%.20q is no truth value", b)
	}
	return nil
}

// readXGBoost reads the JSON that XGBoost's save_model writes, of boosted trees with logistic or softmax objectives.
// Categorical splits, dropped-out trees and vector leaves are refused.
func readXGBoost(b []byte) (*Model, error) {
	var file xgboostFile
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("XGBoost model: %w", err)
	}
	l := &file.Learner
	f, err := file.forest()
	if err != nil {
		return nil, fmt.Errorf("XGBoost model: %w", err)
	}
	if len(l.Booster.Model.Info) != len(l.Booster.Model.Trees) {
		return nil, fmt.Errorf("XGBoost model: tree_info of %d trees, there are %d", len(l.Booster.Model.Info), len(l.Booster.Model.Trees))
	}
	for i := range l.Booster.Model.Trees {
		t, err := l.Booster.Model.Trees[i].tree()
		if err != nil {
			return nil, fmt.Errorf("XGBoost model, tree %d: %w", i, err)
		}
		t.Output = l.Booster.Model.Info[i]
		if t.Output < 0 {
			return nil, fmt.Errorf("XGBoost model, tree %d: tree_info %d", i, t.Output)
		}
		f.Trees = append(f.Trees, t)
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("XGBoost model: %w", err)
	}
	info := Info{Inputs: l.FeatureNames}
	info.describe([]graphInput{{width: f.Inputs, alone: true}}, nil, classes(f.Outputs, f.Link))
	return assemble(info, f)
}

// forest is what the header says of the trees.
func (x *xgboostFile) forest() (*Forest, error) {
	l := &x.Learner
	if l.Booster.Name != "gbtree" {
		return nil, fmt.Errorf("booster %q is not supported, wanted gbtree", l.Booster.Name)
	}
	features, err := strconv.Atoi(l.Param.Features)
	if err != nil {
		return nil, fmt.Errorf("num_feature: %w", err)
	}
	f := &Forest{Inputs: features, Outputs: 1, Link: Logistic}
	switch l.Objective.Name {
	case "binary:logistic", "binary:logitraw":
	case "multi:softprob", "multi:softmax":
		f.Link = Softmax
		if f.Outputs, err = strconv.Atoi(l.Param.Classes); err != nil || f.Outputs < 2 || f.Outputs > MaxClasses {
			return nil, fmt.Errorf("num_class %q, wanted 2 to %d", l.Param.Classes, MaxClasses)
		}
	default:
		return nil, fmt.Errorf("objective %q is not supported, wanted binary:logistic or multi:softprob", l.Objective.Name)
	}
	return f, f.setBase(l.Param.BaseScore, l.Objective.Name == "binary:logistic")
}

// setBase reads base_score, a number or a list of one per output; of a probability its log-odds count.
func (f *Forest) setBase(text string, probability bool) error {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("[], ", r) })
	if len(words) != 1 && len(words) != f.Outputs {
		return fmt.Errorf("base_score %q, wanted one number or %d", text, f.Outputs)
	}
	f.Base = make([]float64, f.Outputs)
	for i := range f.Base {
		v, err := strconv.ParseFloat(words[min(i, len(words)-1)], 64)
		if err != nil {
			return fmt.Errorf("base_score: %w", err)
		}
		if f.Base[i] = v; probability {
			f.Base[i] = math.Log(v / (1 - v))
		}
	}
	return nil
}

// tree renumbers the nodes from the root, since files keep those that pruning deleted. Rows go left below the condition.
func (x *xgboostTree) tree() (Tree, error) {
	n := len(x.Left)
	if n == 0 || len(x.Right) != n || len(x.Feature) != n || len(x.Condition) != n || len(x.Default) != n {
		return Tree{}, fmt.Errorf("columns of %d, %d, %d, %d and %d nodes", n, len(x.Right), len(x.Feature), len(x.Condition), len(x.Default))
	}
	t := Tree{Nodes: []Node{{}}}
	from := []int32{0} // the file's number of each node
	for i := 0; i < len(from); i++ {
		at := from[i]
		if at < 0 || int(at) >= n {
			return t, fmt.Errorf("node %d of %d", at, n)
		}
		if len(t.Nodes) > n {
			return t, errors.New("a node has two ways to it: a loop or a shared branch")
		}
		node := Node{Feature: x.Feature[at], Threshold: below(float32(x.Condition[at])), MissingLeft: bool(x.Default[at])}
		if int(at) < len(x.Cover) {
			node.Cover = x.Cover[at]
		}
		if x.Left[at] < 0 {
			node.Feature, node.Left = -1, int32(len(t.Values))
			t.Values = append(t.Values, x.Condition[at])
		} else {
			if int(at) < len(x.Type) && x.Type[at] != 0 {
				return t, fmt.Errorf("node %d: categorical splits are not supported: one-hot the column before training", at)
			}
			if node.Feature < 0 {
				return t, fmt.Errorf("node %d: input %d", at, node.Feature)
			}
			node.Left, node.Right = int32(len(t.Nodes)), int32(len(t.Nodes)+1)
			t.Nodes = append(t.Nodes, Node{}, Node{})
			from = append(from, x.Left[at], x.Right[at])
		}
		t.Nodes[i] = node
	}
	return t, nil
}
