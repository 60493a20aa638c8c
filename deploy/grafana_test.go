package deploy_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type source struct{ Type, UID string }

type board struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type string }
	}
	Panels []struct {
		ID          int
		Title, Type string
		Datasource  source
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct {
			RefID, Expr, Query string
			Datasource         source
		}
	}
}

func dashboard(t *testing.T, name string) (b board) {
	t.Helper()
	readJSON(t, name, &b)
	return b
}

// Dashboards load without edits: their parts are named once, lie side by side, and each asks its source something.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob("grafana/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	var uids []string
	for _, file := range files {
		b := dashboard(t, file)
		if b.UID == "" || slices.Contains(uids, b.UID) || b.Title == "" || b.SchemaVersion < 36 {
			t.Errorf("%s: uid %q, title %q, schema %d", file, b.UID, b.Title, b.SchemaVersion)
		}
		uids = append(uids, b.UID)
		if len(b.Templating.List) == 0 || b.Templating.List[0].Name != "datasource" || b.Templating.List[0].Type != "datasource" {
			t.Errorf("%s: the first variable is not the data source", file)
		}
		checkPanels(t, file, b)
	}
}

func checkPanels(t *testing.T, file string, b board) {
	t.Helper()
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range b.Panels {
		if p.ID < 1 || ids[p.ID] {
			t.Errorf("%s: panel %q has number %d, which is taken or none", file, p.Title, p.ID)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X+g.W > 24 {
			t.Errorf("%s: panel %q lies at %+v", file, p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" {
					t.Fatalf("%s: panel %q lies over %q", file, p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("%s: panel %q has %d queries to %q", file, p.Title, len(p.Targets), p.Datasource.UID)
		}
		var refs []string
		for _, target := range p.Targets {
			if target.Expr+target.Query == "" || target.Datasource != p.Datasource || slices.Contains(refs, target.RefID) {
				t.Errorf("%s: panel %q, query %q: %+v", file, p.Title, target.RefID, target)
			}
			refs = append(refs, target.RefID)
		}
	}
}

// What is provisioned is what the dashboards and Compose have: a source for each kind, at the service's address.
func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, URL string
			SecureJSONData       map[string]string `yaml:"secureJsonData"`
		}
	}
	readYAML(t, "grafana/provisioning/datasources/mlids.yaml", &sources)
	services := compose(t).Services
	var types []string
	for _, d := range sources.Datasources {
		types = append(types, d.Type)
		host, _, _ := strings.Cut(strings.TrimPrefix(d.URL, "http://"), ":")
		if _, ok := services[host]; !ok || d.UID == "" {
			t.Errorf("source %s is at %s with uid %q", d.Name, d.URL, d.UID)
		}
		for _, value := range d.SecureJSONData {
			secret, ok := strings.CutPrefix(value, "$__file{/run/secrets/")
			if !ok || !slices.Contains(services["grafana"].Secrets, strings.TrimSuffix(secret, "}")) {
				t.Errorf("source %s reads its secret from %q", d.Name, value)
			}
		}
	}
	if !slices.Equal(types, []string{"prometheus", "influxdb"}) {
		t.Errorf("sources are %v", types)
	}
	var boards struct {
		Providers []struct {
			Options struct{ Path string }
		}
	}
	readYAML(t, "grafana/provisioning/dashboards/mlids.yaml", &boards)
	for _, file := range []string{"service.json", "verdicts.json"} {
		want := "../grafana/" + file + ":" + boards.Providers[0].Options.Path + "/" + file + ":ro"
		if !slices.Contains(services["grafana"].Volumes, want) {
			t.Errorf("Compose does not mount %s", want)
		}
	}
}
