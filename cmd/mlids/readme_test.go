package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commandLine finds command lines in documentation: `mlids VERB …` or `go run ./cmd/mlids VERB …` at the start of a line
// of a code block, perhaps behind a prompt.
var commandLine = regexp.MustCompile(`(?m)^\s*(?:\$ )?(?:go run \./cmd/)?mlids ([a-z][^\n|>#;&]*)`)

// Every command line in README and docs names a verb and flags that exist.
func TestDocumentedCommandsExist(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range append(docs, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range commandLine.FindAllStringSubmatch(codeBlocks(string(text)), -1) {
			count++
			if err := parses(strings.Fields(match[1])); err != nil {
				t.Errorf("%s: mlids %s: %v", filepath.Base(file), match[1], err)
			}
		}
	}
	if count == 0 {
		t.Error("no command line was found in README and docs")
	}
}

// codeBlocks returns the fenced parts of a Markdown text, continued lines joined.
func codeBlocks(text string) string {
	var b strings.Builder
	inside := false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "```") {
			inside = !inside
			continue
		}
		if inside {
			b.WriteString(line + "\n")
		}
	}
	return strings.ReplaceAll(b.String(), "\\\n", " ")
}

// parses checks a command line against the tree of verbs without running it.
func parses(args []string) error {
	root := (&app{}).command()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	cmd.InheritedFlags()
	cmd.FParseErrWhitelist = cobra.FParseErrWhitelist{}
	if err := cmd.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return nil
}

// Every target that the Makefile's help lists is described, and the documented ones exist.
func TestDocumentedTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"../../README.md", "../../CONTRIBUTING.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^make ([a-z-]+)`).FindAllStringSubmatch(codeBlocks(string(text)), -1) {
			if !strings.Contains(string(makefile), "\n"+match[1]+":") {
				t.Errorf("%s names make %s, which does not exist", filepath.Base(file), match[1])
			}
		}
	}
}
