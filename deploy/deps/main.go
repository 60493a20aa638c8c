// Command deps keeps docs/dependencies.md: the modules whose code is in the program, each with version, licence and reason.
// With -notices it writes their licences in full, which belong to whatever is handed out.
//
//	go run ./deploy/deps              # rewrite docs/dependencies.md
//	go run ./deploy/deps -notices F   # the texts of all licences, to a file
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// reasons says why each module that our code imports is there, a line each: "module: reason".
//
//go:embed reasons.txt
var reasons string

func main() {
	notices := flag.String("notices", "", "write all licences in full to this file instead")
	flag.Parse()
	if err := run(context.Background(), *notices); err != nil {
		fmt.Fprintln(os.Stderr, "deps:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, notices string) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	modules, err := list(ctx, root)
	if err != nil {
		return err
	}
	if notices != "" {
		return writeFile(notices, full(modules))
	}
	text, err := page(modules, reasons)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(root, "docs", "dependencies.md"), text)
}

func writeFile(name, text string) error {
	return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // everybody may read it
}
