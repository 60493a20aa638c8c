package model

import (
	"encoding/json"
	"fmt"
	"strings"

	"mlids/model/internal/onnx"
)

// prefix is what the metadata keys of this program start with.
const prefix = "mlids."

// field is one entry of the metadata: *string is kept as it is, all else as JSON.
type field struct {
	key   string
	value any
	empty bool // not written
}

func (i *Info) fields() []field {
	return []field{
		{"name", &i.Name, i.Name == ""},
		{"algorithm", &i.Algorithm, i.Algorithm == ""},
		{"schema", &i.Schema, i.Schema == ""},
		{"inputs", &i.Inputs, len(i.Inputs) == 0},
		{"classes", &i.Classes, len(i.Classes) == 0},
		{"threshold", &i.Threshold, i.Threshold == 0},
		{"priors", &i.Priors, len(i.Priors) == 0},
		{"cost_benign", &i.CostBenign, i.CostBenign == 0},
		{"natural_priors", &i.Natural, !i.Natural},
		{"fingerprint", &i.Fingerprint, i.Fingerprint == ""},
		{"metrics", &i.Metrics, len(i.Metrics) == 0},
		{"rebuild", &i.Rebuild, i.Rebuild == ""},
		{"quantiles", &i.Quantiles, len(i.Quantiles) == 0},
		{"budgets", &i.Budgets, len(i.Budgets) == 0},
	}
}

// entries writes the fields in a fixed order; maps come sorted from the JSON encoder.
func (i *Info) entries() ([]onnx.Entry, error) {
	var out []onnx.Entry
	for _, f := range i.fields() {
		if f.empty {
			continue
		}
		if s, ok := f.value.(*string); ok {
			out = append(out, onnx.Entry{Key: prefix + f.key, Value: *s})
			continue
		}
		text, err := json.Marshal(f.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.key, err)
		}
		out = append(out, onnx.Entry{Key: prefix + f.key, Value: string(text)})
	}
	return out, nil
}

// readInfo takes the fields out of a file's metadata; entries of others are left alone.
func readInfo(entries []onnx.Entry) (Info, error) {
	var info Info
	byKey := map[string]any{}
	for _, f := range info.fields() {
		byKey[f.key] = f.value
	}
	for _, e := range entries {
		key, ours := strings.CutPrefix(e.Key, prefix)
		target, known := byKey[key]
		if !ours || !known {
			continue
		}
		if s, ok := target.(*string); ok {
			*s = e.Value
		} else if err := json.Unmarshal([]byte(e.Value), target); err != nil {
			return info, fmt.Errorf("metadata %s: %w", e.Key, err)
		}
	}
	return info, nil
}
