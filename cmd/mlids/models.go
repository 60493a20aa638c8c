package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"mlids/model"
	"mlids/model/registry"
	"mlids/models"
)

func (a *app) models() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List, show, import and activate models",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.modelsList(), a.modelsShow(), a.modelsImport(), a.modelsActivate())
	return cmd
}

// registry holds the built-in models, those of the data directory and the files given, later ones first asked.
func (a *app) registry(files ...string) (*registry.Registry, error) {
	r := &registry.Registry{}
	builtIn, err := models.Load()
	if err != nil {
		return nil, err
	}
	if err := r.Add(registry.Embedded, builtIn...); err != nil {
		return nil, err
	}
	if err := a.modelDir().Load(r); err != nil {
		return nil, badInput(err)
	}
	for _, f := range files {
		m, err := model.Load(f)
		if err == nil {
			err = r.Add(registry.File, m)
		}
		if err != nil {
			return nil, badInput(fmt.Errorf("model %s: %w", f, err))
		}
	}
	return r, nil
}

func (a *app) modelDir() registry.Dir { return registry.OpenDir(filepath.Join(a.dataDir, "models")) }

// modelNamed finds a model by file or by its name in the registry.
func (a *app) modelNamed(name string) (*model.Model, error) {
	if isFile(name) {
		m, err := model.Load(name)
		return m, badInput(err)
	}
	r, err := a.registry()
	if err != nil {
		return nil, err
	}
	m, ok := r.Lookup(name)
	if !ok {
		return nil, badInput(fmt.Errorf("%w %q: there are %v", registry.ErrUnknown, name, r.Names()))
	}
	return m, nil
}

// modelRow is a model in a list.
type modelRow struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	Schema    string   `json:"schema"`
	Algorithm string   `json:"algorithm"`
	Classes   []string `json:"classes"`
	Inputs    int      `json:"inputs"`
	Threshold float64  `json:"threshold"`
	Origin    string   `json:"origin"`
	Active    bool     `json:"active"`
}

func (a *app) modelsList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the models; the active one of each schema answers when none is named",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r, err := a.registry()
			if err != nil {
				return err
			}
			rows := []modelRow{}
			for _, e := range r.List() {
				i := e.Model.Info()
				rows = append(rows, modelRow{i.Name, i.Version, i.Schema, i.Algorithm, i.Classes, len(i.Inputs), i.Threshold, e.Origin, e.Active})
			}
			if a.json() {
				return a.printJSON(rows)
			}
			return table(a.out, func(row func(...any)) {
				row("NAME", "VERSION", "SCHEMA", "ALGORITHM", "CLASSES", "INPUTS", "THRESHOLD", "ORIGIN", "ACTIVE")
				for _, m := range rows {
					row(m.Name, m.Version, m.Schema, m.Algorithm, len(m.Classes), m.Inputs, m.Threshold, m.Origin, yes(m.Active))
				}
			})
		},
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func (a *app) modelsShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "Show what a model says of itself",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := a.modelNamed(args[0])
			if err != nil {
				return err
			}
			info := m.Info()
			info.Quantiles = nil // thousands of numbers that only explanations read
			if a.json() {
				return a.printJSON(info)
			}
			return table(a.out, func(row func(...any)) {
				row("name", info.Name)
				row("version", info.Version)
				row("algorithm", info.Algorithm)
				row("schema", info.Schema)
				row("classes", info.Classes)
				row("threshold", info.Threshold)
				row("priors", info.Priors)
				row("natural priors", info.Natural)
				row("inputs", len(info.Inputs))
				for _, b := range info.Budgets {
					row(fmt.Sprintf("threshold for FPR %g", b.FPR), b.Threshold)
				}
				for _, name := range sortedKeys(info.Metrics) {
					row(name, info.Metrics[name])
				}
				row("fingerprint", info.Fingerprint)
				row("rebuild", info.Rebuild)
			})
		},
	}
}

func (a *app) modelsImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE.onnx",
		Short: "Check a model and copy it into the data directory; a running server sees it within seconds",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := model.Load(args[0])
			if err == nil {
				err = a.modelDir().Import(m)
			}
			if err != nil {
				return badInput(err)
			}
			if name := m.Info().Name; model.IsCompanion(name) {
				fmt.Fprintf(a.err, "imported %s; it serves its model under --anomaly-fpr\n", name)
				return nil
			}
			fmt.Fprintf(a.err, "imported %s; mlids models activate %s makes it answer for %s\n", m.Info().Name, m.Info().Name, m.Info().Schema)
			return nil
		},
	}
}

func (a *app) modelsActivate() *cobra.Command {
	return &cobra.Command{
		Use:   "activate NAME",
		Short: "Make a model answer for its schema; a running server follows within seconds",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.registry()
			if err != nil {
				return err
			}
			if err := r.Activate(args[0]); err != nil {
				return badInput(err)
			}
			for _, e := range r.List() {
				if e.Name == args[0] {
					return a.modelDir().Activate(e.Schema, e.Name)
				}
			}
			return nil
		},
	}
}
