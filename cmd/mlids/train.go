package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mlids/dataset"
	"mlids/feature"
	"mlids/learn/holdout"
	"mlids/learn/metric"
	"mlids/learn/tree"
	"mlids/model"
)

// trainFlags are the flags of train.
type trainFlags struct {
	table     tableFlags
	schema    string
	algorithm string
	out       string
	name      string
	cost      string
	boost     tree.Boost
	tree      tree.Config
	holdout   holdout.Config
	info      model.Info
}

func (a *app) train() *cobra.Command {
	f := &trainFlags{boost: tree.DefaultBoost(), tree: tree.DefaultTree(), holdout: holdout.Config{Valid: 0.1}}
	cmd := &cobra.Command{
		Use:   "train --data SOURCE --schema S --out M.onnx",
		Short: "Train a model on labelled tables and measure it on rows that it did not see",
		Example: `  mlids train --data kddcup.data_10_percent.gz --schema kdd99 --out kdd.onnx
  mlids train --data monday.csv --data tuesday.csv --schema cicflow/v4 --fpr 0.01 --out flows.onnx`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runTrain(cmd, f) },
	}
	flags := cmd.Flags()
	f.table.register(flags)
	flags.StringVar(&f.schema, "schema", "cicflow", "schema of the tables: kdd99, cicflow/v4, cicflow/2018, cicflow/common")
	flags.StringVar(&f.algorithm, "algorithm", "boost", "what to train: tree or boost")
	flags.StringVar(&f.out, "out", "", "file to write the model to (ONNX)")
	flags.StringVar(&f.name, "name", "", "name of the model (default: the file's)")
	flags.StringVar(&f.cost, "cost", "", "cost matrix for the figures: kdd99, or a CSV file")
	flags.Uint64Var(&f.holdout.Seed, "seed", 1, "seed of splits and samples: same data, flags and seed, same file")
	flags.Float64Var(&f.holdout.Held, "held", 0.2, "share of the rows that the figures are measured on")
	flags.Float64Var(&f.holdout.FPR, "fpr", 0, "choose the threshold for at most this share of false alarms among benign rows (default: threshold 0.5)")
	flags.BoolVar(&f.info.Natural, "natural-priors", false, "the shares of the classes in the data are those of a real network")
	flags.IntVar(&f.boost.Trees, "trees", f.boost.Trees, "boost: rounds at most")
	flags.IntVar(&f.boost.Leaves, "leaves", f.boost.Leaves, "boost: leaves of each tree at most")
	flags.Float64Var(&f.boost.LearningRate, "learning-rate", f.boost.LearningRate, "boost: share of each step that is taken")
	flags.Float64Var(&f.boost.L2, "l2", f.boost.L2, "boost: L2 regularisation of leaf values")
	flags.Float64Var(&f.boost.MinChild, "min-child-weight", f.boost.MinChild, "boost: least sum of hessians in a leaf")
	flags.Float64Var(&f.boost.Columns, "column-share", f.boost.Columns, "boost: share of the inputs that each tree may use")
	flags.Float64Var(&f.boost.Rows, "row-share", f.boost.Rows, "boost: share of the rows that each round sees")
	flags.IntVar(&f.boost.Patience, "patience", f.boost.Patience, "boost: stop after this many rounds without a better validation loss; 0: never")
	flags.IntVar(&f.tree.Depth, "depth", f.tree.Depth, "tree: depth at most")
	return cmd
}

func (a *app) runTrain(cmd *cobra.Command, f *trainFlags) error {
	if f.out == "" {
		return badInput(errors.New("--out is missing: name the file to write the model to"))
	}
	learner, err := a.learner(f)
	if err != nil {
		return err
	}
	cost, err := readCost(f.cost)
	if err != nil {
		return err
	}
	set, schema, err := a.readSet(cmd, f)
	if err != nil {
		return err
	}
	if f.name == "" {
		f.name = strings.TrimSuffix(filepath.Base(f.out), filepath.Ext(f.out))
	}
	f.info.Name, f.info.Schema, f.info.Rebuild = f.name, schema, rebuildCommand(cmd)
	f.holdout.Cost = cost
	result, err := holdout.Train(cmd.Context(), learner, set, f.info, f.holdout)
	if err != nil {
		return trainError(err)
	}
	if err := os.WriteFile(f.out, result.Model.Encode(), 0o644); err != nil {
		return err
	}
	a.log.Info("model written", "file", f.out, "version", result.Model.Info().Version, "inputs", len(set.Inputs), "rows", set.Len())
	return a.printEvaluation(result.Evaluation)
}

