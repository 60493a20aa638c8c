package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is one whose code is in the program.
type module struct {
	Path, Version string
	Licences      []string // SPDX names
	Texts         []string // licences and notices in full
	Through       string   // the module that imports it; "" where our own code does
	Users         []string // our stages that import it
}

// goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath string
	Imports    []string
	Module     *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Path, Version, Dir string }
	}
}

// command is the program whose dependencies are listed.
const command = "./cmd/mlids"

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// list returns the modules that the program is linked from, as it is released: Linux, without cgo.
func list(ctx context.Context, root string) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Imports,Module", command)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -deps %s: %w\n%s", command, err, log.String())
	}
	packages, err := decode(out)
	if err != nil {
		return nil, err
	}
	return collect(packages)
}

func decode(out []byte) (packages []goPackage, err error) {
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, fmt.Errorf("read go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// collect makes modules of packages; each knows the way on which it came in: our own code, else the module nearest to it.
func collect(packages []goPackage) ([]module, error) {
	known := map[string]goPackage{}
	for _, p := range packages {
		known[p.ImportPath] = p
	}
	found := map[string]*module{}
	var errs []error
	for _, p := range packages {
		if p.Module == nil || p.Module.Main || found[p.Module.Path] != nil {
			continue
		}
		m, err := read(p)
		errs = append(errs, err)
		found[p.Module.Path] = &m
	}
	connect(packages, known, found)
	modules := make([]module, 0, len(found))
	for _, m := range found {
		modules = append(modules, *m)
	}
	slices.SortFunc(modules, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return modules, errors.Join(errs...)
}

func connect(packages []goPackage, known map[string]goPackage, found map[string]*module) {
	depth := map[string]int{} // steps from our code to a module
	var next []goPackage
	for _, p := range packages {
		if p.Module != nil && p.Module.Main {
			next = append(next, p)
		}
	}
	seen := map[string]bool{}
	for step := 1; len(next) > 0; step++ {
		var after []goPackage
		for _, p := range next {
			for _, path := range p.Imports {
				target := known[path]
				if target.Module == nil || target.Module.Main {
					continue
				}
				note(found[target.Module.Path], p, step, depth)
				if !seen[path] {
					seen[path] = true
					after = append(after, target)
				}
			}
		}
		next = after
	}
}

// note records that a package imports a module, when that is the shortest way to it.
func note(m *module, from goPackage, step int, depth map[string]int) {
	if from.Module.Main {
		stage, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(from.ImportPath, from.Module.Path), "/"), "/")
		if stage = cmp.Or(stage, "."); !slices.Contains(m.Users, stage) {
			m.Users = append(m.Users, stage)
			slices.Sort(m.Users)
		}
	}
	if from.Module.Path == m.Path {
		return
	}
	best, ok := depth[m.Path]
	if ok && (step > best || from.Module.Path >= m.Through) {
		return
	}
	depth[m.Path] = step
	m.Through = from.Module.Path
}

// read finds the licences in a module's folder.
func read(p goPackage) (module, error) {
	m := module{Path: p.Module.Path, Version: p.Module.Version}
	dir := p.Module.Dir
	if r := p.Module.Replace; r != nil {
		dir, m.Version = r.Dir, m.Version+" => "+r.Path+" "+r.Version
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return m, fmt.Errorf("%s: %w (go mod download fetches it)", m.Path, err)
	}
	for _, entry := range entries {
		if entry.IsDir() || !legal(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return m, err
		}
		m.Texts = append(m.Texts, strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")))
		for _, name := range classify(string(text)) {
			if !slices.Contains(m.Licences, name) {
				m.Licences = append(m.Licences, name)
			}
		}
	}
	slices.Sort(m.Licences)
	return m, nil
}
