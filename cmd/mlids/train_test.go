package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Two classes in place of the schema's five: a model says so, and is measured on a table that has the attacks' own names.
func TestTwoClasses(t *testing.T) {
	file, _ := kddFile(t)
	out := filepath.Join(t.TempDir(), "two.onnx")
	verb(t, "train", "--data", file, "--schema", "kdd99", "--classes", "binary", "--algorithm", "tree", "--fpr", "0.05", "--out", out)
	if shown, _ := verb(t, "models", "show", out); !strings.Contains(shown, "[benign attack]") {
		t.Errorf("the model's classes are others:\n%s", shown)
	}
	figures, _ := verb(t, "evaluate", "--model", out, "--data", file)
	for _, want := range []string{"\nneptune ", "actual \\ said  benign  attack ", "\nROC AUC "} {
		if !strings.Contains(figures, want) {
			t.Errorf("no %q in\n%s", want, figures)
		}
	}
}
