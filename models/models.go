// Package models holds the trained models that the program has built in. Each has a card beside it (NAME.md) that says on
// what it was trained, how well it does and where it ends, and is made again, bit for bit, by rebuild.sh.
package models

import (
	"embed"
	"fmt"
	"io/fs"

	"mlids/model"
)

//go:embed *.onnx
var files embed.FS

// Load reads the built-in models.
func Load() ([]*model.Model, error) {
	names, err := fs.Glob(files, "*.onnx")
	if err != nil {
		return nil, err
	}
	loaded := make([]*model.Model, len(names))
	for i, name := range names {
		file, err := files.ReadFile(name)
		if err == nil {
			loaded[i], err = model.Read(file)
		}
		if err != nil {
			return nil, fmt.Errorf("built-in model %s: %w", name, err)
		}
	}
	return loaded, nil
}
