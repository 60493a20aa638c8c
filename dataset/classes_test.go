package dataset_test

import (
	"encoding/csv"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"mlids/dataset"
	"mlids/internal/testdata"
)

func classOf(c *dataset.Classes, label string) string {
	k, ok := c.Of(label)
	if !ok {
		return "?"
	}
	return c.Names[k]
}

func TestKDD99Classes(t *testing.T) {
	c := dataset.KDD99()
	if want := []string{"normal", "dos", "probe", "r2l", "u2r"}; !slices.Equal(c.Names, want) {
		t.Errorf("classes are %q; want %q", c.Names, want)
	}
	for label, want := range map[string]string{
		"normal": "normal", "smurf": "dos", "SATAN": "probe", "httptunnel": "u2r", "snmpguess": "r2l", "": "?", "ddos": "?",
	} {
		if got := classOf(c, label); got != want {
			t.Errorf("%q is %s; want %s", label, got, want)
		}
	}
}

func TestKDD99ClassesAreOfficial(t *testing.T) {
	f, err := os.Open(testdata.Path(t, "kdd99", "attack_types.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	c := dataset.KDD99()
	for _, row := range rows[1:] {
		if got := classOf(c, row[0]); got != row[1] {
			t.Errorf("%s is %s; want %s", row[0], got, row[1])
		}
	}
}

func TestBenignOrAttack(t *testing.T) {
	c := dataset.BenignOrAttack()
	for label, want := range map[string]string{
		"BENIGN": "benign", "Benign": "benign", "benign": "benign", "normal": "benign", "Bot": "attack",
		"DoS Hulk - Attempted": "attack", "No Label": "?", "NeedManualLabel": "?", "": "?",
	} {
		if got := classOf(c, label); got != want {
			t.Errorf("%q is %s; want %s", label, got, want)
		}
	}
	if c := dataset.ClassesOf(schema(t, "kdd99")); len(c.Names) != 5 {
		t.Errorf("kdd99 has %d classes; want 5", len(c.Names))
	}
	if c := dataset.ClassesOf(schema(t, "cicflow")); len(c.Names) != 2 {
		t.Errorf("cicflow has %d classes; want 2", len(c.Names))
	}
}

func TestReadClasses(t *testing.T) {
	c, err := dataset.ReadClasses(strings.NewReader("\uFEFFAttack,Class\r\nBot,bad\r\n\"DoS, slow\",dos\nBENIGN, fine \n*,other\n"), "c.csv")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"fine", "bad", "dos", "other"}; !slices.Equal(c.Names, want) {
		t.Errorf("classes are %q; want %q", c.Names, want)
	}
	for label, want := range map[string]string{"bot": "bad", "DoS, slow": "dos", "benign": "fine", "new": "other", "": "?"} {
		if got := classOf(c, label); got != want {
			t.Errorf("%q is %s; want %s", label, got, want)
		}
	}
	if c, err = dataset.ReadClasses(strings.NewReader("x,attack\ny,Normal\n"), "c"); err != nil || c.Names[0] != "Normal" {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestReadClassesRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want error
		say  string
	}{
		"nothing":    {"", dataset.ErrLabel, "no class for benign"},
		"no benign":  {"attack,class\nbot,bad\n", dataset.ErrLabel, "no class for benign"},
		"one class":  {"benign,a\nbot,a\n", dataset.ErrLabel, "only class a"},
		"one field":  {"benign\n", dataset.ErrSyntax, "c.csv:1: malformed input: 1 fields"},
		"twice":      {"benign,a\nbot,b\nBot,c\n", dataset.ErrLabel, "c.csv:3"},
		"no class":   {"benign,a\nbot,\n", dataset.ErrLabel, "c.csv:2"},
		"open quote": {"benign,\"a\n", dataset.ErrSyntax, "c.csv:1"},
	} {
		if _, err := dataset.ReadClasses(strings.NewReader(c.text), "c.csv"); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: got %v; want %v with %q", name, err, c.want, c.say)
		}
	}
}

func TestUnknownLabelsAreNamed(t *testing.T) {
	table := mustCSV(t, "pkts,rate,proto,label\n1,1,6,normal\n1,1,6,smurf\n\n1,1,6,teardrop2\n1,1,6,teardrop2\n1,1,6,\n", dataset.Options{})
	_, err := table.Set(nil, dataset.KDD99())
	if !errors.Is(err, dataset.ErrLabel) {
		t.Fatalf("got %v; want ErrLabel", err)
	}
	for _, say := range []string{`"teardrop2" (first at t.csv:5)`, `"" (first at t.csv:7)`} {
		if !strings.Contains(err.Error(), say) {
			t.Errorf("%v does not say %s", err, say)
		}
	}
	table = mustCSV(t, "pkts,rate,proto\n1,1,6\n", dataset.Options{})
	if _, err := table.Set(nil, dataset.KDD99()); !errors.Is(err, dataset.ErrLabel) {
		t.Errorf("got %v; want ErrLabel for a table without labels", err)
	}
}
