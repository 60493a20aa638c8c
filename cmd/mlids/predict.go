package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"mlids"
	"mlids/dataset"
	"mlids/feature"
	"mlids/model"
)

// predictBatch is how many rows are classified and printed at a time.
const predictBatch = 4096

// verdictRow is the verdict of one row, with the names of the API.
type verdictRow struct {
	Row         int                  `json:"row"` // counted from 1
	Prediction  int                  `json:"prediction"`
	Class       string               `json:"class"`
	Probability float64              `json:"probability"`
	Threshold   float64              `json:"threshold"`
	Label       string               `json:"label,omitempty"` // what the table says
	Why         []model.Contribution `json:"explanation,omitempty"`
}

func (a *app) predict() *cobra.Command {
	var t tableFlags
	var name string
	var explain int
	var anomalyFPR float64
	cmd := &cobra.Command{
		Use:   "predict --data SOURCE [--model NAME|FILE.onnx]",
		Short: "Classify the rows of a table",
		Example: `  mlids predict --data flows.csv
  mlids predict --model kdd99 --data kddcup.data_10_percent.gz -o json
  mlids predict --data flows.csv --explain=3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			judge, err := a.judgeNamed(name, anomalyFPR)
			if err != nil {
				return err
			}
			inputs, err := inputsOf(judge.Model())
			if err != nil {
				return err
			}
			printer := a.verdictPrinter()
			err = a.read(cmd.Context(), &t, judge.Model().Info().Schema, dataset.Options{Inputs: inputs}, func(table *dataset.Table) error {
				return predictTable(judge, table, inputs, explain, printer.print)
			})
			if err != nil {
				return err
			}
			return printer.close()
		},
	}
	t.register(cmd.Flags())
	cmd.Flags().StringVar(&name, "model", "cicflow", "model to ask: its name, or a file")
	companionFlag(cmd.Flags(), &anomalyFPR)
	cmd.Flags().IntVar(&explain, "explain", 0, "say which inputs led to each verdict, at most so many (alone: 5)")
	cmd.Flags().Lookup("explain").NoOptDefVal = "5"
	return cmd
}

// predictTable classifies a table in batches and hands each verdict to each.
func predictTable(judge *model.Judge, table *dataset.Table, inputs []feature.Input, causes int, each func(verdictRow) error) error {
	var rows []float32
	var err error
	scores := make([]float32, predictBatch*judge.Width())
	for lo := 0; lo < table.Len(); lo += predictBatch {
		hi := min(lo+predictBatch, table.Len())
		if rows, err = table.AppendRows(rows[:0], inputs, lo, hi); err != nil {
			return err
		}
		batch := scores[:(hi-lo)*judge.Width()]
		if err := judge.Scores(batch, rows); err != nil {
			return err
		}
		for i := lo; i < hi; i++ {
			v := judge.Verdict(batch, i-lo)
			row := verdictRow{Row: i + 1, Class: v.Class, Probability: v.Probability, Threshold: v.Threshold}
			if v.Attack {
				row.Prediction = 1
			}
			if table.Label != nil {
				row.Label = table.Labels[table.Label[i]]
			}
			if causes > 0 {
				if row.Why, err = explain(judge, v, rows[(i-lo)*len(inputs):][:len(inputs)], causes); err != nil {
					return err
				}
			}
			if err := each(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// explain lists the inputs that mattered most for the verdict on a row.
func explain(judge *model.Judge, v mlids.Verdict, row []float32, most int) ([]model.Contribution, error) {
	why, err := judge.Explain(row, v)
	if err != nil {
		return nil, err
	}
	first := why.Contributions[:min(most, len(why.Contributions))]
	return slices.DeleteFunc(first, func(c model.Contribution) bool { return c.Contribution == 0 }), nil
}

// verdictPrinter prints verdicts as they come: a JSON array, or a line each with a summary on stderr.
type verdictPrinter struct {
	app    *app
	out    *bufio.Writer
	rows   int
	counts map[string]int
}

func (a *app) verdictPrinter() *verdictPrinter {
	p := &verdictPrinter{app: a, out: bufio.NewWriterSize(a.out, 1<<16), counts: map[string]int{}}
	if a.json() {
		p.out.WriteByte('[')
	}
	return p
}

func (p *verdictPrinter) print(v verdictRow) error {
	p.rows++
	p.counts[v.Class]++
	if !p.app.json() {
		_, err := fmt.Fprintf(p.out, "%d\t%d\t%s\t%.4f\t%s\n", v.Row, v.Prediction, v.Class, v.Probability, v.Label)
		for _, c := range v.Why {
			fmt.Fprintf(p.out, "\t%+8.3f  %s = %v%s\n", c.Contribution, c.Input, c.Value, quantile(c.Quantile))
		}
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if p.rows > 1 {
		p.out.WriteByte(',')
	}
	p.out.WriteByte('\n')
	_, err = p.out.Write(text)
	return err
}

// quantile says how unusual a value was in the training data.
func quantile(q float64) string {
	if q < 0 {
		return ""
	}
	return fmt.Sprintf("  (above %.0f%% of the training rows)", 100*q)
}

func (p *verdictPrinter) close() error {
	if p.app.json() {
		p.out.WriteString("\n]\n")
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	if !p.app.json() {
		for _, class := range sortedKeys(p.counts) {
			fmt.Fprintf(p.app.err, "%s: %d of %d rows\n", class, p.counts[class], p.rows)
		}
	}
	return nil
}
