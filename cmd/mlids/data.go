package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mlids/dataset"
	"mlids/feature"
)

func (a *app) data() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "Move tables between formats",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.dataCopy())
	return cmd
}

func (a *app) dataCopy() *cobra.Command {
	var t tableFlags
	var from, to, schema string
	cmd := &cobra.Command{
		Use:   "copy --from SOURCE --to SOURCE",
		Short: "Copy a table: .csv, .csv.gz, .json (Pandas split) or .parquet, told by the name's ending",
		Example: `  mlids data copy --from flows.csv --to flows.parquet --schema cicflow/v4
  mlids data copy --from kddcup.data_10_percent.gz --to kdd.csv --schema kdd99`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, err := tableWriter(to)
			if err != nil {
				return badInput(err)
			}
			t.sources = []string{from}
			return a.read(cmd.Context(), &t, schema, dataset.Options{Inputs: []feature.Input{}, Extra: true, Text: true}, func(table *dataset.Table) error {
				if err := a.writeTable(to, table, write); err != nil {
					return err
				}
				a.log.Info("table copied", "to", to, "rows", table.Len())
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "table to read; - for stdin")
	flags.StringVar(&to, "to", "", "file to write; - for CSV on stdout")
	flags.StringVar(&schema, "schema", "cicflow", "schema of the table: kdd99, cicflow/v4, cicflow/2018, cicflow/common")
	flags.StringVar(&t.label, "label", "", "name of the label's column (default: the schema's)")
	return cmd
}

// tableWriter chooses the format by a name's ending.
func tableWriter(to string) (func(io.Writer, *dataset.Table) error, error) {
	switch {
	case to == "-" || strings.HasSuffix(to, ".csv") || strings.HasSuffix(to, ".csv.gz"):
		return dataset.WriteCSV, nil
	case strings.HasSuffix(to, ".json"):
		return dataset.WriteSplit, nil
	case strings.HasSuffix(to, ".parquet"):
		return dataset.WriteParquet, nil
	}
	return nil, fmt.Errorf("--to %q: want a name that ends in .csv, .csv.gz, .json or .parquet", to)
}

// writeTable writes to stdout, or a file that is there as a whole or not at all.
func (a *app) writeTable(to string, t *dataset.Table, write func(io.Writer, *dataset.Table) error) error {
	if to == "-" {
		return write(a.out, t)
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".mlids-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	var w io.Writer = f
	var zip *gzip.Writer
	if strings.HasSuffix(to, ".gz") {
		zip = gzip.NewWriter(f)
		w = zip
	}
	err = write(w, t)
	if zip != nil {
		err = errors.Join(err, zip.Close())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return os.Rename(f.Name(), to)
}
