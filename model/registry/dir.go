package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mlids/model"
)

// activeFile records in the directory which model answers for which schema.
const activeFile = "active.json"

// Dir is the folder of imported models: NAME.onnx for each, and active.json. Files appear in it by rename, so a reader
// never sees half of one.
type Dir struct{ path string }

// OpenDir names the folder; it is made when the first model is imported.
func OpenDir(path string) Dir { return Dir{path} }

// Import copies a model's file in under the model's name. It does not make the model active.
func (d Dir) Import(m *model.Model) error {
	name := m.Info().Name
	if err := checkName(name); err != nil {
		return err
	}
	if err := os.MkdirAll(d.path, 0o750); err != nil {
		return fmt.Errorf("import model: %w", err)
	}
	return writeFile(filepath.Join(d.path, name+".onnx"), m.Encode())
}

// Activate records that a model answers for a schema, named without version.
func (d Dir) Activate(schema, name string) error {
	chosen, err := d.chosen()
	if err != nil {
		return err
	}
	chosen[schema] = name
	text, err := json.MarshalIndent(chosen, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.path, 0o750); err != nil {
		return fmt.Errorf("activate model: %w", err)
	}
	return writeFile(filepath.Join(d.path, activeFile), append(text, '\n'))
}

// Load adds the folder's models to r and applies what was activated, at once. A file that is no usable model is reported in
// the error, and the others are loaded all the same.
func (d Dir) Load(r *Registry) error {
	added, errs := d.models()
	chosen, err := d.chosen()
	return errors.Join(append(errs, err, r.load(added, chosen))...)
}

// models reads the folder's files in the order of their names. The folder's own name may have any characters in it.
func (d Dir) models() (added []Entry, errs []error) {
	files, err := os.ReadDir(d.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, []error{fmt.Errorf("read models: %w", err)}
	}
	for _, f := range files {
		if filepath.Ext(f.Name()) != ".onnx" {
			continue
		}
		path := filepath.Join(d.path, f.Name())
		m, err := model.Load(path)
		if err == nil {
			var one []Entry
			one, err = entriesOf(Imported, []*model.Model{m})
			added = append(added, one...)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
	}
	return added, errs
}

// Watch loads the folder again whenever it changes, until ctx is done. A model that cannot be read leaves the one before
// it in place.
func (d Dir) Watch(ctx context.Context, r *Registry, every time.Duration, log *slog.Logger) error {
	seen := d.state()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := d.state()
		if now == seen {
			continue
		}
		seen = now
		if err := d.Load(r); err != nil {
			log.Error("reload models", "dir", d.path, "err", err)
			continue
		}
		log.Info("models reloaded", "dir", d.path, "models", r.Names())
	}
}

// state sums up names, sizes and times of the folder's files.
func (d Dir) state() string {
	files, err := os.ReadDir(d.path)
	if err != nil {
		return ""
	}
	var state strings.Builder
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			fmt.Fprintf(&state, "%s %d %d\n", f.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return state.String()
}

func (d Dir) chosen() (map[string]string, error) {
	chosen := map[string]string{}
	text, err := os.ReadFile(filepath.Join(d.path, activeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return chosen, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &chosen)
	}
	if err != nil {
		return chosen, fmt.Errorf("read active models: %w", err)
	}
	return chosen, nil
}

// writeFile replaces a file as a whole: readers see the old or the new one.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
