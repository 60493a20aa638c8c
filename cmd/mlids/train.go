package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mlids/dataset"
	"mlids/feature"
	"mlids/learn"
	"mlids/learn/anomaly"
	"mlids/learn/metric"
	"mlids/learn/train"
	"mlids/learn/tree"
	"mlids/model"
	"mlids/report"
)

// trainFlags are the flags of train.
type trainFlags struct {
	table     tableFlags
	schema    string
	algorithm string
	selection string
	weights   string
	out       string
	name      string
	cost      string
	report    string
	anomaly   bool
	ratios    bool
	boost     tree.Boost
	tree      tree.Config
	auto      learn.AutoConfig
	train     train.Config
	info      model.Info
	sagemaker container
}

func (a *app) train() *cobra.Command {
	f := &trainFlags{boost: tree.DefaultBoost(), tree: tree.DefaultTree(), auto: learn.DefaultAuto()}
	cmd := &cobra.Command{
		Use:   "train --data SOURCE --schema S --out M.onnx",
		Short: "Train a model on labelled tables and measure it on rows that it did not see",
		Example: `  mlids train --data kddcup.data_10_percent.gz --schema kdd99 --out kdd.onnx
  mlids train --data monday.csv --data tuesday.csv --schema cicflow/v4 --fpr 0.01 --out flows.onnx
  mlids train --data flows.parquet --algorithm auto --budget 10m --hold-out-type each --out flows.onnx`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.sagemaker.trains() {
				return f.sagemaker.train(a, cmd, f)
			}
			return a.runTrain(cmd, f)
		},
	}
	flags := cmd.Flags()
	f.table.register(flags)
	f.sagemaker.register(flags)
	flags.StringVar(&f.schema, "schema", "cicflow", "schema of the tables: kdd99, cicflow/v4, cicflow/2018, cicflow/common")
	flags.StringVar(&f.algorithm, "algorithm", "boost", "what to train: "+strings.Join(learn.Algorithms(), ", ")+", or auto to compare them")
	flags.StringVar(&f.out, "out", "", "file to write the model to (ONNX)")
	flags.StringVar(&f.name, "name", "", "name of the model (default: the file's)")
	flags.StringVar(&f.cost, "cost", "", "cost matrix for the figures: kdd99, or a CSV file")
	flags.StringVar(&f.report, "report", "", "page about the model to write (HTML)")
	flags.StringVar(&f.weights, "class-weight", "", "how often a row of a class counts in training: r2l=5,u2r=20, or balanced (default: once)")
	flags.BoolVar(&f.ratios, "ratios", true, "also learn from ratios of columns, which carry over to other networks (schemas cicflow/…)")
	flags.StringVar(&f.selection, "select", "", "use only so many inputs, or auto for as few as do as well (default: all)")
	flags.Uint64Var(&f.train.Seed, "seed", 1, "seed of folds and samples: same data, flags and seed, same file")
	flags.IntVar(&f.train.Folds, "folds", 5, "folds of the cross-validation that the figures come from")
	flags.Float64Var(&f.train.Valid, "valid", 0.1, "boost and mlp: share of the rows by which they stop early; 0: never")
	flags.Float64Var(&f.train.FPR, "fpr", 0, "choose the threshold for at most this share of false alarms among benign rows (default: threshold 0.5)")
	flags.StringArrayVar(&f.train.HoldOut, "hold-out-type", nil, "also measure on this attack type by a model that never saw it (repeat, or each for all)")
	flags.BoolVar(&f.info.Natural, "natural-priors", false, "the shares of the classes in the data are those of a real network")
	flags.BoolVar(&f.anomaly, "anomaly", false, "also fit an anomaly companion (a linear autoencoder) and write it beside the model as M.anomaly.onnx")
	flags.DurationVar(&f.auto.Budget, "budget", f.auto.Budget, "auto: time for comparing")
	flags.StringVar(&f.auto.Metric, "metric", f.auto.Metric, "auto: what to choose by: "+strings.Join(learn.Metrics(), ", "))
	flags.IntVar(&f.boost.Trees, "trees", f.boost.Trees, "boost: rounds at most")
	flags.IntVar(&f.boost.Leaves, "leaves", f.boost.Leaves, "boost: leaves of each tree at most")
	flags.Float64Var(&f.boost.LearningRate, "learning-rate", f.boost.LearningRate, "boost: share of each step that is taken")
	flags.Float64Var(&f.boost.L2, "l2", f.boost.L2, "boost: L2 regularisation of leaf values")
	flags.Float64Var(&f.boost.MinChild, "min-child-weight", f.boost.MinChild, "boost: least sum of hessians in a leaf")
	flags.Float64Var(&f.boost.Columns, "column-share", f.boost.Columns, "boost: share of the inputs that each tree may use; 0: half of them for two classes, else all")
	flags.Float64Var(&f.boost.Rows, "row-share", f.boost.Rows, "boost: share of the rows that each round sees")
	flags.IntVar(&f.boost.Patience, "patience", f.boost.Patience, "boost: stop after this many rounds without a better validation loss; 0: never")
	flags.IntVar(&f.tree.Depth, "depth", f.tree.Depth, "tree: depth at most")
	return cmd
}

