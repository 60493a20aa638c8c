package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"mlids/dataset"
	"mlids/dataset/influx"
	"mlids/feature"
	"mlids/model"
)

// tableFlags say where a table comes from and what its label is.
type tableFlags struct {
	sources []string
	label   string
	classes string
}

func (t *tableFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&t.sources, "data", nil, "table to read: .csv, .csv.gz, .json (Pandas split), .parquet, - or influxdb://host:port/database?measurement=M (repeat for several)")
	flags.StringVar(&t.label, "label", "", "name of the label's column (default: the schema's)")
	flags.StringVar(&t.classes, "classes", "", "CSV file attack,class, or binary for benign against attack (default: the schema's own table)")
}

// read opens the tables one after the other and hands each to use.
func (a *app) read(ctx context.Context, t *tableFlags, schema string, o dataset.Options, use func(*dataset.Table) error) error {
	if len(t.sources) == 0 {
		return badInput(errors.New("--data is missing: name a table"))
	}
	catalogue, err := feature.Schemas()
	if err != nil {
		return err
	}
	s, err := catalogue.Find(schema)
	if err != nil {
		return badInput(err)
	}
	o.Label, o.Log, o.Stdin = t.label, a.log, a.in
	for i, source := range t.sources {
		table, err := a.open(ctx, source, s, o)
		if err != nil {
			return readError(ctx, err)
		}
		if influx.Is(source) { // reports and models name their sources, and must not show a password
			t.sources[i] = table.Source
		}
		a.log.Debug("table read", "source", table.Source, "rows", table.Len(), "schema", table.Schema.ID())
		if err := use(table); err != nil {
			return err
		}
	}
	return nil
}

// open reads one table: a file's, or a database's.
func (a *app) open(ctx context.Context, source string, s *feature.Schema, o dataset.Options) (*dataset.Table, error) {
	if influx.Is(source) {
		return a.openInflux(ctx, source, s, o)
	}
	progress := a.bar("read "+source, "B")
	defer progress.finish()
	o.Progress = func(p dataset.Progress) { progress.at(p.Bytes, p.Total) }
	return dataset.Open(ctx, source, s, o)
}

func (a *app) openInflux(ctx context.Context, source string, s *feature.Schema, o dataset.Options) (*dataset.Table, error) {
	client, err := a.influx(source)
	if err != nil {
		return nil, err
	}
	progress := a.bar("read "+client.Addr().Title(), "rows")
	defer progress.finish()
	o.Progress = func(p dataset.Progress) { progress.at(int64(p.Rows), int64(p.Of)) }
	return client.Read(ctx, s, o)
}

// influx makes a client for an address.
func (a *app) influx(address string) (*influx.Client, error) {
	parsed, err := influx.Parse(address, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	return influx.New(parsed, influx.Deps{Log: a.log})
}

// readError gives tables and addresses that cannot be read the exit code of bad input; a server that fails is none.
func readError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, failed := range []error{influx.ErrLost, influx.ErrServer, influx.ErrAccess} {
		if errors.Is(err, failed) {
			return err
		}
	}
	return badInput(err)
}

// inputsOf finds the inputs that a model asks for in its schema.
func inputsOf(m *model.Model) ([]feature.Input, error) {
	catalogue, err := feature.Schemas()
	if err != nil {
		return nil, err
	}
	info := m.Info()
	s, err := catalogue.Find(info.Schema)
	if err != nil {
		return nil, badInput(fmt.Errorf("model %s: %w", info.Name, err))
	}
	inputs, err := s.Resolve(info.Inputs)
	if err != nil {
		return nil, badInput(fmt.Errorf("model %s: %w", info.Name, err))
	}
	return inputs, nil
}

// visitChanged calls each with every flag that was given, each element of a list by itself.
func visitChanged(each func(name, value string)) func(*pflag.Flag) {
	return func(f *pflag.Flag) {
		if !f.Changed {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				each(f.Name, v)
			}
			return
		}
		each(f.Name, f.Value.String())
	}
}
