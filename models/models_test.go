package models_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"mlids/feature"
	"mlids/models"
)

func ExampleLoad() {
	builtIn, err := models.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range builtIn {
		fmt.Println(m.Info().Name, m.Info().Schema, m.Info().Classes)
	}
	// Output:
	// cicflow cicflow/common [benign attack]
	// kdd99 kdd99/1 [normal dos probe r2l u2r]
}

// Each built-in model fits its schema, says how it was made, and has a card that names no figure it does not have.
func TestBuiltInModels(t *testing.T) {
	builtIn, err := models.Load()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := feature.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range builtIn {
		info := m.Info()
		schema, err := catalogue.Find(info.Schema)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := schema.Resolve(info.Inputs); err != nil {
			t.Error(err)
		}
		if info.Rebuild == "" || info.Fingerprint == "" || len(info.Metrics) == 0 || len(info.Quantiles) != len(info.Inputs) {
			t.Errorf("%s does not say how it was made: %+v", info.Name, info.Rebuild)
		}
		card, err := os.ReadFile(info.Name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		fpr := strings.TrimRight(fmt.Sprintf("%.3f", 100*info.Metrics["out_of_fold_fpr"]), "0")
		recall := fmt.Sprintf("%.2f%%", 100*info.Metrics["out_of_fold_recall"])
		if !strings.Contains(string(card), fpr[:4]) || !strings.Contains(string(card), recall) {
			t.Errorf("%s.md does not give the model's recall %s and false-positive rate %s%%", info.Name, recall, fpr)
		}
	}
}