func (a *app) runTrain(cmd *cobra.Command, f *trainFlags) error {
	if f.out == "" {
		return badInput(errors.New("--out is missing: name the file to write the model to"))
	}
	if err := ownFlags(cmd.Flags(), f.algorithm); err != nil {
		return badInput(err)
	}
	if err := a.configureTraining(f); err != nil {
		return badInput(err)
	}
	var err error
	if f.train.Cost, err = readCost(f.cost); err != nil {
		return err
	}
	f.auto.Cost = f.train.Cost
	set, schema, err := a.readSet(cmd, f)
	if err != nil {
		return err
	}
	if f.name == "" {
		f.name = strings.TrimSuffix(filepath.Base(f.out), filepath.Ext(f.out))
	}
	f.info.Name, f.info.Schema, f.info.Rebuild = f.name, schema, rebuildCommand(cmd)
	result, err := train.Run(cmd.Context(), set, f.info, f.train)
	if err != nil {
		return trainError(err)
	}
	if err := a.writeModels(f.out, result, set.Len()); err != nil {
		return err
	}
	if f.report != "" {
		sheet := report.DataSheet{Rows: weight(set), Distinct: set.Len()}
		for _, source := range f.table.sources {
			sheet.Sources = append(sheet.Sources, filepath.Base(source))
		}
		page, err := modelReport(result, set, sheet, f.train.Folds)
		if err != nil {
			return err
		}
		if err := writePage(f.report, func(w io.Writer) error { return report.WriteModel(w, page) }); err != nil {
			return err
		}
	}
	return a.printTraining(result)
}

// ownFlags refuses flags of other algorithms: they would do nothing.
func ownFlags(flags *pflag.FlagSet, algorithm string) error {
	for _, of := range []struct {
		algorithms []string
		flags      []string
	}{
		{[]string{"boost"}, []string{"trees", "leaves", "learning-rate", "l2", "min-child-weight", "column-share", "row-share", "patience"}},
		{[]string{"boost", "mlp"}, []string{"valid"}},
		{[]string{"tree"}, []string{"depth"}},
		{[]string{"auto"}, []string{"budget", "metric"}},
	} {
		for _, name := range of.flags {
			if flags.Changed(name) && !slices.Contains(of.algorithms, algorithm) {
				return fmt.Errorf("--%s goes with --algorithm %s, not with %s", name, strings.Join(of.algorithms, " or "), algorithm)
			}
		}
	}
	return nil
}

// modelReport is what a training run tells of its model.
func modelReport(r *train.Result, set *dataset.Set, sheet report.DataSheet, folds int) (*report.ModelReport, error) {
	importance := r.Fitted.Importance()
	if importance == nil {
		seen, err := set.Select(r.Model.Info().Inputs)
		if err != nil {
			return nil, err
		}
		if importance, err = report.Importance(r.Model, seen); err != nil {
			return nil, err
		}
	}
	return &report.ModelReport{
		Info: r.Model.Info(), Data: sheet, Protocol: fmt.Sprintf("out of fold, %d folds, equal rows together", folds), Evaluation: r.Evaluation,
		Comparison: r.Comparison, Selection: r.Selection, Unseen: r.Unseen, Importance: importance, Curve: r.Curve,
		Settings: r.Fitted.Settings,
	}, nil
}

// weight is how many rows a set stands for.
func weight(set *dataset.Set) int {
	sum := 0.0
	for _, w := range set.Weight {
		sum += float64(w)
	}
	return int(sum)
}

// trainError gives data and settings that cannot be used the exit code of bad input.
func trainError(err error) error {
	for _, bad := range []error{
		train.ErrData, tree.ErrConfig, dataset.ErrSplit, metric.ErrCost, learn.ErrNoRows, learn.ErrOneClass, learn.ErrShape,
		learn.ErrBudget, learn.ErrMetric, learn.ErrSelect, learn.ErrType, learn.ErrWeight,
	} {
		if errors.Is(err, bad) {
			return badInput(err)
		}
	}
	return err
}

// configureTraining makes the learner, or what Auto is to compare.
func (a *app) configureTraining(f *trainFlags) error {
	switch f.selection {
	case "":
	case "auto":
		f.train.Inputs = -1
	default:
		n, err := strconv.Atoi(f.selection)
		if err != nil || n < 1 {
			return fmt.Errorf("--select %q: want a number of inputs, or auto", f.selection)
		}
		f.train.Inputs = n
	}
	if err := f.classWeights(); err != nil {
		return err
	}
	progress := a.bar("train", "steps")
	f.train.Options = learn.Options{Seed: f.train.Seed, Progress: func(p learn.Progress) { progress.at(int64(p.Done), int64(p.Of)) }}
	if f.anomaly {
		f.train.Companion = learn.Autoencoder{Config: anomaly.DefaultLinear()}
	}
	var err error
	switch f.algorithm {
	case "auto":
		f.auto.Options, f.auto.Folds, f.auto.FPR = f.train.Options, f.train.Folds, cmp.Or(f.train.FPR, f.auto.FPR)
		f.auto.Report = func(c learn.Candidate, t learn.Trial) {
			if t.Skipped != "" {
				a.log.Info("left out", "candidate", c.Name, "why", t.Skipped)
				return
			}
			a.log.Info("compared", "candidate", c.Name, f.auto.Metric, t.Value, "seconds", t.Seconds)
		}
		f.train.Auto = &f.auto
	case "boost":
		f.train.Learner, err = learn.Boost{Config: f.boost, Options: f.train.Options}, f.boost.Check()
	case "tree":
		f.train.Learner, err = learn.Tree{Config: f.tree, Options: f.train.Options}, f.tree.Check()
	default:
		f.train.Learner, err = learn.New(f.algorithm, f.train.Options)
	}
	return err
}

