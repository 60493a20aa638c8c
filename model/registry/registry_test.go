package registry_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mlids/model"
	"mlids/model/registry"
)

// made is a model that answers the same for every row.
func made(t *testing.T, name, schema string, margin float64) *model.Model {
	t.Helper()
	m, err := model.New(model.Info{Name: name, Schema: schema, Inputs: []string{"x"}, Classes: []string{"benign", "attack"}}, &model.Forest{
		Inputs: 1, Outputs: 1, Base: []float64{0}, Link: model.Logistic,
		Trees: []model.Tree{{Nodes: []model.Node{{Feature: -1}}, Values: []float64{margin}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func add(t *testing.T, r *registry.Registry, origin string, models ...*model.Model) {
	t.Helper()
	if err := r.Add(origin, models...); err != nil {
		t.Fatal(err)
	}
}

func wantActive(t *testing.T, r *registry.Registry, schema, name string) {
	t.Helper()
	if m, ok := r.Active(schema); !ok || m.Info().Name != name {
		t.Errorf("for %s %v answers (%v), want %s", schema, m, ok, name)
	}
}

func TestLaterModelsAnswer(t *testing.T) {
	var r registry.Registry
	if _, ok := r.Active("flows"); ok || len(r.List()) != 0 {
		t.Error("an empty registry has a model")
	}
	add(t, &r, registry.Embedded, made(t, "flows", "flows/1", 1), made(t, "kdd", "kdd/1", 1))
	add(t, &r, registry.File, made(t, "mine", "flows/2", 2))
	wantActive(t, &r, "flows", "mine")
	wantActive(t, &r, "kdd", "kdd")
	if err := r.Activate("flows"); err != nil {
		t.Fatal(err)
	}
	wantActive(t, &r, "flows", "flows")
	if got := r.Names(); !slices.Equal(got, []string{"flows", "kdd", "mine"}) {
		t.Errorf("names %v", got)
	}
	if err := r.Activate("nobody"); !errors.Is(err, registry.ErrUnknown) || !strings.Contains(err.Error(), "mine") {
		t.Errorf("got %v, want ErrUnknown with the names there are", err)
	}
}

// Companions are listed beside their models and answer for nothing, wherever they come from.
func TestCompanions(t *testing.T) {
	var r registry.Registry
	add(t, &r, registry.Embedded, made(t, "flows", "flows/1", 1), made(t, "flows.anomaly", "flows/1", 1))
	wantActive(t, &r, "flows", "flows")
	if m, ok := r.Lookup(model.CompanionName("flows")); !ok || len(r.List()) != 2 || r.List()[1].Active {
		t.Errorf("companion %v, listed %+v", m, r.List())
	}
	if err := r.Activate("flows.anomaly"); !errors.Is(err, registry.ErrCompanion) {
		t.Errorf("got %v, want ErrCompanion", err)
	}
	dir := registry.OpenDir(t.TempDir())
	if err := dir.Import(made(t, "other.anomaly", "other/1", 1)); err != nil {
		t.Fatal(err)
	}
	if err := dir.Load(&r); err != nil {
		t.Fatal(err)
	}
	if m, ok := r.Active("other"); ok {
		t.Errorf("%s answers for a schema without models", m.Info().Name)
	}
	wantActive(t, &r, "flows", "flows")
}

func TestSameNameTakesThePlace(t *testing.T) {
	var r registry.Registry
	add(t, &r, registry.Embedded, made(t, "m", "flows/1", 1))
	better := made(t, "m", "flows/1", 2)
	add(t, &r, registry.File, better)
	if m, _ := r.Lookup("m"); m != better || len(r.List()) != 1 || r.List()[0].Origin != registry.File {
		t.Errorf("got %+v", r.List())
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "../x", "a/b", ".hidden", "-o", "a b", "ü", strings.Repeat("x", 65)} {
		var r registry.Registry
		if err := r.Add(registry.File, made(t, name, "flows/1", 1)); !errors.Is(err, registry.ErrName) {
			t.Errorf("%q: got %v, want ErrName", name, err)
		}
	}
}

// What is imported is there after a restart, and answers only once it is activated.
func TestImportAndActivate(t *testing.T) {
	dir := registry.OpenDir(filepath.Join(t.TempDir(), "models"))
	if err := dir.Import(made(t, "mine", "flows/1", 2)); err != nil {
		t.Fatal(err)
	}
	restart := func() *registry.Registry {
		r := &registry.Registry{}
		add(t, r, registry.Embedded, made(t, "flows", "flows/1", 1))
		if err := dir.Load(r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	wantActive(t, restart(), "flows", "flows")
	if err := dir.Activate("flows", "mine"); err != nil {
		t.Fatal(err)
	}
	wantActive(t, restart(), "flows", "mine")
	if err := dir.Import(made(t, "..", "flows/1", 2)); !errors.Is(err, registry.ErrName) {
		t.Errorf("got %v, want ErrName", err)
	}
}

// A running server that reads its folder again never lets an import answer that nobody activated, not even for a moment; and
// the folder's name may look like a pattern.
func TestReloadChangesNothingByTheWay(t *testing.T) {
	dir := registry.OpenDir(filepath.Join(t.TempDir(), "models [1]"))
	var r registry.Registry
	add(t, &r, registry.Embedded, made(t, "flows", "flows/1", 1))
	for _, name := range []string{"a", "b", "c"} {
		if err := dir.Import(made(t, name, "flows/1", 2)); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() {
		for range 20 {
			if err := dir.Load(&r); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		wantActive(t, &r, "flows", "flows")
		select {
		case err := <-done:
			if err != nil || len(r.Names()) != 4 || t.Failed() {
				t.Fatalf("%v; there are %v", err, r.Names())
			}
			return
		default:
			if t.Failed() {
				<-done
				return
			}
		}
	}
}

// What answers for which schema does not hang on the order in which a file's pairs are read.
func TestActivatedForAnotherSchema(t *testing.T) {
	path := t.TempDir()
	dir := registry.OpenDir(path)
	for _, m := range []*model.Model{made(t, "one", "flows/1", 1), made(t, "two", "flows/1", 1)} {
		if err := dir.Import(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(path, "active.json"), []byte(`{"flows": "one", "other": "two"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var r registry.Registry
	if err := dir.Load(&r); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("a model activated for a schema that it is not of: %v, want ErrUnknown", err)
	}
	wantActive(t, &r, "flows", "one")
}

// One broken file is told, and keeps no other from being loaded.
func TestBrokenFile(t *testing.T) {
	path := t.TempDir()
	dir := registry.OpenDir(path)
	if err := dir.Import(made(t, "good", "flows/1", 1)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "bad.onnx"), []byte("no model"), 0o600); err != nil {
		t.Fatal(err)
	}
	var r registry.Registry
	err := dir.Load(&r)
	if !errors.Is(err, model.ErrInvalid) || !strings.Contains(err.Error(), "bad.onnx") {
		t.Errorf("got %v, want ErrInvalid that names bad.onnx", err)
	}
	wantActive(t, &r, "flows", "good")
	if err := os.WriteFile(filepath.Join(path, "active.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dir.Load(&r); err == nil || !strings.Contains(err.Error(), "active models") {
		t.Errorf("a broken active.json gives %v", err)
	}
}

// A running server follows the folder.
func TestWatch(t *testing.T) {
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		dir := registry.OpenDir(path)
		var r registry.Registry
		add(t, &r, registry.Embedded, made(t, "flows", "flows/1", 1))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- dir.Watch(ctx, &r, time.Second, slog.New(slog.DiscardHandler)) }()
		synctest.Wait()
		if err := dir.Import(made(t, "mine", "flows/1", 2)); err != nil {
			t.Fatal(err)
		}
		if err := dir.Activate("flows", "mine"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond) // of the bubble's clock
		synctest.Wait()
		wantActive(t, &r, "flows", "mine")
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
