package package_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// need skips where a tool is not to be had.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, log.String())
	}
	return string(out)
}

// release makes the archive and the packages of one version for this machine.
func release(t *testing.T) (folder string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds packages: not with -short")
	}
	bin, err := filepath.Abs("../../.build/bin")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	need(t, "git", "jq", "tar", "gzip", "dpkg-deb", "rpm", "nfpm", "cyclonedx-gomod") // make release-tools has the last two
	t.Setenv("VERSION", "v1.2.3")
	folder = filepath.Join(t.TempDir(), "dist")
	output(t, "../dist.sh", folder, "amd64")
	return folder
}

func TestRelease(t *testing.T) {
	folder := release(t)
	second := filepath.Join(t.TempDir(), "dist")
	again := exec.CommandContext(t.Context(), "../dist.sh", second, "amd64") // made while others look at the first
	var log bytes.Buffer
	again.Stdout, again.Stderr = &log, &log
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	deb := filepath.Join(folder, "mlids_1.2.3_amd64.deb")
	t.Run("checksums", func(t *testing.T) {
		cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Count(string(out), ": OK") != 4 {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("archive", func(t *testing.T) { archive(t, filepath.Join(folder, "mlids_1.2.3_linux_amd64.tar.gz")) })
	t.Run("deb", func(t *testing.T) { debian(t, deb) })
	t.Run("installed", func(t *testing.T) { installed(t, deb) })
	t.Run("rpm", func(t *testing.T) { redHat(t, filepath.Join(folder, "mlids-1.2.3-1.x86_64.rpm")) })
	t.Run("parts", func(t *testing.T) {
		parts := output(t, "jq", "-r", `.bomFormat, .metadata.component.name, .metadata.component.version, .components[].name`,
			filepath.Join(folder, "mlids_1.2.3_linux_amd64.cdx.json"))
		for _, want := range []string{"CycloneDX", "mlids", "v1.2.3", "github.com/spf13/cobra", "std"} {
			if !slices.Contains(strings.Fields(parts), want) {
				t.Errorf("the list of parts lacks %s:\n%s", want, parts)
			}
		}
	})
	t.Run("again", func(t *testing.T) {
		if err := again.Wait(); err != nil {
			t.Fatalf("dist.sh: %v\n%s", err, log.Bytes())
		}
		if a, b := sums(t, folder), sums(t, second); a != b {
			t.Errorf("built\n%s\nthen\n%s", a, b)
		}
	})
}

func sums(t *testing.T, folder string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func archive(t *testing.T, file string) {
	t.Helper()
	list := output(t, "tar", "-tzf", file)
	for _, want := range []string{
		"bin/mlids", "man/mlids.1", "man/mlids-serve.1", "completions/mlids.bash", "completions/_mlids", "completions/mlids.fish",
		"LICENSES.txt", "README.md", "mlids.yaml",
	} {
		if !strings.Contains(list, "mlids_1.2.3_linux_amd64/"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

func debian(t *testing.T, file string) {
	t.Helper()
	fields := output(t, "dpkg-deb", "--field", file)
	for _, want := range []string{"Package: mlids", "Version: 1.2.3", "Architecture: amd64"} {
		if !strings.Contains(fields, want) {
			t.Errorf("%q is not in\n%s", want, fields)
		}
	}
	need(t, "lintian")
	out, err := exec.Command("lintian", "--fail-on", "error,warning", file).CombinedOutput()
	if err != nil {
		t.Errorf("lintian: %v\n%s", err, out)
	}
}

// installed unpacks the package into an empty root (its scripts would change this machine), runs the program and checks the configuration that came along.
func installed(t *testing.T, file string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to install a package into a folder")
	}
	root := t.TempDir()
	for _, dir := range []string{"var/lib/dpkg/updates", "var/lib/dpkg/info", "usr/bin", "bin", "etc"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"status", "available"} {
		if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output(t, "dpkg", "--root="+root, "--unpack", "--force-not-root", "--force-script-chrootless", "--no-triggers", file)
	program := filepath.Join(root, "usr/bin/mlids")
	if v := output(t, program, "version"); !strings.HasPrefix(v, "mlids v1.2.3 ") {
		t.Errorf("the program says it is %s", v)
	}
	// Until it is configured, dpkg keeps the file under this name.
	settings := output(t, program, "check", "serve", "--config", filepath.Join(root, "etc/mlids/mlids.yaml.dpkg-new"))
	if !strings.Contains(settings, "127.0.0.1:5000") {
		t.Errorf("the configuration that came along gives\n%s", settings)
	}
	if status := output(t, "dpkg", "--root="+root, "--status", "mlids"); !strings.Contains(status, "/etc/mlids/mlids.yaml") {
		t.Errorf("the configuration is not marked as such:\n%s", status)
	}
	need(t, "mandoc")
	pages, err := filepath.Glob(filepath.Join(root, "usr/share/man/man1/*.gz"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		text := output(t, "gzip", "-dc", page)
		plain := filepath.Join(root, "page.1")
		if err := os.WriteFile(plain, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("mandoc", "-T", "lint", "-W", "error", plain).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(page), err, out)
		}
	}
}

func redHat(t *testing.T, file string) {
	t.Helper()
	about := output(t, "rpm", "-qp", "--qf", "%{NAME} %{VERSION} %{ARCH} %{BUILDHOST}\n", file)
	if about != "mlids 1.2.3 x86_64 mlids\n" {
		t.Errorf("says %q of itself", about)
	}
	files := output(t, "rpm", "-qlp", file)
	for _, want := range []string{"/usr/bin/mlids", "/usr/lib/systemd/system/mlids.service", "/usr/share/man/man1/mlids.1.gz"} {
		if !strings.Contains(files, want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
	if config := output(t, "rpm", "-qp", "--configfiles", file); config != "/etc/mlids/mlids.yaml\n" {
		t.Errorf("configuration files are %q", config)
	}
}

// TestUnit: systemd finds no fault with the unit, and little that is open to it.
func TestUnit(t *testing.T) {
	need(t, "systemd-analyze")
	if out, err := exec.Command("systemd-analyze", "--version").Output(); err != nil || strings.Contains(string(out), "systemd 24") {
		t.Skip("needs systemd-analyze of version 250 or later")
	}
	dir := t.TempDir()
	unit, err := os.ReadFile("mlids.service")
	if err != nil {
		t.Fatal(err)
	}
	runnable := strings.ReplaceAll(string(unit), "/usr/bin/mlids", "/bin/true") // it is not installed here
	runnable = strings.ReplaceAll(runnable, "Documentation=", "#")
	file := filepath.Join(dir, "mlids.service")
	if err := os.WriteFile(file, []byte(runnable), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", file).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// Ten times the exposure level: 2.0 of 10 at most.
	if out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20", file).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}
