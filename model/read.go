package model

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mlids/model/internal/onnx"
)

// Load reads a model's file. A model that has no name gets the file's. Errors are those of Read, or of the file system.
func Load(path string) (*Model, error) {
	f, err := os.Open(path) //nolint:gosec // the caller says which file
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if m.info.Name == "" {
		m.info.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	return m, nil
}

// Read reads a model's file: ONNX as Encode writes it or another tool exported it, LightGBM's text (v3, v4) or XGBoost's
// JSON. Whatever is wrong with it is ErrInvalid, and told.
func Read(b []byte) (*Model, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes or more, at most %d are accepted", ErrInvalid, len(b), MaxFile)
	}
	m, err := read(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m.sign(bytes.Clone(b))
	return m, nil
}

func read(b []byte) (*Model, error) {
	switch {
	case bytes.HasPrefix(b, []byte("tree\n")) || bytes.HasPrefix(b, []byte("tree\r\n")):
		return readLightGBM(b)
	case bytes.HasPrefix(bytes.TrimLeft(b[:min(len(b), 64)], " \t\r\n"), []byte("{")):
		return readXGBoost(b)
	}
	file, err := onnx.Parse(b)
	if err != nil {
		return nil, err
	}
	info, err := readInfo(file.Metadata)
	if err != nil {
		return nil, err
	}
	if file.Producer != producer {
		return readForeign(file, info)
	}
	m, err := readOwn(b, file, info)
	if err == nil {
		return m, nil
	}
	m, foreign := readForeign(file, info) // of another version, or changed: the graph counts
	if foreign != nil {
		return nil, errors.Join(err, foreign)
	}
	return m, nil
}

// readOwn reads a file that encode wrote: the predictor is taken from the nodes before the margins, and the file is ours
// when writing it again, with its own metadata, gives the same bytes. So nothing in the graph can say other than what the
// model does.
func readOwn(b []byte, file *onnx.Model, info Info) (*Model, error) {
	p, err := decode(&file.Graph)
	if err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	m, err := assemble(info, p)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(write(file.Metadata, m.info, p), b) {
		return nil, errors.New("the graph is not what its predictor is written as")
	}
	return m, nil
}

// decode takes the predictor out of a graph that encode wrote.
func decode(g *onnx.Graph) (Predictor, error) {
	link, err := decodeLink(g)
	if err != nil {
		return nil, err
	}
	if len(g.Nodes) > 0 && g.Nodes[0].Op == "TreeEnsembleRegressor" {
		return decodeForest(g, link)
	}
	return decodeNetwork(g, link)
}

// decodeLink tells the link by the operators that follow the margins.
func decodeLink(g *onnx.Graph) (Link, error) {
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if len(n.Inputs) == 0 || n.Inputs[0] != margins {
			continue
		}
		switch n.Op {
		case "Identity":
			return Identity, nil
		case "Softmax":
			return Softmax, nil
		case "Sigmoid":
			return Logistic, nil
		case "Cast":
			return Normalised, nil
		}
	}
	return 0, errors.New("no operator makes probabilities of the margins")
}

func decodeForest(g *onnx.Graph, link Link) (*Forest, error) {
	if len(g.Inputs) != 1 || len(g.Inputs[0].Dims) != 2 {
		return nil, errors.New("wanted one input of two dimensions")
	}
	node := &g.Nodes[0]
	columns, err := parseEnsemble(node, "target")
	if err != nil {
		return nil, err
	}
	base := node.Attr("base_values")
	if base == nil || len(base.Floats) == 0 || len(base.Floats) > MaxClasses {
		return nil, errors.New("base_values: wanted one per margin")
	}
	f := &Forest{Inputs: int(g.Inputs[0].Dims[1]), Outputs: len(base.Floats), Base: widen(base.Floats), Link: link}
	f.Trees, err = columns.decode(f.Outputs)
	return f, err
}
