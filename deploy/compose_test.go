package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type service struct {
	Image       string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Healthcheck struct{ Test []string }
	Networks    []string
	Ports       []string
	Secrets     []string
	Volumes     []string
	Command     []string
	Environment map[string]string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
}

type stack struct {
	Services map[string]service
	Networks map[string]struct{ Internal bool }
	Volumes  map[string]any
	Secrets  map[string]struct{ File string }
}

func compose(t *testing.T) (s stack) {
	t.Helper()
	readYAML(t, "compose/compose.yaml", &s)
	return s
}

// Every service is pinned, asked for its health, and holds as little as it needs.
func TestCompose(t *testing.T) {
	s := compose(t)
	pinned := regexp.MustCompile(`^docker\.io/[a-z/]+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$`)
	for _, name := range []string{"mlids", "prometheus", "grafana", "influxdb", "telegraf"} {
		if _, ok := s.Services[name]; !ok {
			t.Errorf("there is no service %s", name)
		}
	}
	for name, v := range s.Services {
		if name != "mlids" && !pinned.MatchString(v.Image) {
			t.Errorf("%s: image %s is not pinned", name, v.Image)
		}
		if len(v.Healthcheck.Test) < 2 {
			t.Errorf("%s: nobody asks for its health", name)
		}
		if !v.ReadOnly || !slices.Equal(v.CapDrop, []string{"ALL"}) || !slices.Contains(v.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: more than it needs: %+v", name, v)
		}
		if !slices.Contains(v.Networks, "inner") {
			t.Errorf("%s: is not on the inner network", name)
		}
		checkService(t, s, name, v)
	}
	if !s.Networks["inner"].Internal {
		t.Error("the inner network is not internal")
	}
}

// checkService follows what a service names to where it is.
func checkService(t *testing.T, s stack, name string, v service) {
	t.Helper()
	for _, port := range v.Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") || !slices.Contains(v.Networks, "front") {
			t.Errorf("%s: publishes %s", name, port)
		}
	}
	for _, secret := range v.Secrets {
		if !strings.HasPrefix(s.Secrets[secret].File, "./secrets/") {
			t.Errorf("%s: no file for the secret %s", name, secret)
		}
	}
	for other, wait := range v.DependsOn {
		if _, ok := s.Services[other]; !ok || wait.Condition != "service_healthy" {
			t.Errorf("%s: waits for %s to be %s", name, other, wait.Condition)
		}
	}
	for _, volume := range v.Volumes {
		from, _, _ := strings.Cut(volume, ":")
		if _, ok := s.Volumes[from]; ok || from == "./data" {
			continue
		}
		if _, err := os.Stat(filepath.Join("compose", from)); err != nil || !strings.HasSuffix(volume, ":ro") {
			t.Errorf("%s: mounts %s: %v", name, volume, err)
		}
	}
	for key, value := range v.Environment {
		if regexp.MustCompile(`PASSWORD|TOKEN|SECRET|KEY$`).MatchString(key) && !strings.HasPrefix(value, "/run/secrets/") {
			t.Errorf("%s: %s is written down", name, key)
		}
	}
}

func TestComposeSchema(t *testing.T) {
	check := tool(t, "check-jsonschema")
	if out, err := exec.Command(check, "--builtin-schema", "vendor.compose-spec", "compose/compose.yaml").CombinedOutput(); err != nil {
		t.Errorf("compose.yaml: %v\n%s", err, out)
	}
}

// The secrets that up.sh makes are what compose.yaml mounts, are made once, and mlids takes its configuration.
func TestComposeSecrets(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program: not with -short")
	}
	dir := t.TempDir()
	script, err := os.ReadFile("compose/up.sh")
	if err != nil {
		t.Fatal(err)
	}
	up := filepath.Join(dir, "up.sh")
	if err := os.WriteFile(up, script, 0o700); err != nil {
		t.Fatal(err)
	}
	var before string
	for range 2 {
		if out, err := exec.Command("bash", up, "--secrets-only").CombinedOutput(); err != nil {
			t.Fatalf("up.sh: %v\n%s", err, out)
		}
		after := ""
		for name, secret := range compose(t).Secrets {
			text, err := os.ReadFile(filepath.Join(dir, secret.File))
			if err != nil || len(text) < 24 {
				t.Errorf("secret %s: %d bytes, %v", name, len(text), err)
			}
			if name == "mlids_key" {
				after = string(text)
			}
		}
		if before != "" && before != after {
			t.Error("a key that was there was made anew")
		}
		before = after
	}
	config, err := os.ReadFile(filepath.Join(dir, "secrets", "mlids.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	local := strings.ReplaceAll(string(config), "/run/secrets", filepath.Join(dir, "secrets"))
	file := filepath.Join(dir, "mlids.yaml")
	if err := os.WriteFile(file, []byte(local), 0o600); err != nil {
		t.Fatal(err)
	}
	mlids := []string{"go", "run", "../cmd/mlids"}
	if path := os.Getenv("MLIDS_BINARY"); path != "" {
		mlids = []string{path}
	}
	out, err := exec.Command(mlids[0], append(mlids[1:], "check", "serve", "--config", file)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "(hidden)") || strings.Contains(string(out), before) {
		t.Errorf("mlids check: %v\n%s", err, out)
	}
}
