package deploy_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.yaml.in/yaml/v3"
)

// registered are the names of the metrics that the program has: those in its code, and those of the runtime collectors that
// serve registers.
func registered(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			return metricsOf(path, names)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		names[f.GetName()] = true
	}
	return names
}

// metricsOf collects what stands in Name fields of a file. In "mlids_notify_" + name + "_total", name is the first argument of
// each call of the function around it.
func metricsOf(path string, names map[string]bool) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var arguments []string
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
			if text, ok := literal(call.Args[0]); ok {
				arguments = append(arguments, text)
			}
		}
		return true
	})
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		if key, ok := pair.Key.(*ast.Ident); !ok || key.Name != "Name" {
			return true
		}
		if text, ok := literal(pair.Value); ok {
			names[text] = true
			return true
		}
		before, after, ok := around(pair.Value)
		for _, a := range arguments {
			if ok {
				names[before+a+after] = true
			}
		}
		return true
	})
	return nil
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// around splits "a" + x + "b" or "a" + x.
func around(e ast.Expr) (before, after string, ok bool) {
	sum, isSum := e.(*ast.BinaryExpr)
	if !isSum {
		return "", "", false
	}
	if before, ok = literal(sum.X); ok {
		return before, "", true
	}
	if after, ok = literal(sum.Y); !ok {
		return "", "", false
	}
	before, _, ok = around(sum.X)
	return before, after, ok
}

var (
	metricName = regexp.MustCompile(`\b(?:mlids|go|process|prometheus)_[a-z0-9_]+\b`)
	histogram  = regexp.MustCompile(`_(?:bucket|sum|count)$`)
)

// known reports whether a name in an expression is a metric's or a part of a histogram.
func known(names map[string]bool, name string) bool {
	return names[name] || names[histogram.ReplaceAllString(name, "")]
}

// Every metric that rules and the dashboard ask for is one that the program has.
func TestMetricsExist(t *testing.T) {
	names := registered(t)
	for _, want := range []string{"mlids_http_requests_total", "mlids_notify_sent_total", "go_goroutines"} {
		if !names[want] {
			t.Fatalf("%s is not found in the code: this test is blind", want)
		}
	}
	if known(names, "mlids_no_such_metric_total") {
		t.Fatal("a metric that nobody has is known: this test is blind")
	}
	var asked []string
	for _, r := range rules(t) {
		asked = append(asked, metricName.FindAllString(r.Expr, -1)...)
	}
	for _, p := range dashboard(t, "grafana/service.json").Panels {
		for _, target := range p.Targets {
			asked = append(asked, metricName.FindAllString(target.Expr, -1)...)
		}
	}
	if len(asked) < 20 {
		t.Errorf("only %d metrics are asked for", len(asked))
	}
	slices.Sort(asked)
	for _, name := range slices.Compact(asked) {
		if !known(names, name) {
			t.Errorf("no metric is called %s", name)
		}
	}
}

type rule struct {
	Alert, Expr string
	Labels      map[string]string
	Annotations map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	readYAML(t, "prometheus/rules.yml", &file)
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func TestRulesSayWhatToDo(t *testing.T) {
	for _, r := range rules(t) {
		if r.Annotations["summary"] == "" || !slices.Contains([]string{"warning", "critical"}, r.Labels["severity"]) {
			t.Errorf("%s has no summary or severity", r.Alert)
		}
	}
}

// TestPromtool: Prometheus takes rules and configuration, and the rules fire when they should.
func TestPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	for _, args := range [][]string{
		{"check", "rules", "rules.yml"},
		{"check", "config", "--syntax-only", "prometheus.yml"},
		{"test", "rules", "rules_test.yml"},
	} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = "prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	tests, err := os.ReadFile("prometheus/rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		if !strings.Contains(string(tests), r.Alert) {
			t.Errorf("no test makes %s fire", r.Alert)
		}
	}
}

// tool finds a program on the path or where lab/tools.sh and the Makefile put it.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "../.build/bin/" + name, "../.build/peers/bin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			absolute, err := filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			return absolute
		}
	}
	t.Skipf("needs %s", name)
	return ""
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
