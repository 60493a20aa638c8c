package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mlids/dataset"
	"mlids/feature"
	"mlids/report"
)

// inspectFlags are the flags of inspect.
type inspectFlags struct {
	table   tableFlags
	schema  string
	against string
	page    string
	seed    uint64
}

func (a *app) inspect() *cobra.Command {
	f := &inspectFlags{}
	cmd := &cobra.Command{
		Use:   "inspect --data SOURCE --report PAGE.html",
		Short: "Look at a table before learning from it: balance, duplicates, leaks, what tells the classes apart, drift",
		Example: `  mlids inspect --data kddcup.data_10_percent.gz --schema kdd99 --report kdd.html
  mlids inspect --data monday.csv --against friday.csv --schema cicflow -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runInspect(cmd, f) },
	}
	flags := cmd.Flags()
	f.table.register(flags)
	flags.StringVar(&f.schema, "schema", "cicflow", "schema of the table: kdd99, cicflow (its version is found by the header), cicflow/v4, cicflow/2018, cicflow/common")
	flags.StringVar(&f.against, "against", "", "second table of the same schema: how do its rows differ?")
	flags.StringVar(&f.page, "report", "", "file to write the page to (HTML, nothing else needed to read it)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the sample that correlations are measured on")
	return cmd
}

func (a *app) runInspect(cmd *cobra.Command, f *inspectFlags) error {
	if len(f.table.sources) > 1 {
		return badInput(errors.New("--data is given more than once: inspect looks at one table, and compares it with another by --against"))
	}
	t, err := a.inspected(cmd, f, f.table.sources)
	if err != nil {
		return err
	}
	o := report.Options{Seed: f.seed}
	if o.Classes, err = a.classes(&f.table, t.Schema.ID()); err != nil {
		return err
	}
	if f.against != "" {
		if o.Against, err = a.inspected(cmd, f, []string{f.against}); err != nil {
			return err
		}
	}
	progress := a.bar("inspect", "columns")
	o.Progress = func(done, of int) { progress.at(int64(done), int64(of)) }
	r, err := report.Inspect(cmd.Context(), t, o)
	progress.finish()
	if err != nil {
		return err
	}
	if f.page != "" {
		if err := writePage(f.page, func(w io.Writer) error { return report.WriteData(w, r) }); err != nil {
			return err
		}
		a.log.Info("report written", "file", f.page)
	}
	return a.printInspection(r)
}

// inspected reads a table with all its columns.
func (a *app) inspected(cmd *cobra.Command, f *inspectFlags, sources []string) (*dataset.Table, error) {
	catalogue, err := feature.Schemas()
	if err != nil {
		return nil, err
	}
	var found *dataset.Table
	flags := tableFlags{sources: sources, label: f.table.label, classes: f.table.classes}
	o := dataset.Options{Extra: true, Text: true, Inputs: []feature.Input{}, Choose: dataset.Dialect(catalogue, f.schema)}
	err = a.read(cmd.Context(), &flags, f.schema, o, func(t *dataset.Table) error {
		found = t
		return nil
	})
	return found, err
}

func (a *app) printInspection(r *report.DataReport) error {
	if a.json() {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.out, "%s: %d rows, %d columns, schema %s\n", r.Source, r.Rows, len(r.Columns), r.Schema)
	for _, f := range r.Findings {
		fmt.Fprintf(a.out, "\n%s: %s\n", f.Level, f.Text)
		if f.Do != "" {
			fmt.Fprintf(a.out, "    %s\n", f.Do)
		}
	}
	return nil
}

// writePage writes a page that is there as a whole or not at all.
func writePage(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".mlids-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}
