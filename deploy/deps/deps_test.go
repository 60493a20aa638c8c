package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// docs/dependencies.md is what the program is linked from today.
func TestPageIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	modules, err := list(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	want, err := page(modules, reasons)
	if err != nil {
		t.Error(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/dependencies.md is not what cmd/mlids is linked from: go run ./deploy/deps")
	}
	for _, m := range modules {
		if len(m.Users) == 0 && m.Through == "" {
			t.Errorf("nobody knows how %s came in", m.Path)
		}
		if !strings.Contains(full(modules), "\n"+m.Path+" "+m.Version+" (") {
			t.Errorf("the notices lack %s", m.Path)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"                                 Apache License\n                           Version 2.0, January 2004", []string{"Apache-2.0"}},
		{"Licensed under the Apache License, Version 2.0 (the \"License\")", []string{"Apache-2.0"}},
		{"Permission is hereby granted, free of\ncharge, to any person", []string{"MIT"}},
		{"Redistribution and use in source and binary\nforms, with", []string{"BSD-2-Clause"}},
		{"// Redistribution and use in source and binary\n// forms, with … Neither the name of", []string{"BSD-3-Clause"}},
		{"Mozilla Public License Version 2.0 … the GNU General Public License, Version 2.0", []string{"MPL-2.0"}},
		{"GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3", []string{"AGPL"}},
		{"GNU LESSER GENERAL PUBLIC LICENSE", []string{"LGPL"}},
		{"Permission to use, copy, modify, and/or distribute this software for any purpose", []string{"ISC"}},
		{"All rights reserved.", nil},
	} {
		if got := classify(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q is %v, want %v", c.text, got, c.want)
		}
	}
}

// A module that may not be handed out, or that nobody asked for, is refused by name.
func TestUnfit(t *testing.T) {
	good := module{Path: "example.org/good", Version: "v1.0.0", Licences: []string{"MIT"}, Users: []string{"api"}}
	for name, m := range map[string]module{
		"is under AGPL":     {Path: "example.org/bad", Licences: []string{"AGPL"}, Through: "example.org/good"},
		"has no licence":    {Path: "example.org/bad", Through: "example.org/good"},
		"bad has no reason": {Path: "example.org/bad", Licences: []string{"MIT"}, Users: []string{"api"}},
	} {
		_, err := page([]module{good, m}, "example.org/good: it is good\n# example.org/bad: not said\n")
		if !errors.Is(err, errUnfit) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "good has") {
			t.Errorf("want %q, got %v", name, err)
		}
	}
	text, err := page([]module{good}, "example.org/good: it is good\n")
	if err != nil || !strings.Contains(text, "| example.org/good | v1.0.0 | MIT | it is good (api) |") {
		t.Errorf("%v\n%s", err, text)
	}
}

// The way to a module is the shortest, and the first by name among equals.
func TestWays(t *testing.T) {
	dir := t.TempDir()
	packages, err := decode([]byte(strings.ReplaceAll(`
		{"ImportPath":"mlids/api","Imports":["b/x"],"Module":{"Path":"mlids","Main":true}}
		{"ImportPath":"b/x","Imports":["c","d"],"Module":{"Path":"b","Version":"v1.0.0","Dir":"DIR"}}
		{"ImportPath":"c","Imports":["d"],"Module":{"Path":"c","Version":"v1.0.0","Dir":"DIR"}}
		{"ImportPath":"d","Imports":["fmt"],"Module":{"Path":"d","Version":"v1.0.0","Dir":"DIR"}}`, "DIR", dir)))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := collect(packages)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range modules {
		got = append(got, m.Path+" by "+m.Through+strings.Join(m.Users, " "))
	}
	if want := []string{"b by mlidsapi", "c by b", "d by b"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