// trainError gives data and settings that cannot be used the exit code of bad input.
func trainError(err error) error {
	for _, bad := range []error{holdout.ErrData, tree.ErrConfig, dataset.ErrSplit, metric.ErrCost} {
		if errors.Is(err, bad) {
			return badInput(err)
		}
	}
	return err
}

func (a *app) learner(f *trainFlags) (holdout.Learner, error) {
	switch f.algorithm {
	case "boost":
		f.boost.Seed = f.holdout.Seed
		progress := a.bar("train", "trees")
		f.boost.Progress = func(r tree.Round) { progress.at(int64(r.Done), int64(r.Of)) }
		return holdout.Boost{Boost: f.boost}, badInput(f.boost.Check())
	case "tree":
		return holdout.Tree{Config: f.tree}, badInput(f.tree.Check())
	}
	return nil, badInput(fmt.Errorf("--algorithm %q: known are tree and boost", f.algorithm))
}

// readSet reads the labelled tables as one set without duplicates, and says which schema they have.
func (a *app) readSet(cmd *cobra.Command, f *trainFlags) (*dataset.Set, string, error) {
	classes, err := a.classes(&f.table, f.schema)
	if err != nil {
		return nil, "", err
	}
	var tables []*dataset.Table
	err = a.read(cmd.Context(), &f.table, f.schema, dataset.Options{NeedLabel: true}, func(t *dataset.Table) error {
		tables = append(tables, t.Merge())
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	inputs := tables[0].Schema.Inputs(false)
	inputs = slices.DeleteFunc(inputs, func(in feature.Input) bool {
		return slices.ContainsFunc(tables, func(t *dataset.Table) bool { return !t.Has(in.Column) })
	})
	sets := make([]*dataset.Set, len(tables))
	for i, t := range tables {
		if sets[i], err = t.Set(inputs, classes); err != nil {
			return nil, "", badInput(err)
		}
	}
	set, err := dataset.Concat(sets...)
	if err != nil {
		return nil, "", badInput(err)
	}
	return set.Merge(), tables[0].Schema.ID(), nil
}

// classes is the table of classes: a file's, or the schema's own.
func (a *app) classes(t *tableFlags, schema string) (*dataset.Classes, error) {
	if t.classes != "" {
		file, err := os.Open(t.classes)
		if err != nil {
			return nil, badInput(err)
		}
		defer file.Close()
		c, err := dataset.ReadClasses(file, t.classes)
		return c, badInput(err)
	}
	catalogue, err := feature.Schemas()
	if err != nil {
		return nil, err
	}
	s, err := catalogue.Find(schema)
	if err != nil {
		return nil, badInput(err)
	}
	return dataset.ClassesOf(s), nil
}

// readCost reads a cost matrix: the name of a built-in one, or a file; none for "".
func readCost(source string) (*metric.Cost, error) {
	switch source {
	case "":
		return nil, nil
	case "kdd99":
		c := metric.KDD99Cost()
		return &c, nil
	}
	f, err := os.Open(source)
	if err != nil {
		return nil, badInput(err)
	}
	defer f.Close()
	c, err := metric.ReadCost(io.LimitReader(f, 1<<20))
	return &c, badInput(err)
}

// rebuildCommand is the command line that makes the same file again, files by their base names.
func rebuildCommand(cmd *cobra.Command) string {
	parts := []string{"mlids", "train"}
	cmd.LocalFlags().VisitAll(visitChanged(func(name, value string) {
		if name == "data" || name == "out" || name == "classes" {
			value = filepath.Base(value)
		}
		parts = append(parts, "--"+name+"="+value)
	}))
	return strings.Join(parts, " ")
}

func (a *app) printEvaluation(e *metric.Evaluation) error {
	if a.json() {
		return a.printJSON(e)
	}
	return e.WriteTable(a.out)
}
