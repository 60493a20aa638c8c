package main

import (
	"slices"
	"strings"
)

// legal reports whether a file's name is that of a licence or a notice.
func legal(name string) bool {
	name = strings.ToUpper(name)
	if strings.HasSuffix(name, ".GO") {
		return false
	}
	return slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"}, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	})
}

// marks are sentences by which the texts of licences are known, the more special first.
func marks() [][2]string {
	return [][2]string{
		{"Apache-2.0", "apache license version 2.0"},
		{"MPL-2.0", "mozilla public license version 2.0"},
		{"AGPL", "gnu affero general public license"},
		{"LGPL", "gnu lesser general public license"},
		{"GPL", "gnu general public license"},
		{"ISC", "permission to use, copy, modify, and/or distribute this software"},
		{"ISC", "permission to use, copy, modify, and distribute this software"},
		{"MIT", "permission is hereby granted, free of charge"},
		{"BSD", "redistribution and use in source and binary forms"},
		{"Unlicense", "this is free and unencumbered software"},
		{"CC0-1.0", "cc0 1.0 universal"},
	}
}

// classify names the licences whose texts a file holds.
func classify(text string) []string {
	plain := strings.NewReplacer("*", " ", "#", " ", "//", " ", ",\n", " ", ", version", " version").Replace(strings.ToLower(text))
	plain = strings.Join(strings.Fields(plain), " ")
	var names []string
	for _, mark := range marks() {
		name := mark[0]
		if !strings.Contains(plain, mark[1]) || slices.Contains(names, name) {
			continue
		}
		if strings.HasSuffix(name, "GPL") && slices.Contains(names, "MPL-2.0") {
			continue // named there as licences that MPL goes together with
		}
		if name == "BSD" {
			name = "BSD-2-Clause"
			if strings.Contains(plain, "neither the name") || strings.Contains(plain, "may not be used to endorse") {
				name = "BSD-3-Clause"
			}
		}
		names = append(names, name)
	}
	return names
}

// compatible reports whether code under a licence may be part of a program that is handed out as a whole: permissive ones,
// and MPL, whose files stay as they are.
func compatible(licence string) bool {
	return slices.Contains([]string{
		"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MPL-2.0", "Unlicense",
	}, licence)
}
