package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mlids/client"
	"mlids/dataset"
	"mlids/feature"
)

// clientFlags say which rows are sent, and how.
type clientFlags struct {
	table    tableFlags
	url      string
	schema   string
	model    string
	category string
	random   int
	seed     uint64
	delay    time.Duration
	single   bool
	key      string
}

func (a *app) clientPredict() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "predict --url URL --data SOURCE",
		Short: "Send labelled flows to a server and compare what it says with the labels",
		Example: `  mlids client predict --url http://127.0.0.1:5000 --data flows.csv --random 100
  mlids client predict --data flows.csv --category 'DoS Hulk' --random 10 --one-by-one --delay 500ms`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runClientPredict(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	f.table.register(flags)
	flags.StringVar(&f.url, "url", "http://127.0.0.1:5000", "the server")
	flags.StringVar(&f.schema, "schema", "cicflow/common", "schema of the rows")
	flags.StringVar(&f.model, "model", "", "model to ask (default: the server's choice)")
	flags.StringVar(&f.category, "category", "", "send only rows of this label or class")
	flags.IntVar(&f.random, "random", 0, "send so many rows, chosen at random (default: all)")
	flags.Uint64Var(&f.seed, "seed", 1, "of the choice: the same seed chooses the same rows")
	flags.DurationVar(&f.delay, "delay", 0, "pause between requests")
	flags.BoolVar(&f.single, "one-by-one", false, "a request for each row (default: 1,000 rows in each)")
	flags.StringVar(&f.key, "key", "", "bearer key of the server")
	hide(flags, "key")
	return cmd
}

// clientBatch is how many rows one request has.
const clientBatch = 1000

