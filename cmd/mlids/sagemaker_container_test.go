package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlids/feature"
)

// optML is a root like SageMaker's, with the files given.
func optML(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// labelled is a table of cicflow/common in which attacks are small.
func labelled(t *testing.T, rows int) string {
	t.Helper()
	catalogue, err := feature.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := catalogue.Find("cicflow/common")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, c := range schema.Columns {
		text.WriteString(c.Name + ",")
	}
	text.WriteString("Label\n")
	for i := range rows {
		label, scale := "BENIGN", 1000
		if i%3 == 0 {
			label, scale = "DDoS", 10
		}
		for k, c := range schema.Columns {
			if c.Kind == feature.Text || c.Kind == feature.Time {
				text.WriteString("x,")
				continue
			}
			fmt.Fprintf(&text, "%d,", scale+(i*7+k*3)%scale)
		}
		text.WriteString(label + "\n")
	}
	return text.String()
}

func runMLIDS(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), append(args, "--data-dir", t.TempDir()), streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

// A job trains on its channels, and the endpoint made of its model answers.
func TestTrainAndHostAsSageMakerDoes(t *testing.T) {
	root := optML(t, map[string]string{
		"input/config/hyperparameters.json":    `{"schema":"\"cicflow/common\"","algorithm":"tree","depth":"3","sagemaker_job_name":"x","_tuning_objective_metric":"y"}`,
		"input/config/inputdataconfig.json":    `{"train":{"TrainingInputMode":"File"},"validation":{"TrainingInputMode":"File"}}`,
		"input/config/resourceconfig.json":     `{"current_host":"algo-1","hosts":["algo-1"]}`,
		"input/data/train/part-1.csv":          labelled(t, 90),
		"input/data/train/deep/part-2.csv":     labelled(t, 60),
		"input/data/train/_SUCCESS":            "",
		"input/data/validation/validation.csv": labelled(t, 30),
	})
	t.Setenv("TRAINING_JOB_NAME", "job")
	code, out, said := runMLIDS(t, "train", "--sagemaker-root", root)
	if code != exitDone || !strings.Contains(out, "validation:recall=1.000000; validation:fpr=0.000000; validation:roc_auc=1.000000;") {
		t.Fatalf("exit code %d\n%s\n%s", code, out, said)
	}
	if _, err := os.Stat(filepath.Join(root, "output", "failure")); err == nil {
		t.Error("a job that succeeded left a failure")
	}

	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	t.Setenv("SAGEMAKER_BIND_TO_PORT", port)
	startServe(t, "--sagemaker-root", root)
	url := "http://127.0.0.1:" + port
	lines := strings.SplitN(labelled(t, 2), "\n", 3)
	status, _, answer := postBody(t, url+"/invocations", "text/csv", strings.Join(lines, "\n"))
	if status != http.StatusOK || answer != "1\n0\n" {
		t.Errorf("%d %q", status, answer)
	}
	res, err := http.Get(url + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK || !json.Valid(text) {
		t.Errorf("ping: %s %s", res.Status, text)
	}
}

func TestJobsThatFail(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		says  string
	}{
		"no data":              {nil, "no training data"},
		"unknown setting":      {map[string]string{"input/config/hyperparameters.json": `{"epochs":"3"}`}, `hyperparameter "epochs"`},
		"a setting of its own": {map[string]string{"input/config/hyperparameters.json": `{"out":"/etc/x"}`}, `hyperparameter "out"`},
		"wrong value":          {map[string]string{"input/config/hyperparameters.json": `{"depth":"deep"}`}, `hyperparameter "depth"`},
		"broken file":          {map[string]string{"input/config/hyperparameters.json": `{`}, "hyperparameters.json"},
		"pipe":                 {map[string]string{"input/config/inputdataconfig.json": `{"train":{"TrainingInputMode":"Pipe"}}`}, "is a pipe"},
		"no labels":            {map[string]string{"input/data/train/a.csv": "a,b\n1,2\n"}, "wrong columns"},
	} {
		t.Run(name, func(t *testing.T) {
			root := optML(t, test.files)
			code, _, said := runMLIDS(t, "train", "--sagemaker-container", "--sagemaker-root", root)
			failure, err := os.ReadFile(filepath.Join(root, "output", "failure"))
			if code == exitDone || err != nil || !strings.Contains(string(failure), test.says) || !strings.Contains(said, test.says) {
				t.Errorf("exit code %d, %v\nfailure: %s\nsaid: %s", code, err, failure, said)
			}
		})
	}
}

func TestSecondMachineLeavesTrainingToTheFirst(t *testing.T) {
	root := optML(t, map[string]string{"input/config/resourceconfig.json": `{"current_host":"algo-2","hosts":["algo-1","algo-2"]}`})
	if code, _, said := runMLIDS(t, "train", "--sagemaker-container", "--sagemaker-root", root); code != exitDone {
		t.Errorf("exit code %d, %s", code, said)
	}
}

func TestHostingWithoutAModel(t *testing.T) {
	root := optML(t, nil)
	if code, _, said := runMLIDS(t, "serve", "--sagemaker-container", "--sagemaker-root", root); code != exitInput || !strings.Contains(said, "model.onnx") {
		t.Errorf("exit code %d, %s", code, said)
	}
}
