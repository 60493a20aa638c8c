package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mlids/dataset"
	"mlids/dataset/influx"
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
		Short: "Copy a table: .csv, .csv.gz, .json (Pandas split) or .parquet, told by the name's ending, or InfluxDB",
		Example: `  mlids data copy --from flows.csv --to flows.parquet --schema cicflow/v4
  mlids data copy --from kddcup.data_10_percent.gz --to 'influxdb://localhost:8086/kdd?measurement=traffic' --schema kdd99
  mlids data copy --from 'influxdb://localhost:8086/kdd?measurement=traffic&limit=1000' --to kdd.csv --schema kdd99`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" || to == "" {
				return badInput(errors.New("want --from and --to: a table to read, and where to write it"))
			}
			write, err := a.copier(cmd.Context(), to)
			if err != nil {
				return badInput(err)
			}
			t.sources = []string{from}
			everything := dataset.Options{Inputs: []feature.Input{}, Extra: true, Text: true}
			return a.read(cmd.Context(), &t, schema, everything, write)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "table to read; - for stdin; influxdb://host:port/database?measurement=M")
	flags.StringVar(&to, "to", "", "file to write; - for CSV on stdout; influxdb://host:port/database?measurement=M")
	flags.StringVar(&schema, "schema", "cicflow", "schema of the table: kdd99, cicflow/v4, cicflow/2018, cicflow/common")
	flags.StringVar(&t.label, "label", "", "name of the label's column (default: the schema's)")
	return cmd
}

// copier chooses how a table is written.
func (a *app) copier(ctx context.Context, to string) (func(*dataset.Table) error, error) {
	if influx.Is(to) {
		client, err := a.influx(to)
		if err != nil {
			return nil, err
		}
		return func(t *dataset.Table) error { return a.writeInflux(ctx, client, t) }, nil
	}
	write, err := tableWriter(to)
	return func(t *dataset.Table) error {
		if err := a.writeTable(to, t, write); err != nil {
			return err
		}
		a.log.Info("table copied", "to", to, "rows", t.Len())
		return nil
	}, err
}

// writeInflux writes a table to a database and says what is there now.
func (a *app) writeInflux(ctx context.Context, client *influx.Client, t *dataset.Table) error {
	progress := a.bar("write "+client.Addr().Title(), "rows")
	written, err := client.Write(ctx, t, func(done, of int) { progress.at(int64(done), int64(of)) })
	progress.finish()
	if err != nil {
		return readError(ctx, err)
	}
	a.log.Info("table copied", "to", client.Addr().Title(), "rows", written.Rows, "server_counts", written.Counted)
	return nil
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
	return nil, fmt.Errorf("--to %q: want a name that ends in .csv, .csv.gz, .json or .parquet, or influxdb://", to)
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
