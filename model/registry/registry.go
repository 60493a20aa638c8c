// Package registry keeps the models that can be asked: those built into the program, those imported into the data
// directory, and files named on the command line. One model per schema is active: it answers when no name is given.
//
// The anomaly companion of a model is one of the name NAME.anomaly; it is listed like others, and never active.
//
// A later model takes the place of an earlier one of the same name. Models are read once and exchanged as a whole, so a
// request sees either the old set or the new one, and a new model needs no restart.
package registry

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"mlids/model"
)

// Errors of this package.
var (
	ErrUnknown = errors.New("unknown model")
	ErrName    = errors.New("unusable model name")

	ErrCompanion = errors.New("anomaly companion of another model")
)

// Origins of models.
const (
	Embedded = "embedded" // built into the program
	Imported = "imported" // in the data directory
	File     = "file"     // named on the command line
)

// Entry is a model and where it comes from.
type Entry struct {
	Name   string // of the model
	Schema string // that it wants, without the version
	Origin string
	Active bool // answers for its schema when no model is named
	Model  *model.Model
}

// Registry is a set of models, safe for concurrent use. Its zero value is empty and ready.
type Registry struct {
	mu      sync.Mutex // held by writers
	current atomic.Pointer[set]
}

// set is one state of the registry; it is never changed once published.
type set struct {
	entries []Entry           // by name
	chosen  map[string]string // name of a schema, without version → model activated for it
}

// Add puts models in, each taking the place of one of the same name, and makes them active for their schemas, but for
// companions.
func (r *Registry) Add(origin string, models ...*model.Model) error {
	added, err := entriesOf(origin, models)
	if err != nil {
		return err
	}
	r.change(func(s *set) {
		for _, e := range added {
			s.put(e)
			if !model.IsCompanion(e.Name) {
				s.chosen[e.Schema] = e.Name
			}
		}
	})
	return nil
}

func entriesOf(origin string, models []*model.Model) ([]Entry, error) {
	added := make([]Entry, len(models))
	for i, m := range models {
		info := m.Info()
		if err := checkName(info.Name); err != nil {
			return nil, err
		}
		schema, _, _ := strings.Cut(info.Schema, "/")
		added[i] = Entry{Name: info.Name, Schema: schema, Origin: origin, Model: m}
	}
	return added, nil
}

// load puts imported models in and makes those active that were chosen, all at once. An import makes no model active, but
// where its schema had none.
func (r *Registry) load(added []Entry, chosen map[string]string) error {
	var errs []error
	r.change(func(s *set) {
		had := maps.Clone(s.chosen)
		for _, e := range added {
			s.put(e)
			if _, taken := had[e.Schema]; !taken && !model.IsCompanion(e.Name) {
				s.chosen[e.Schema] = e.Name
			}
		}
		for _, schema := range slices.Sorted(maps.Keys(chosen)) {
			errs = append(errs, s.choose(schema, chosen[schema]))
		}
	})
	return errors.Join(errs...)
}

// put adds an entry, in place of one of the same name.
func (s *set) put(e Entry) {
	s.entries = slices.DeleteFunc(s.entries, func(old Entry) bool { return old.Name == e.Name })
	s.entries = append(s.entries, e)
}

// choose makes a model answer for its schema.
func (s *set) choose(schema, name string) error {
	i := slices.IndexFunc(s.entries, func(e Entry) bool { return e.Name == name })
	switch {
	case model.IsCompanion(name):
		return fmt.Errorf("%w: %s cannot answer for a schema", ErrCompanion, name)
	case i < 0:
		return fmt.Errorf("%w %q to answer for schema %s", ErrUnknown, name, schema)
	case s.entries[i].Schema != schema:
		return fmt.Errorf("%w %q to answer for schema %s: the model of that name is for %s", ErrUnknown, name, schema, s.entries[i].Schema)
	}
	s.chosen[schema] = name
	return nil
}

// Activate makes the named model answer for its schema. A companion, that only serves its model, is ErrCompanion.
func (r *Registry) Activate(name string) error {
	if model.IsCompanion(name) {
		return fmt.Errorf("%w: %s cannot answer for a schema", ErrCompanion, name)
	}
	for _, e := range r.List() {
		if e.Name == name {
			r.change(func(s *set) { s.chosen[e.Schema] = name })
			return nil
		}
	}
	return fmt.Errorf("%w %q: there are %s", ErrUnknown, name, strings.Join(r.Names(), ", "))
}

// Lookup finds a model by its name.
func (r *Registry) Lookup(name string) (*model.Model, bool) {
	for _, e := range r.List() {
		if e.Name == name {
			return e.Model, true
		}
	}
	return nil, false
}

// Active finds the model that answers for a schema, named without version ("kdd99").
func (r *Registry) Active(schema string) (*model.Model, bool) {
	for _, e := range r.List() {
		if e.Active && e.Schema == schema {
			return e.Model, true
		}
	}
	return nil, false
}

// List returns all models by name. The caller must not change the slice.
func (r *Registry) List() []Entry {
	if s := r.current.Load(); s != nil {
		return s.entries
	}
	return nil
}

// Names lists the names of all models.
func (r *Registry) Names() []string {
	entries := r.List()
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	return names
}

// change publishes a changed copy of the set.
func (r *Registry) change(edit func(*set)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := &set{chosen: map[string]string{}}
	if s := r.current.Load(); s != nil {
		next.entries = slices.Clone(s.entries)
		maps.Copy(next.chosen, s.chosen)
	}
	edit(next)
	slices.SortFunc(next.entries, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	for i := range next.entries {
		e := &next.entries[i]
		e.Active = next.chosen[e.Schema] == e.Name
	}
	r.current.Store(next)
}

// checkName accepts names that are safe as file names, metric labels and path segments.
func checkName(name string) error {
	ok := name != "" && len(name) <= 64 && name[0] != '.' && name[0] != '-'
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c))
	}
	if !ok {
		return fmt.Errorf("%w %q: want 1 to 64 letters, digits, dots, dashes and underscores, not starting with a dot or dash", ErrName, name)
	}
	return nil
}
