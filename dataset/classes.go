package dataset

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mlids/feature"
)

// Classes says which class each label belongs to.
type Classes struct {
	Names []string // Names[0] is the benign class

	of       map[string]int32 // label in lower case → class
	fallback int32            // of labels that are not in the table; -1 for none
}

// benign are the spellings of the label of traffic that is no attack.
var benign = []string{"benign", "normal"}

// unlabelled are what CICFlowMeter writes where a label should be, and no label at all.
var unlabelled = []string{"", "no label", "needmanuallabel", "?"}

// KDD99 is the table of KDD Cup 1999 and NSL-KDD: normal, dos, probe, r2l and u2r. Labels that it does not have are an
// error.
func KDD99() *Classes {
	c := &Classes{of: map[string]int32{}, fallback: -1}
	for i, group := range kdd99Attacks {
		c.Names = append(c.Names, group.class)
		for _, attack := range group.attacks {
			c.of[attack] = int32(i)
		}
	}
	return c
}

// BenignOrAttack is the table of two classes, benign and attack: everything is an attack that is not labelled benign or
// normal. Names of attempts ("… - Attempted") are attacks like others.
func BenignOrAttack() *Classes {
	c := &Classes{Names: []string{"benign", "attack"}, of: map[string]int32{}, fallback: 1}
	for _, b := range benign {
		c.of[b] = 0
	}
	return c
}

// ClassesOf is the table that comes with a schema: KDD99 for kdd99, BenignOrAttack for others.
func ClassesOf(s *feature.Schema) *Classes {
	if s.Name == "kdd99" {
		return KDD99()
	}
	return BenignOrAttack()
}

// ReadClasses reads a table from CSV with the columns attack and class. An attack * stands for all that are not listed.
// The first class is that of the label benign or normal, or else the one that is called so; the others follow in order
// of first appearance.
func ReadClasses(r io.Reader, name string) (*Classes, error) {
	c := &Classes{of: map[string]int32{}, fallback: -1}
	lines := newRecords(r, Limits{}.orDefault().Record)
	var attacks, classes []string
	for {
		fields, line, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if len(fields) != 2 || len(attacks) >= maxLabels {
			return nil, fmt.Errorf("%s:%d: %w: %d fields in row %d; want attack,class in at most %d rows",
				name, line, ErrSyntax, len(fields), len(attacks)+1, maxLabels)
		}
		attack, class := cleanName(fields[0]), cleanName(fields[1])
		if len(attacks) == 0 && strings.EqualFold(attack, "attack") && strings.EqualFold(class, "class") {
			continue // the header
		}
		if class == "" || attack == "" || slices.Contains(attacks, strings.ToLower(attack)) {
			return nil, fmt.Errorf("%s:%d: %w: %q,%q; want each attack once, with a class", name, line, ErrLabel, attack, class)
		}
		attacks, classes = append(attacks, strings.ToLower(attack)), append(classes, class)
	}
	if err := c.name(attacks, classes); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i, attack := range attacks {
		class := int32(slices.Index(c.Names, classes[i]))
		if attack == "*" {
			c.fallback = class
			continue
		}
		c.of[attack] = class
	}
	return c, nil
}

func cleanName(field []byte) string {
	return strings.TrimSpace(strings.ToValidUTF8(strings.TrimPrefix(string(field), "\uFEFF"), "\uFFFD"))
}

// name puts the classes in order.
func (c *Classes) name(attacks, classes []string) error {
	first := slices.IndexFunc(attacks, func(a string) bool { return slices.Contains(benign, a) })
	if first < 0 {
		first = slices.IndexFunc(classes, func(n string) bool { return slices.Contains(benign, strings.ToLower(n)) })
	}
	if first < 0 {
		return fmt.Errorf("%w: no class for benign or normal traffic", ErrLabel)
	}
	c.Names = []string{classes[first]}
	for _, n := range classes {
		if !slices.Contains(c.Names, n) {
			c.Names = append(c.Names, n)
		}
	}
	if len(c.Names) < 2 {
		return fmt.Errorf("%w: only class %s; want at least two", ErrLabel, c.Names[0])
	}
	return nil
}

// Of is the class of a label, an index in Names. It reports false for a label that no row and no default covers. Case
// does not matter.
func (c *Classes) Of(label string) (int, bool) {
	key := strings.ToLower(label)
	if k, ok := c.of[key]; ok {
		return int(k), true
	}
	if slices.Contains(unlabelled, key) || c.fallback < 0 {
		return 0, false
	}
	return int(c.fallback), true
}

// classes maps a table's label codes to classes.
func (t *Table) classes(c *Classes) ([]int32, error) {
	if t.Label == nil {
		return nil, fmt.Errorf("%w: %s has no column of labels (%s)", ErrLabel, t.Source, strings.Join(t.Schema.Label, ", "))
	}
	of := make([]int32, len(t.Labels))
	var unknown []string
	for i, name := range t.Labels {
		k, ok := c.Of(name)
		of[i] = int32(k)
		if !ok {
			row := slices.Index(t.Label, int32(i))
			unknown = append(unknown, fmt.Sprintf("%q (first at %s)", name, t.Where(row)))
		}
	}
	if len(unknown) > 0 {
		const most = 10
		more := ""
		if n := len(unknown) - most; n > 0 {
			unknown, more = unknown[:most], fmt.Sprintf(" and %d more", n)
		}
		return nil, fmt.Errorf("%w: no class for %s%s; want one of %d known attack types or a table with a * row",
			ErrLabel, strings.Join(unknown, ", "), more, len(c.of))
	}
	return of, nil
}
