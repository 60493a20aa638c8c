package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"mlids/dataset"
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
	flags.StringArrayVar(&t.sources, "data", nil, "table to read: .csv, .csv.gz, .json (Pandas split), .parquet or - (repeat for several)")
	flags.StringVar(&t.label, "label", "", "name of the label's column (default: the schema's)")
	flags.StringVar(&t.classes, "classes", "", "CSV file attack,class (default: the schema's own table)")
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
	for _, source := range t.sources {
		progress := a.bar("read "+source, "B")
		o.Progress = func(p dataset.Progress) { progress.at(p.Bytes, p.Total) }
		table, err := dataset.Open(ctx, source, s, o)
		progress.finish()
		if err != nil {
			return badInput(err)
		}
		a.log.Debug("table read", "source", source, "rows", table.Len(), "schema", table.Schema.ID())
		if err := use(table); err != nil {
			return err
		}
	}
	return nil
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
