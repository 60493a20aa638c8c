// Package testdata finds the data sets that some tests and benchmarks read. They are not part of the repository.
package testdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the path of a file of the data sets, and skips the test when it is not there. The data sets are looked
// for where MLIDS_TEST_DATA says, else in shared/data beside the module.
func Path(tb testing.TB, elem ...string) string {
	tb.Helper()
	base := os.Getenv("MLIDS_TEST_DATA")
	if base == "" {
		base = beside(tb)
	}
	path := filepath.Join(append([]string{base}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Skip("needs the data sets: set MLIDS_TEST_DATA or place them in ../shared/data")
	}
	return path
}

// beside walks up from the test's folder to the module's root.
func beside(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	return filepath.Join(dir, "..", "shared", "data")
}

// FullSize leaves a test of whole large files to runs without -short and without the race detector: tests on less are there
// for those. make test runs both kinds, and finds these by FullSize in their names.
func FullSize(tb testing.TB) {
	tb.Helper()
	if testing.Short() || Race {
		tb.Skip("of whole large files: run without -short and -race")
	}
}
