package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every curl command in README.md and docs/api.md prints what stands below it, for … anything, and decimals to two digits.
func TestDocumentedAnswers(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "gzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s to run the commands of docs/api.md", tool)
		}
	}
	var commands []command
	for _, name := range []string{"README.md", "docs/api.md"} {
		page, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, consoleCommands(string(page))...)
	}
	commands = slices.DeleteFunc(commands, func(c command) bool { return !strings.Contains(c.line, "curl") })
	url := start(t, newServer(t, Config{}, embedded(t)).Server)
	if len(commands) < 10 {
		t.Fatalf("only %d commands were found", len(commands))
	}
	for _, c := range commands {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(c.line, "http://127.0.0.1:5000", url))
		cmd.Dir = ".."
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
		}
		if want := pattern(c.output); !want.MatchString(rounded(string(out))) {
			t.Errorf("%s\nprints\n%s, documented is\n%s", c.line, out, c.output)
		}
	}
}

type command struct{ line, output string }

// consoleCommands finds "$ command" and what follows it in the console blocks of a page.
func consoleCommands(page string) []command {
	var found []command
	inside := false
	for line := range strings.SplitSeq(page, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && strings.HasPrefix(line, "$ "):
			found = append(found, command{line: line[2:]})
		case inside:
			found[len(found)-1].output += line + "\n"
		}
	}
	return found
}

func pattern(output string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(rounded(output))
	return regexp.MustCompile(`(?s)^` + strings.ReplaceAll(quoted, "…", ".*") + `$`)
}

var decimals = regexp.MustCompile(`(\.[0-9]{2})[0-9]+`)

func rounded(text string) string { return decimals.ReplaceAllString(text, "$1") }
