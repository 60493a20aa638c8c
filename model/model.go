// Package model is a trained model: one ONNX file, compiled into a flat form for inference, that knows which schema and
// inputs it wants and which thresholds it decides by.
package model

import "errors"

// Errors of this package; they come wrapped with what was found and what would be right.
var (
	ErrInputs  = errors.New("wrong number of inputs")
	ErrSchema  = errors.New("model wants another schema")
	ErrInvalid = errors.New("invalid model file")
)

// Info is what a model says of itself; it is kept in the metadata_props of its ONNX file.
type Info struct {
	Name        string             `json:"name"`
	Version     string             `json:"version"`               // first 12 hex digits of the SHA-256 of the file; never stored in it
	Algorithm   string             `json:"algorithm"`             // tree, boost, svm, mlp; "" for models from elsewhere
	Schema      string             `json:"schema"`                // ID of the schema: "kdd99/1"
	Inputs      []string           `json:"inputs"`                // names of the inputs, as feature.Schema.Inputs has them, in the vector's order
	Classes     []string           `json:"classes"`               // Classes[0] is the benign class
	Threshold   float64            `json:"threshold"`             // attack (1 - P(benign)) from this probability on
	Priors      []float64          `json:"priors,omitempty"`      // share of each class in the training data
	Natural     bool               `json:"natural_priors"`        // false: the training data was balanced by hand, no real-world rate can be read off
	Fingerprint string             `json:"fingerprint,omitempty"` // SHA-256 of the training set as the learner saw it
	Metrics     map[string]float64 `json:"metrics,omitempty"`     // held-out figures, with the protocol's name in the key
	Rebuild     string             `json:"rebuild,omitempty"`     // the command that makes this file again
}
