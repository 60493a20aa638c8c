package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// checkPage checks what every page must be: one document that needs nothing else, whose links lead somewhere.
func checkPage(tb testing.TB, name string, page []byte) *html.Node {
	tb.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	ids, links := map[string]bool{}, []string{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "image", "use"}, n.Data) {
			tb.Errorf("%s: element %s", name, n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "href":
				links = append(links, a.Val)
			case strings.HasPrefix(a.Key, "on"), a.Key == "src":
				tb.Errorf("%s: attribute %s=%q", name, a.Key, a.Val)
			}
		}
	}
	for _, l := range links {
		if !strings.HasPrefix(l, "#") || !ids[l[1:]] {
			tb.Errorf("%s: link to %q", name, l)
		}
	}
	for _, ugly := range []string{"NaN", "+Inf", "%!", "ZgotmplZ", "<nil>", "-0%"} {
		if i := bytes.Index(page, []byte(ugly)); i >= 0 {
			tb.Errorf("%s: page says %q", name, page[max(0, i-60):min(len(page), i+30)])
		}
	}
	return doc
}

// headings are the texts of elements with this name.
func headings(doc *html.Node, element string) []string {
	var out []string
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == element {
			out = append(out, textOf(n))
		}
	}
	return out
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestDataPage(t *testing.T) {
	table := leaky(t)
	var page bytes.Buffer
	if err := WriteData(&page, inspect(t, table, Options{Against: table})); err != nil {
		t.Fatal(err)
	}
	doc := checkPage(t, "data", page.Bytes())
	want := []string{
		"Findings", "Classes and labels", "What tells the classes apart", "Suspected leaks", "Distributions by class",
		"Columns that move together", "How test.csv differs", "All columns", "Terms",
	}
	if got := headings(doc, "h2"); !slices.Equal(got, want) {
		t.Errorf("sections %q, want %q", got, want)
	}
	if got := len(headings(doc, "svg")); got != 7 {
		t.Errorf("%d pictures, want 7", got) // labels, best columns, two distributions, labels' places, correlation, drift
	}
	if text := textOf(doc); !strings.Contains(text, "Column leak looks like a leak") || !strings.Contains(text, "Read as schema test/1") && !strings.Contains(text, "read as schema test/1") {
		t.Error("the page does not tell its findings or schema")
	}
}

func TestHostileNamesAreText(t *testing.T) {
	name := `<script>alert(1)</script>`
	var page bytes.Buffer
	if err := WriteData(&page, inspect(t, hostileTable(t, []string{name}), Options{})); err != nil {
		t.Fatal(err)
	}
	if text := textOf(checkPage(t, "hostile", page.Bytes())); !strings.Contains(text, name) {
		t.Error("the name is not on the page as text")
	}
}