// classWeights reads --class-weight.
func (f *trainFlags) classWeights() error {
	switch {
	case f.weights == "":
		return nil
	case f.algorithm == "auto":
		return errors.New("--class-weight goes with one algorithm, not with auto")
	case f.weights == "balanced":
		f.train.Classes.Balanced = true
		return nil
	}
	f.train.Classes.ByClass = map[string]float64{}
	for part := range strings.SplitSeq(f.weights, ",") {
		name, text, _ := strings.Cut(part, "=")
		w, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("--class-weight %q: want CLASS=NUMBER,… or balanced", part)
		}
		f.train.Classes.ByClass[name] = w
	}
	return nil
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
	if f.ratios {
		inputs = append(inputs, tables[0].Schema.DerivedInputs()...)
	}
	inputs = slices.DeleteFunc(inputs, func(in feature.Input) bool {
		return slices.ContainsFunc(tables, func(t *dataset.Table) bool { return !t.Has(in.Column) || in.Over > 0 && !t.Has(in.Over-1) })
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

// binaryClasses as --classes stands for benign against attack, whatever classes the schema has.
const binaryClasses = "binary"

// classes is the table of classes: a file's, of two classes, or the schema's own.
func (a *app) classes(t *tableFlags, schema string) (*dataset.Classes, error) {
	if t.classes == binaryClasses {
		return dataset.BenignOrAttack(), nil
	}
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
	c, err := metric.ReadCost(f)
	return &c, badInput(err)
}

// rebuildCommand is the command line that makes the same file again. The same rows give the same model wherever they are
// kept, so sources are only counted; the fingerprint says which rows they were.
func rebuildCommand(cmd *cobra.Command) string {
	parts := []string{"mlids", "train"}
	cmd.LocalFlags().VisitAll(visitChanged(func(name, value string) {
		switch name {
		case "report":
			return
		case "data":
			value = "SOURCE"
		case "out", "classes":
			value = filepath.Base(value)
		}
		parts = append(parts, "--"+name+"="+value)
	}))
	return strings.Join(parts, " ")
}

// printTraining prints the figures, then what was compared and held out.
func (a *app) printTraining(r *train.Result) error {
	if a.json() {
		return a.printJSON(struct {
			*metric.Evaluation
			Comparison *learn.Comparison `json:"comparison,omitempty"`
			Selection  *learn.Selection  `json:"selection,omitempty"`
			Unseen     []learn.Unseen    `json:"unseen_types,omitempty"`
			Companion  *companionRow     `json:"companion,omitempty"`
		}{r.Evaluation, r.Comparison, r.Selection, r.Unseen, companionFigures(r.Companion)})
	}
	if c := r.Comparison; c != nil {
		fmt.Fprintf(a.out, "kept %s: %s\n\n", c.Trials[c.Best].Name, c.Reason)
	}
	if s := r.Selection; s != nil {
		fmt.Fprintf(a.out, "selected %d inputs: %s\n\n", len(s.Inputs), strings.Join(s.Inputs, ", "))
	}
	if err := r.Evaluation.WriteTable(a.out); err != nil || len(r.Unseen) == 0 {
		return err
	}
	fmt.Fprintln(a.out)
	err := table(a.out, func(row func(...any)) {
		title, cost := "", func(learn.Unseen) string { return "" }
		if r.Evaluation.Cost != nil {
			title, cost = "cost per row", func(u learn.Unseen) string { return fmt.Sprintf("%.3f", u.Cost) }
		}
		row("unseen type", "class", "rows", "recall", "FPR", "ROC AUC", "class right", title)
		for _, u := range r.Unseen {
			row(u.Type, u.Class, u.Weight, percent(u.Budget.Recall), percent(u.Budget.FPR), fmt.Sprintf("%.4f", u.ROCAUC), percent(u.Correct), cost(u))
		}
	})
	if err != nil || r.Companion == nil {
		return err
	}
	return a.printCompanion(r.Companion)
}

func percent(share float64) string { return fmt.Sprintf("%.4g%%", 100*share) }

func (a *app) printEvaluation(e *metric.Evaluation) error {
	if a.json() {
		return a.printJSON(e)
	}
	return e.WriteTable(a.out)
}
