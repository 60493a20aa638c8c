package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What the admin door refuses is the caller's mistake, and what it fails at is not.
func TestExitCodesOfTheAdminDoor(t *testing.T) {
	for status, want := range map[int]int{400: exitInput, 401: exitInput, 409: exitInput, 500: exitFailed, 503: exitFailed} {
		door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":"because"}`, status)
		}))
		var said strings.Builder
		code := run(t.Context(), []string{"blocks", "list", "--admin", door.URL}, streams{strings.NewReader(""), io.Discard, &said})
		door.Close()
		if code != want || !strings.Contains(said.String(), "because") {
			t.Errorf("%d: exit code %d, want %d: %s", status, code, want, said.String())
		}
	}
}

// What others wrote does not steer the terminal.
func TestTablesHoldNoControls(t *testing.T) {
	var out strings.Builder
	if err := table(&out, func(row func(...any)) { row("a\x1b[2Jb", 1, "c\td") }); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a?[2Jb  1  c?d\n" {
		t.Errorf("%q", out.String())
	}
}