func (a *app) runClientPredict(ctx context.Context, f *clientFlags) error {
	c, err := client.New(f.url, client.Options{Model: f.model, Key: f.key})
	if err != nil {
		return badInput(err)
	}
	rows, err := a.chooseRows(ctx, f)
	if err != nil {
		return err
	}
	for lo := 0; lo < len(rows); {
		hi := min(lo+clientBatch, len(rows))
		if f.single {
			hi = lo + 1
		}
		for hi > lo+1 && !slices.Equal(rows[hi-1].columns, rows[lo].columns) {
			hi--
		}
		if err := ask(ctx, c, rows[lo:hi]); err != nil {
			return err
		}
		if lo = hi; lo < len(rows) && f.delay > 0 {
			select {
			case <-time.After(f.delay):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return a.printComparison(rows)
}

// clientRow is a row to send, and what came back.
type clientRow struct {
	where   string
	columns []string
	values  []any
	label   string
	attack  bool // as labelled
	got     client.Verdict
}

// chooseRows reads the tables and chooses rows by label, then at random; the order of the source stays.
func (a *app) chooseRows(ctx context.Context, f *clientFlags) ([]clientRow, error) {
	var rows []clientRow
	unknown := 0
	options := dataset.Options{Inputs: []feature.Input{}, Extra: true, Text: true, NeedLabel: true}
	err := a.read(ctx, &f.table, f.schema, options, func(t *dataset.Table) error {
		classes := dataset.ClassesOf(t.Schema)
		for i := range t.Len() {
			label := t.Labels[t.Label[i]]
			class, ok := classes.Of(label)
			if !ok {
				unknown++
			}
			if !ok || f.category != "" && !strings.EqualFold(f.category, label) && !strings.EqualFold(f.category, classes.Names[class]) {
				continue
			}
			row := clientRow{where: t.Where(i), label: label, attack: class > 0}
			row.columns, row.values = rowOf(t, i)
			rows = append(rows, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if unknown > 0 {
		a.log.Warn("rows are left out whose label has no class", "rows", unknown)
	}
	if len(rows) == 0 {
		return nil, badInput(fmt.Errorf("no rows to send: none has the label or class %q", f.category))
	}
	if f.random > 0 && f.random < len(rows) {
		order := rand.New(rand.NewPCG(f.seed, 0)).Perm(len(rows))[:f.random]
		slices.Sort(order)
		chosen := make([]clientRow, len(order))
		for i, k := range order {
			chosen[i] = rows[k]
		}
		rows = chosen
	}
	return rows, nil
}

// rowOf are the columns of a row that a table has, its text where it kept it.
func rowOf(t *dataset.Table, i int) (columns []string, values []any) {
	for c, column := range t.Schema.Columns {
		switch {
		case t.Text != nil && t.Text[c] != nil:
			columns, values = append(columns, column.Name), append(values, t.Text[c][i])
		case t.Has(c):
			columns, values = append(columns, column.Name), append(values, t.Columns[c][i])
		}
	}
	return columns, values
}

// ask sends rows of the same columns in one request.
func ask(ctx context.Context, c *client.Client, rows []clientRow) error {
	values := make([][]any, len(rows))
	for i := range rows {
		values[i] = rows[i].values
	}
	verdicts, err := c.Predict(ctx, rows[0].columns, values)
	if err != nil {
		var status *client.StatusError
		if errors.As(err, &status) && status.Status == http.StatusBadRequest {
			return badInput(err)
		}
		return err
	}
	for i, v := range verdicts {
		rows[i].got = v
	}
	return nil
}

// labelCount is how often the rows of a label were judged right.
type labelCount struct {
	Label    string  `json:"label"`
	Rows     int     `json:"rows"`
	Right    int     `json:"right"`
	Accuracy float64 `json:"accuracy"`
}

// wrongRow is a row whose verdict is not what its label says.
type wrongRow struct {
	Where       string  `json:"row"`
	Label       string  `json:"label"`
	Prediction  int     `json:"prediction"`
	Class       string  `json:"class"`
	Probability float64 `json:"probability"`
}

// compare counts by label, in the order of the alphabet, and lists the wrong ones.
func compare(rows []clientRow) (total labelCount, labels []labelCount, wrong []wrongRow) {
	counts := map[string]*labelCount{}
	for _, r := range rows {
		c := counts[r.label]
		if c == nil {
			c = &labelCount{Label: r.label}
			counts[r.label] = c
		}
		c.Rows++
		total.Rows++
		if (r.got.Prediction == 1) == r.attack {
			c.Right++
			total.Right++
			continue
		}
		wrong = append(wrong, wrongRow{r.where, r.label, r.got.Prediction, r.got.Class, r.got.Probability})
	}
	total.Accuracy = float64(total.Right) / float64(total.Rows)
	for _, name := range sortedKeys(counts) {
		c := counts[name]
		c.Accuracy = float64(c.Right) / float64(c.Rows)
		labels = append(labels, *c)
	}
	return total, labels, wrong
}

// shownWrong is how many wrong rows a terminal gets; JSON has all.
const shownWrong = 20

func (a *app) printComparison(rows []clientRow) error {
	total, labels, wrong := compare(rows)
	if a.json() {
		return a.printJSON(struct {
			Rows     int          `json:"rows"`
			Right    int          `json:"right"`
			Accuracy float64      `json:"accuracy"`
			Labels   []labelCount `json:"labels"`
			Wrong    []wrongRow   `json:"wrong"`
		}{total.Rows, total.Right, total.Accuracy, labels, append([]wrongRow{}, wrong...)})
	}
	err := table(a.out, func(row func(...any)) {
		row("label", "rows", "right", "accuracy")
		for _, l := range append(labels, labelCount{"all", total.Rows, total.Right, total.Accuracy}) {
			row(l.Label, l.Rows, l.Right, fmt.Sprintf("%.2f%%", 100*l.Accuracy))
		}
		if len(wrong) > 0 {
			row()
			row("wrong", "label", "said", "probability")
		}
		for _, w := range wrong[:min(len(wrong), shownWrong)] {
			row(w.Where, w.Label, w.Class, fmt.Sprintf("%.4f", w.Probability))
		}
	})
	if more := len(wrong) - shownWrong; more > 0 {
		fmt.Fprintf(a.err, "%d more wrong rows: -o json lists them\n", more)
	}
	return err
}
