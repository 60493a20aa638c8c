package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mlids/dataset"
	"mlids/internal/testdata"
)

// bad are tables that nobody hopes for; each must give a page and JSON.
func bad(tb testing.TB) map[string]*dataset.Table {
	tb.Helper()
	columns := 1000
	if testdata.Race {
		columns = 200 // each is compared to each
	}
	wide := make([]string, columns)
	for i := range wide {
		wide[i] = fmt.Sprintf("c%d", i)
	}
	header := strings.Join(wide, ",") + ",label"
	hostile := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `{{.}}`, "' onload='x", strings.Repeat("long", 300)}
	return map[string]*dataset.Table{
		"no rows":          read(tb, "a,b,label\n", "a", "b"),
		"one row":          read(tb, "a,b,label\n1,2,benign\n", "a", "b"),
		"one class":        read(tb, rows("a,label", 90, func(i int) string { return fmt.Sprint(i, ",benign") }), "a"),
		"no benign rows":   read(tb, rows("a,label", 90, func(i int) string { return fmt.Sprint(i, ",worm", i%2) }), "a"),
		"no label":         read(tb, rows("a,b", 90, func(i int) string { return fmt.Sprint(i, ",", i*i) }), "a", "b"),
		"labels unknown":   read(tb, rows("a,label", 90, func(i int) string { return fmt.Sprint(i, ",?") }), "a"),
		"all missing":      read(tb, "a,b,label\n,,benign\nNaN,inf,DoS\n,-inf,DoS\n", "a", "b"),
		"infinite numbers": read(tb, "a,label\n1e300,benign\n-1e300,DoS\n1e39,DoS\n", "a"),
		"tiny numbers":     read(tb, "a,label\n1e-40,benign\n-1e-45,DoS\n0,DoS\n", "a"),
		"no known columns": read(tb, "z,label\n1,benign\n2,DoS\n", "a"),
		"many columns": read(tb, rows(header, 60, func(i int) string {
			return strings.TrimSuffix(strings.Repeat(fmt.Sprint(i*i%17, ","), columns), ",") + "," + []string{"benign", "DoS"}[i%2]
		}), wide...),
		"hostile names": hostileTable(tb, hostile),
	}
}

// hostileTable has names that would like to be more than names, as columns, labels, values and source.
func hostileTable(tb testing.TB, names []string) *dataset.Table {
	tb.Helper()
	t := read(tb, rows("a,b,c,d,e,x,label", 300, func(i int) string {
		label := "benign"
		if i%3 > 0 {
			label = `"` + strings.ReplaceAll(names[i%len(names)], `"`, `""`) + `"`
		}
		return fmt.Sprintf("%d,%d,%d,%d,%d,%s,%s", i%3, i%3*2, i, i%7, i*i%1013, `"<b>v</b>"`, label)
	}), "a", "b", "c", "d", "e", "x?")
	for i, n := range names {
		t.Schema.Columns[i].Name, t.Schema.Columns[i].Meaning, t.Schema.Columns[i].Unit = n, n, n
	}
	t.Source = `</title><script>alert("source")</script>`
	t.Ignored = names
	return t
}

func TestBadTablesGivePages(t *testing.T) {
	tables := bad(t)
	other := read(t, "a,label\n5,benign\n6,Worm\n", "a")
	for name, table := range tables {
		for _, against := range []*dataset.Table{nil, table, other} {
			r := inspect(t, table, Options{Against: against})
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("%s: JSON: %v", name, err)
			}
			var page bytes.Buffer
			if err := WriteData(&page, r); err != nil {
				t.Errorf("%s: page: %v", name, err)
				continue
			}
			checkPage(t, name, page.Bytes())
			if len(r.Findings) == 0 {
				t.Errorf("%s: no findings", name)
			}
		}
	}
}

func TestBadTablesAreNamed(t *testing.T) {
	tables := bad(t)
	for name, want := range map[string]string{
		"no rows":          "no rows",
		"one row":          "one class",
		"one class":        "All labelled rows are of one class",
		"no benign rows":   "All labelled rows are of one class",
		"no label":         "no labels",
		"labels unknown":   "without a class: ?",
		"all missing":      "a (all), b (all)",
		"no known columns": "None of the schema's columns",
	} {
		if !found(inspect(t, tables[name], Options{}), want) {
			t.Errorf("%s: no finding says %q", name, want)
		}
	}
}

func found(r *DataReport, text string) bool {
	for _, f := range r.Findings {
		if strings.Contains(f.Text, text) {
			return true
		}
	}
	return false
}
