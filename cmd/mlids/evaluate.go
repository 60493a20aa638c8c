package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mlids/dataset"
	"mlids/learn"
	"mlids/learn/metric"
	"mlids/model"
	"mlids/report"
)

func (a *app) evaluate() *cobra.Command {
	var t tableFlags
	var name, cost, page string
	var options metric.Options
	cmd := &cobra.Command{
		Use:   "evaluate --model NAME|FILE.onnx --data SOURCE",
		Short: "Measure a model on labelled tables",
		Example: `  mlids evaluate --model kdd99 --data corrected.gz --cost kdd99
  mlids evaluate --model flows.onnx --data wednesday.csv -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if t := options.Threshold; cmd.Flags().Changed("threshold") && !(t > 0 && t <= 1) {
				return badInput(fmt.Errorf("--threshold %v: want a probability above 0, at most 1", t))
			}
			m, err := a.modelNamed(name)
			if err != nil {
				return err
			}
			if options.Cost, err = readCost(cost); err != nil {
				return err
			}
			if options.Cost != nil {
				options.Cost.Benign = m.Info().CostBenign
			}
			set, err := a.readFor(cmd, m, &t)
			if err != nil {
				return err
			}
			options.Points = 400
			if options.Threshold == 0 {
				options.Threshold = m.Info().Threshold
			}
			scored, err := learn.Score(m, set)
			if err != nil {
				return badInput(err)
			}
			e, err := metric.Evaluate(scored, options)
			if err != nil {
				return badInput(err)
			}
			if page != "" {
				r := &report.ModelReport{Info: m.Info(), Protocol: "on " + strings.Join(t.sources, ", "), Evaluation: e}
				if err := writePage(page, func(w io.Writer) error { return report.WriteModel(w, r) }); err != nil {
					return err
				}
			}
			return a.printEvaluation(e)
		},
	}
	flags := cmd.Flags()
	t.register(flags)
	flags.StringVar(&name, "model", "cicflow", "model to measure: its name, or a file")
	flags.StringVar(&cost, "cost", "", "cost matrix: kdd99, or a CSV file (rows actual, columns predicted)")
	flags.StringVar(&page, "report", "", "page about the figures to write (HTML)")
	flags.Float64Var(&options.Threshold, "threshold", 0, "attack probability to flag from (default: the model's)")
	flags.BoolVar(&options.Natural, "natural-priors", false, "the shares of the classes in the data are those of a real network")
	return cmd
}

// readFor reads labelled tables as a model wants them. Every row counts: duplicates only become weights.
func (a *app) readFor(cmd *cobra.Command, m *model.Model, t *tableFlags) (*dataset.Set, error) {
	inputs, err := inputsOf(m)
	if err != nil {
		return nil, err
	}
	classes, err := a.classes(t, m.Info().Schema)
	if err != nil {
		return nil, err
	}
	var sets []*dataset.Set
	err = a.read(cmd.Context(), t, m.Info().Schema, dataset.Options{Inputs: inputs, NeedLabel: true}, func(table *dataset.Table) error {
		set, err := table.Merge().Set(inputs, classes)
		sets = append(sets, set)
		return badInput(err)
	})
	if err != nil {
		return nil, err
	}
	set, err := dataset.Concat(sets...)
	return set, badInput(err)
}
