package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mlids/api"
	"mlids/learn"
	"mlids/learn/metric"
	"mlids/model"
)

// container is the contract between Amazon SageMaker and the containers that it starts: the argument train or serve, and
// folders below /opt/ml (docs.aws.amazon.com/sagemaker, "Use your own training algorithms", "… inference code").
type container struct {
	on   bool
	root string
}

func (c *container) register(flags *pflag.FlagSet) {
	flags.BoolVar(&c.on, "sagemaker-container", false, "run as a container of Amazon SageMaker, by its folders (default: where SageMaker's own variables are set)")
	flags.StringVar(&c.root, "sagemaker-root", "/opt/ml", "root of those folders")
}

// hosts tells whether SageMaker started this process to serve.
func (c *container) hosts() bool { return c.on || os.Getenv("SAGEMAKER_BIND_TO_PORT") != "" }

// trains tells whether SageMaker started this process to train.
func (c *container) trains() bool { return c.on || os.Getenv("TRAINING_JOB_NAME") != "" }

func (c *container) path(parts ...string) string {
	return filepath.Join(append([]string{c.root}, parts...)...)
}

// host serves the model of /opt/ml/model on the port that SageMaker asks. Nobody but SageMaker reaches it, which has looked
// at its callers' rights, so there are no keys; and nobody reads a queue inside the container, so nothing is published
// unless a way out is named.
func (c *container) host(cfg *api.Config, locks *lockFlags, out *notifyFlags) (files []string, err error) {
	files, err = filepath.Glob(c.path("model", "*.onnx"))
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f string) bool {
		return model.IsCompanion(strings.TrimSuffix(filepath.Base(f), ".onnx"))
	})
	if len(files) == 0 {
		return nil, badInput(fmt.Errorf("no model: want %s, the content of model.tar.gz", c.path("model", "model.onnx")))
	}
	hosted := files[0]
	if named := c.path("model", "model.onnx"); slices.Contains(files, named) {
		hosted = named
	} else if len(files) > 1 {
		return nil, badInput(fmt.Errorf("%d models; call the one that answers %s", len(files), named))
	}
	m, err := model.Load(hosted)
	if err != nil {
		return nil, badInput(fmt.Errorf("model %s: %w", hosted, err))
	}
	cfg.Hosted = m.Info().Name
	cfg.Listen = "0.0.0.0:" + cmp.Or(os.Getenv("SAGEMAKER_BIND_TO_PORT"), "8080")
	locks.insecure, locks.admin, locks.given = true, "", true
	if len(out.ways) == 0 {
		out.publish = string(api.PublishNone)
	}
	return files, nil
}

// maxSettings is how long SageMaker's JSON files may be.
const maxSettings = 1 << 20

// train learns from the channels under /opt/ml/input and leaves the model in /opt/ml/model. Why it failed is written to
// /opt/ml/output/failure, whose beginning SageMaker shows as the job's FailureReason.
func (c *container) train(a *app, cmd *cobra.Command, f *trainFlags) error {
	err := c.trainFrom(a, cmd, f)
	if err == nil {
		return nil
	}
	file := c.path("output", "failure")
	if e := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, []byte(err.Error()+"\n"), 0o600)); e != nil {
		err = errors.Join(err, e)
	}
	return err
}

func (c *container) trainFrom(a *app, cmd *cobra.Command, f *trainFlags) error {
	leads, err := c.leads()
	if err != nil || !leads {
		if err == nil {
			a.log.Info("another machine of the job trains: the algorithm takes one")
		}
		return err
	}
	if err := c.hyperparameters(cmd); err != nil {
		return badInput(err)
	}
	if f.table.sources, err = c.channel("train"); err != nil {
		return badInput(err)
	}
	if len(f.table.sources) == 0 {
		return badInput(fmt.Errorf("no training data: want files in %s", c.path("input", "data", "train")))
	}
	if f.out = c.path("model", "model.onnx"); f.report != "" {
		f.report = c.path("output", "data", filepath.Base(f.report))
	}
	for _, file := range []string{f.out, f.report} {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); file != "" && err != nil {
			return err
		}
	}
	if err := a.runTrain(cmd, f); err != nil {
		return err
	}
	return c.measure(a, cmd, f)
}

