package main

import (
	"errors"
	"fmt"
	"strings"
)

// errUnfit is a dependency that may not be handed out, or nobody knows why it is there.
var errUnfit = errors.New("dependency unfit")

// page is docs/dependencies.md.
func page(modules []module, reasons string) (string, error) {
	why := parse(reasons)
	var b strings.Builder
	b.WriteString("# What else is in the program\n\n```sh\ngo run ./deploy/deps   # writes this page; a test fails when it is out of date\n")
	b.WriteString("make sbom              # the same for machines, as CycloneDX\n```\n\n")
	b.WriteString("Modules whose code is linked into `mlids` for Linux. Licences are read from their files; other than permissive ones\n")
	b.WriteString("and MPL-2.0 fail the test. Their texts go with every package and archive (`copyright`, `LICENSES.txt`). Go's own library\nis BSD-3-Clause.\n\n")
	b.WriteString("| module | version | licence | why |\n|---|---|---|---|\n")
	var errs []error
	for _, m := range modules {
		reason := why[m.Path]
		switch {
		case len(m.Users) == 0:
			reason = "through " + m.Through
		case reason == "":
			errs = append(errs, fmt.Errorf("%w: %s has no reason: add a line to deploy/deps/reasons.txt", errUnfit, m.Path))
		default:
			reason += " (" + strings.Join(m.Users, ", ") + ")"
		}
		errs = append(errs, fit(m))
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", m.Path, m.Version, strings.Join(m.Licences, ", "), reason)
	}
	fmt.Fprintf(&b, "\n%d modules.\n", len(modules))
	return b.String(), errors.Join(errs...)
}

func fit(m module) error {
	if len(m.Licences) == 0 {
		return fmt.Errorf("%w: %s has no licence that is known here", errUnfit, m.Path)
	}
	for _, l := range m.Licences {
		if !compatible(l) {
			return fmt.Errorf("%w: %s is under %s", errUnfit, m.Path, l)
		}
	}
	return nil
}

// parse reads "module: reason" lines.
func parse(text string) map[string]string {
	why := map[string]string{}
	for line := range strings.Lines(text) {
		if path, reason, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(line, "#") {
			why[path] = reason
		}
	}
	return why
}

// full is the text of all licences.
func full(modules []module) string {
	var b strings.Builder
	b.WriteString("mlids contains code of these modules, under these licences.\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "\n%s\n%s %s (%s)\n\n", strings.Repeat("=", 80), m.Path, m.Version, strings.Join(m.Licences, ", "))
		b.WriteString(strings.Join(m.Texts, "\n\n"+strings.Repeat("-", 80)+"\n\n"))
		b.WriteString("\n")
	}
	return b.String()
}
