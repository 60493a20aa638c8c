package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// schemathesis finds the fuzzer in the virtual environment that `make test` makes.
func schemathesis(t *testing.T) string {
	t.Helper()
	venv := os.Getenv("MLIDS_PEERS")
	if venv == "" {
		venv = filepath.Join("..", ".build", "peers")
	}
	st, err := filepath.Abs(filepath.Join(venv, "bin", "st"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(st); err != nil {
		t.Skip("needs schemathesis: run make tools, or set MLIDS_PEERS to a virtual environment that has it")
	}
	return st
}

// A generator of requests, good ones and bad, finds no answer that the description does not allow.
func TestSchemathesis(t *testing.T) {
	st := schemathesis(t)
	if testing.Short() {
		t.Skip("needs 20 s: run without -short")
	}
	examples := "3"
	if os.Getenv("MLIDS_FULL") != "" {
		examples = "100"
	}
	s := newServer(t, Config{}, embedded(t)).Server
	url := start(t, s)
	cmd := exec.CommandContext(t.Context(), st, "run", url+"/openapi.yaml", "--url", url, "--checks", "all",
		"--max-examples", examples, "--seed", "1", "--generation-database", "none", "--no-color")
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	t.Logf("%s", out)
}