// leads reads from resourceconfig.json whether this machine is the job's first.
func (c *container) leads() (bool, error) {
	var resources struct {
		Current string   `json:"current_host"`
		Hosts   []string `json:"hosts"`
	}
	err := c.settings("resourceconfig.json", &resources)
	return len(resources.Hosts) < 2 || slices.Min(resources.Hosts) == resources.Current, err
}

// settings reads a file of /opt/ml/input/config; one that is not there changes nothing.
func (c *container) settings(name string, into any) error {
	file, err := os.Open(c.path("input", "config", name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSettings))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return badInput(fmt.Errorf("%s: %w", name, err))
	}
	return nil
}

// hyperparameters gives flags of train their values. SageMaker has only strings, its Python SDK puts JSON into them; names
// that begin with _ or sagemaker_ are its own.
func (c *container) hyperparameters(cmd *cobra.Command) error {
	var values map[string]string
	if err := c.settings("hyperparameters.json", &values); err != nil {
		return err
	}
	for _, name := range sortedKeys(values) {
		flag, value := strings.ReplaceAll(name, "_", "-"), values[name]
		if strings.HasPrefix(name, "_") || strings.HasPrefix(name, "sagemaker_") {
			continue
		}
		if cmd.LocalNonPersistentFlags().Lookup(flag) == nil || flag == "data" || flag == "out" || strings.HasPrefix(flag, "sagemaker-") {
			return fmt.Errorf("hyperparameter %q: train has no such setting", name)
		}
		var text string
		if json.Unmarshal([]byte(value), &text) == nil {
			value = text
		}
		if err := cmd.Flags().Set(flag, value); err != nil {
			return fmt.Errorf("hyperparameter %q: %w", name, err)
		}
	}
	return nil
}

// channel lists the files of a channel, in order. Pipes cannot be listed, and are refused.
func (c *container) channel(name string) (files []string, err error) {
	var channels map[string]struct {
		Mode string `json:"TrainingInputMode"`
	}
	if err := c.settings("inputdataconfig.json", &channels); err != nil {
		return nil, err
	}
	if strings.EqualFold(channels[name].Mode, "Pipe") {
		return nil, fmt.Errorf("channel %s is a pipe; want TrainingInputMode File or FastFile", name)
	}
	err = filepath.WalkDir(c.path("input", "data", name), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := d.Name(); !d.IsDir() && !strings.HasPrefix(base, ".") && !strings.HasPrefix(base, "_") && !strings.HasSuffix(base, "manifest") {
			files = append(files, path)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return files, err
}

// measure prints the figures of the channels that training did not see, in lines for MetricDefinitions.
func (c *container) measure(a *app, cmd *cobra.Command, f *trainFlags) error {
	m, err := model.Load(f.out)
	if err != nil {
		return err
	}
	for _, name := range []string{"validation", "test"} {
		t := f.table
		if t.sources, err = c.channel(name); err != nil {
			return badInput(err)
		}
		if len(t.sources) == 0 {
			continue
		}
		set, err := a.readFor(cmd, m, &t)
		if err != nil {
			return err
		}
		scored, err := learn.Score(m, set)
		if err != nil {
			return badInput(err)
		}
		e, err := metric.Evaluate(scored, metric.Options{Threshold: m.Info().Threshold, Cost: f.train.Cost, Natural: f.info.Natural})
		if err != nil {
			return badInput(err)
		}
		fmt.Fprintf(a.out, "%[1]s:recall=%.6[2]f; %[1]s:fpr=%.6[3]f; %[1]s:roc_auc=%.6[4]f;\n", name, e.Binary.Recall, e.Binary.FPR, e.Binary.ROCAUC)
	}
	return nil
}
