package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"mlids/learn"
	"mlids/learn/metric"
	"mlids/learn/train"
	"mlids/model"
	"mlids/model/registry"
)

// companionFlag makes a verb ask anomaly companions.
func companionFlag(flags *pflag.FlagSet, fpr *float64) {
	flags.Float64Var(fpr, "anomaly-fpr", 0, "also call benign rows an anomaly that are unlike any seen in training, at this share of false alarms (default: off)")
}

// companionFile is where the companion of a model's file is: M.anomaly.onnx beside M.onnx.
func companionFile(path string) string {
	ext := filepath.Ext(path)
	return model.CompanionName(strings.TrimSuffix(path, ext)) + ext
}

// writeModels writes what was trained.
func (a *app) writeModels(path string, r *train.Result, rows int) error {
	files := map[string]*model.Model{path: r.Model}
	if r.Companion != nil {
		files[companionFile(path)] = r.Companion.Model
	}
	for _, file := range sortedKeys(files) {
		m := files[file]
		if err := os.WriteFile(file, m.Encode(), 0o644); err != nil { //nolint:gosec // a model is no secret
			return err
		}
		a.log.Info("model written", "file", file, "version", m.Info().Version, "inputs", m.Inputs(), "rows", rows)
	}
	return nil
}

// isFile tells a model's file from a name in the registry.
func isFile(name string) bool {
	return filepath.Base(name) != name || filepath.Ext(name) != "" && !model.IsCompanion(name)
}

// judgeNamed finds a model as modelNamed does, with its companion when fpr is not 0.
func (a *app) judgeNamed(name string, fpr float64) (*model.Judge, error) {
	m, err := a.modelNamed(name)
	if err != nil {
		return nil, err
	}
	judge := model.NewJudge(m)
	if fpr == 0 {
		return judge, nil
	}
	var companion *model.Model
	if isFile(name) {
		companion, err = loadCompanion(name)
	} else {
		var r *registry.Registry
		if r, err = a.registry(); err == nil {
			companion, _ = r.Lookup(model.CompanionName(name))
		}
	}
	if err != nil {
		return nil, err
	}
	if companion == nil {
		return nil, noCompanion(name)
	}
	judge, err = judge.WithCompanion(companion, fpr)
	return judge, badInput(err)
}

// loadCompanion reads the companion beside a model's file; nil when there is none.
func loadCompanion(path string) (*model.Model, error) {
	m, err := model.Load(companionFile(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return m, badInput(err)
}

func noCompanion(name string) error {
	if isFile(name) {
		return badInput(fmt.Errorf("--anomaly-fpr: model %s has no anomaly companion: there is no %s; mlids train --anomaly writes both",
			name, companionFile(name)))
	}
	return badInput(fmt.Errorf("--anomaly-fpr: model %s has no anomaly companion: there is no model %s; make both by mlids train --anomaly, "+
		"then mlids models import both files", name, model.CompanionName(name)))
}

// addCompanions adds the companions of model files to a registry, and refuses to serve without those that --anomaly-fpr
// needs: of the files, or of the active models when there are none.
func addCompanions(r *registry.Registry, files []string, fpr float64) error {
	if fpr == 0 {
		return nil
	}
	for _, f := range files {
		companion, err := loadCompanion(f)
		if err != nil {
			return err
		}
		if companion == nil {
			return noCompanion(f)
		}
		if err := r.Add(registry.File, companion); err != nil {
			return badInput(err)
		}
	}
	for _, e := range r.List() {
		needed := len(files) == 0 && e.Active || e.Origin == registry.File
		if model.IsCompanion(e.Name) || !needed {
			continue
		}
		companion, ok := r.Lookup(model.CompanionName(e.Name))
		if !ok {
			return noCompanion(e.Name)
		}
		if _, err := model.NewJudge(e.Model).WithCompanion(companion, fpr); err != nil {
			return badInput(err)
		}
	}
	return nil
}

// companionRow is what train prints of a companion.
type companionRow struct {
	Budgets []model.Budget  `json:"budgets"`
	Unseen  []learn.Unseen  `json:"unseen_types,omitempty"`
	Either  []metric.Budget `json:"classifier_or_companion,omitempty"`
}

func companionFigures(c *train.Companion) *companionRow {
	if c == nil {
		return nil
	}
	return &companionRow{c.Model.Info().Budgets, c.Unseen, c.Either}
}

// printCompanion tells what the companion makes of the types held out.
func (a *app) printCompanion(c *train.Companion) error {
	fmt.Fprintln(a.out)
	return table(a.out, func(row func(...any)) {
		row("unseen type", "rows", "anomaly recall", "FPR", "ROC AUC", "with the classifier", "FPR")
		for i, u := range c.Unseen {
			e := c.Either[i]
			row(u.Type, u.Weight, percent(u.Budget.Recall), percent(u.Budget.FPR), fmt.Sprintf("%.4f", u.ROCAUC), percent(e.Recall), percent(e.FPR))
		}
	})
}
