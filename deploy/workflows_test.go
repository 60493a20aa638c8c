package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func workflows(t *testing.T) (files []string) {
	t.Helper()
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(files) < 3 {
		t.Fatalf("workflows: %v, %v", files, err)
	}
	return files
}

// Actions are named by commit, the same for each everywhere, with the version beside; jobs get no more rights than they name.
func TestWorkflowsArePinned(t *testing.T) {
	uses := regexp.MustCompile(`(?m)^\s*-?\s*uses:\s*(\S+)(.*)$`)
	pinned := regexp.MustCompile(`^([\w./-]+)@([0-9a-f]{40})$`)
	commits := map[string]string{}
	for _, file := range workflows(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range uses.FindAllStringSubmatch(string(text), -1) {
			m := pinned.FindStringSubmatch(use[1])
			if m == nil || !regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`).MatchString(use[2]) {
				t.Errorf("%s: %s is not pinned by commit with its version", file, use[0])
				continue
			}
			if other, ok := commits[m[1]]; ok && other != m[2] {
				t.Errorf("%s: %s is %s here and %s elsewhere", file, m[1], m[2], other)
			}
			commits[m[1]] = m[2]
		}
		var w struct {
			Permissions map[string]string
			Jobs        map[string]struct {
				Permissions map[string]string
				Timeout     int `yaml:"timeout-minutes"`
			}
		}
		readYAML(t, file, &w)
		if w.Permissions == nil || len(w.Permissions) > 0 {
			t.Errorf("%s: the workflow as a whole has rights: %v", file, w.Permissions)
		}
		for name, job := range w.Jobs {
			if len(job.Permissions) == 0 || job.Timeout == 0 {
				t.Errorf("%s: job %s names no rights or no limit of time", file, name)
			}
		}
	}
	if commits["actions/checkout"] == "" {
		t.Error("no action was found")
	}
}

func TestWorkflowsAreSound(t *testing.T) {
	actionlint := tool(t, "actionlint")
	cmd := exec.Command(actionlint, "-shellcheck=", "-pyflakes=")
	cmd.Args = append(cmd.Args, workflows(t)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
	check, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skip("needs shellcheck to look into the scripts, too")
	}
	scripts, err := filepath.Glob("*.sh")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("*/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(check, append([]string{"--severity=warning"}, append(scripts, deeper...)...)...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, strings.TrimSpace(string(out)))
	}
}
