package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// man is what the packages are made with: a page for each verb. It is not listed by --help.
func (a *app) man() *cobra.Command {
	return &cobra.Command{
		Use:   "man [FOLDER]",
		Short: "Print the manual page of mlids, or write those of all verbs into a folder",
		Example: `  mlids man | man -l -
  mlids man /usr/local/share/man/man1`,
		Args:   cobra.MaximumNArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return manPage(a.out, cmd.Root())
			}
			return writeManPages(cmd.Root(), args[0])
		},
	}
}

func writeManPages(cmd *cobra.Command, folder string) error {
	var page bytes.Buffer
	if err := manPage(&page, cmd); err != nil {
		return err
	}
	name := filepath.Join(folder, manName(cmd)+".1")
	if err := os.WriteFile(name, page.Bytes(), 0o644); err != nil { //nolint:gosec // everybody may read a manual
		return err
	}
	for _, sub := range verbs(cmd) {
		if err := writeManPages(sub, folder); err != nil {
			return err
		}
	}
	return nil
}

// verbs are the commands below one that have a page.
func verbs(cmd *cobra.Command) []*cobra.Command {
	var found []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			found = append(found, sub)
		}
	}
	return found
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage writes one page in the man(7) macros.
func manPage(w io.Writer, cmd *cobra.Command) error {
	cmd.InitDefaultHelpFlag()
	var p roff
	p.line(".TH %q 1 \"\" %q \"mlids\"", strings.ToUpper(manName(cmd)), "mlids "+buildVersion())
	p.line(".SH NAME")
	p.line("%s \\- %s", escape(manName(cmd)), escape(cmd.Short))
	p.line(".SH SYNOPSIS")
	p.line(".B %s", escape(cmd.UseLine()))
	p.line(".SH DESCRIPTION")
	p.paragraphs(cmp.Or(cmd.Long, cmd.Short))
	if subs := verbs(cmd); len(subs) > 0 {
		p.line(".SH VERBS")
		for _, sub := range subs {
			p.line(".TP\n.BR %s (1)\n%s", escape(manName(sub)), escape(sub.Short))
		}
	}
	p.options("OPTIONS", cmd.NonInheritedFlags())
	p.options("OPTIONS OF ALL VERBS", cmd.InheritedFlags())
	if cmd.Example != "" {
		p.line(".SH EXAMPLES\n.nf\n%s\n.fi", escape(cmd.Example))
	}
	if !cmd.HasParent() {
		p.line(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage or bad input, 3 attacks found (detect).")
		p.line(".SH ENVIRONMENT\nEach option has a variable, such as MLIDS_DATA_DIR for \\-\\-data\\-dir. Options go before variables, variables before the file of \\-\\-config.")
	} else {
		p.line(".SH SEE ALSO\n.BR %s (1)", escape(manName(cmd.Parent())))
	}
	_, err := w.Write(p.Bytes())
	return err
}

// roff collects a page.
type roff struct{ bytes.Buffer }

func (p *roff) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *roff) paragraphs(text string) {
	for i, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.line(".PP")
		}
		if strings.HasPrefix(part, " ") || strings.HasPrefix(part, "\t") {
			part = ".nf\n" + escape(strings.ReplaceAll(part, "\t", "  ")) + "\n.fi"
		} else {
			part = escape(part)
		}
		p.line("%s", part)
	}
}

func (p *roff) options(title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	p.line(".SH %s", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		p.line(".TP\n.B %s\n%s", escape(name), escape(usage+manDefault(f)))
	})
}

// manDefault tells a flag's default where it says something; that of the data folder is not this machine's.
func manDefault(f *pflag.Flag) string {
	switch {
	case f.Name == "data-dir":
		return " (default $XDG_STATE_HOME/mlids)"
	case f.DefValue == "" || f.DefValue == "0" || f.DefValue == "0s" || f.DefValue == "false" || f.DefValue == "[]":
		return ""
	}
	return " (default " + f.DefValue + ")"
}

// escape keeps roff from reading text as requests: backslashes, hyphens, and dots and quotes at the start of a line.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
