// Package deploy_test checks the files for the clouds with the clouds' own tools. No cloud is asked: their commands are the
// ones that only read files, or stubs.
package deploy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("needs %s", tool)
	}
}

// command runs a command without credentials, home or network of this machine's user.
func command(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "CLOUDSDK_")
	}), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func rendered(t *testing.T) string {
	t.Helper()
	need(t, "bash")
	out, err := command(t, "aws", nil, "bash", "render.sh", "123456789012", "eu-central-1", "v1.2.3")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, left := range []string{"ACCOUNT_ID", `:TAG"`, `"REGION"`, ":REGION:"} {
		if strings.Contains(out, left) {
			t.Errorf("%s is left over", left)
		}
	}
	return out
}

// The AWS command line knows every key and type of a task definition; with --generate-cli-skeleton output it asks nobody.
func TestTaskDefinition(t *testing.T) {
	text := rendered(t)
	need(t, "aws")
	register := func(text string) (string, error) {
		file := filepath.Join(t.TempDir(), "task.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return command(t, "", []string{"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true"},
			"aws", "ecs", "register-task-definition", "--region", "eu-central-1", "--cli-input-json", "file://"+file, "--generate-cli-skeleton", "output")
	}
	if out, err := register(text); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, change := range [][2]string{{`"readonlyRootFilesystem"`, `"readOnlyRoot"`}, {`"containerPort": 5000`, `"containerPort": "http"`}} {
		if out, err := register(strings.Replace(text, change[0], change[1], 1)); err == nil {
			t.Errorf("%s was taken:\n%s", change[1], out)
		}
	}
}

func TestTaskDefinitionIsLocked(t *testing.T) {
	var task struct {
		ContainerDefinitions []struct {
			User                   string
			ReadonlyRootFilesystem bool
			Secrets                []struct{ Name, ValueFrom string }
			Environment            []struct{ Name, Value string }
			HealthCheck            struct{ Command []string }
		}
	}
	if err := json.Unmarshal([]byte(rendered(t)), &task); err != nil {
		t.Fatal(err)
	}
	c := task.ContainerDefinitions[0]
	if c.User != "65532:65532" || !c.ReadonlyRootFilesystem || len(c.HealthCheck.Command) == 0 {
		t.Errorf("%+v", c)
	}
	if s := c.Secrets[0]; s.Name != "MLIDS_KEY" || !strings.HasPrefix(s.ValueFrom, "arn:aws:ssm:") {
		t.Errorf("secrets %+v", c.Secrets)
	}
	for _, e := range c.Environment {
		if strings.Contains(e.Name, "KEY") || strings.Contains(e.Name, "SECRET") || e.Name == "MLIDS_INSECURE" {
			t.Errorf("%s is set", e.Name)
		}
	}
}

func TestTerraform(t *testing.T) {
	need(t, "terraform")
	for _, cloud := range []string{"aws", "gcp"} {
		if out, err := command(t, "", nil, "terraform", "fmt", "-check", "-diff", filepath.Join(cloud, "terraform")); err != nil {
			t.Errorf("%s: %v\n%s", cloud, err, out)
		}
	}
	for cloud, provider := range map[string]string{"aws": "aws", "gcp": "google"} {
		t.Run(cloud, func(t *testing.T) {
			plugins := pluginFolder(provider)
			if plugins == "" {
				t.Skipf("needs Terraform's provider %s on disk (MLIDS_TERRAFORM_PLUGINS names the folder)", provider)
			}
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, cloud), os.DirFS(cloud)); err != nil {
				t.Fatal(err)
			}
			dir = filepath.Join(dir, cloud, "terraform")
			for _, args := range [][]string{{"init", "-backend=false", "-plugin-dir=" + plugins, "-no-color"}, {"validate", "-no-color"}} {
				if out, err := command(t, dir, []string{"CHECKPOINT_DISABLE=1"}, "terraform", args...); err != nil {
					t.Fatalf("%s: %v\n%s", args[0], err, out)
				}
			}
		})
	}
}

// pluginFolder looks where providers are usually unpacked.
func pluginFolder(provider string) string {
	home, _ := os.UserHomeDir()
	for _, pattern := range []string{
		os.Getenv("MLIDS_TERRAFORM_PLUGINS"), filepath.Join(home, ".terraform.d", "plugins"), "/usr/share/terraform/*", "/usr/local/share/terraform/*", "/opt/*",
	} {
		found, _ := filepath.Glob(filepath.Join(pattern, "registry.terraform.io", "hashicorp", provider))
		if pattern != "" && len(found) > 0 {
			return filepath.Dir(filepath.Dir(filepath.Dir(found[0])))
		}
	}
	return ""
}

func TestScriptsAreClean(t *testing.T) {
	need(t, "shellcheck")
	var scripts []string
	for _, pattern := range []string{"aws/*.sh", "gcp/*.sh"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		scripts = append(scripts, found...)
	}
	if out, err := command(t, "", nil, "shellcheck", scripts...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// stubs are commands that note how they were called. fail lists beginnings of calls that end with an error.
func stubs(t *testing.T, fail ...string) (env []string, calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	for _, name := range []string{"aws", "gcloud", "docker", "go", "buildah", "podman"} {
		var script strings.Builder
		script.WriteString("#!/bin/sh\necho \"" + name + " $*\" >>" + log + "\n")
		for _, f := range fail {
			script.WriteString("case \"" + name + " $*\" in \"" + f + "\"*) exit 1;; esac\n")
		}
		script.WriteString("case \"$*\" in *get-caller-identity*) echo 123456789012;; *get-login-password*) echo password;; login*|*' -') cat >/dev/null;; esac\n")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script.String()), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"PATH=" + dir + ":" + os.Getenv("PATH")}, func() []string {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
}

// copied is the folder with a build.sh that only notes its call.
func copied(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "container", "build.sh"), []byte("#!/bin/sh\ndocker build.sh \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inOrder wants calls that begin so, in this order.
func inOrder(t *testing.T, calls, want []string) {
	t.Helper()
	rest := calls
	for _, w := range want {
		i := slices.IndexFunc(rest, func(c string) bool { return strings.HasPrefix(c, w) })
		if i < 0 {
			t.Errorf("%q does not follow in\n%s", w, strings.Join(calls, "\n"))
			return
		}
		rest = rest[i+1:]
	}
}

func TestPush(t *testing.T) {
	need(t, "bash")
	dir := copied(t)
	env, calls := stubs(t, "aws ecr describe-repositories")
	out, err := command(t, dir, env, "bash", "aws/push.sh", "--region", "eu-central-1", "--tag", "v1", "--root-user")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mlids:v1"
	inOrder(t, calls(), []string{
		"aws sts get-caller-identity", "aws ecr describe-repositories", "aws ecr create-repository", "docker build.sh " + image,
		"docker build -t " + image + " -", "docker push " + image,
	})
	if !strings.HasSuffix(out, image+"\n") || strings.Contains(out, "password\n") {
		t.Errorf("printed\n%s", out)
	}
	env, calls = stubs(t)
	if out, err := command(t, dir, env, "bash", "aws/push.sh", "--region", "eu-central-1", "--tag", "v1"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if again := strings.Join(calls(), "\n"); strings.Contains(again, "create-repository") {
		t.Errorf("a second push makes the repository again:\n%s", again)
	}
	if out, err := command(t, dir, env, "bash", "aws/push.sh"); err == nil {
		t.Errorf("without a region:\n%s", out)
	}
}

func TestSageMakerScript(t *testing.T) {
	need(t, "bash")
	env, calls := stubs(t)
	for _, args := range [][]string{
		{"train", "--name", "j", "--image", "i", "--role", "r", "--data", "s3://b/train", "--validation", "s3://b/v", "--out", "s3://b/out", "algorithm=boost", "fpr=0.01"},
		{"host", "--name", "e", "--image", "i", "--role", "r", "--model", "s3://b/out/model.tar.gz"},
	} {
		if out, err := command(t, "aws", env, "bash", append([]string{"sagemaker.sh"}, args...)...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	inOrder(t, calls(), []string{
		"aws sagemaker create-training-job --training-job-name j", "aws sagemaker wait training-job", "aws sagemaker describe-training-job",
		"aws sagemaker create-model --model-name e", "aws sagemaker create-endpoint-config", "aws sagemaker create-endpoint ", "aws sagemaker wait endpoint-in-service",
	})
	if all := strings.Join(calls(), "\n"); !strings.Contains(all, "--hyper-parameters algorithm=boost,fpr=0.01") || !strings.Contains(all, "MLIDS_SAGEMAKER_CONTAINER=true") {
		t.Errorf("calls\n%s", all)
	}
}

func TestDeployOnCloudRun(t *testing.T) {
	need(t, "bash")
	dir := copied(t)
	env, calls := stubs(t, "gcloud artifacts repositories describe")
	out, err := command(t, dir, env, "bash", "gcp/deploy.sh", "--project", "acme", "--region", "europe-west1", "--tag", "v1")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const image = "europe-west1-docker.pkg.dev/acme/mlids/mlids:v1"
	inOrder(t, calls(), []string{
		"gcloud services enable run.googleapis.com", "gcloud artifacts repositories create mlids", "gcloud secrets describe mlids-key",
		"gcloud secrets add-iam-policy-binding", "docker build.sh " + image, "gcloud auth configure-docker", "docker push " + image, "gcloud run services replace",
	})
	if all := strings.Join(calls(), "\n"); strings.Contains(all, "service-accounts create") {
		t.Errorf("what is there is made again:\n%s", all)
	}
	env, calls = stubs(t, "gcloud secrets describe")
	if out, err := command(t, dir, env, "bash", "gcp/deploy.sh", "--project", "acme", "--region", "europe-west1", "--tag", "v1"); err == nil ||
		strings.Contains(strings.Join(calls(), "\n"), "services replace") {
		t.Errorf("without a key it deploys:\n%s", out)
	}
}

func TestDryRuns(t *testing.T) {
	need(t, "bash")
	for script, args := range map[string][]string{
		"aws/push.sh":   {"--region", "eu-central-1", "--tag", "v1", "--dry-run"},
		"gcp/deploy.sh": {"--project", "acme", "--region", "europe-west1", "--tag", "v1", "--dry-run"},
	} {
		env, _ := stubs(t)
		out, err := command(t, "", env, "bash", append([]string{script}, args...)...)
		if err != nil || !strings.Contains(out, "docker push") {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
		if _, err := os.Stat(filepath.Join(strings.TrimPrefix(strings.Split(env[0], ":")[0], "PATH="), "calls")); err == nil {
			t.Errorf("%s --dry-run runs commands", script)
		}
	}
}

// service.yaml is checked by a module of its own, so that Knative is no dependency of mlids.
func TestCloudRunService(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Knative's modules: left out by -short")
	}
	need(t, "go")
	out, err := command(t, "gcp/check", []string{"GOFLAGS=-mod=mod"}, "go", "test", "./...")
	if err != nil && (strings.Contains(out, "dial tcp") || strings.Contains(out, "module lookup disabled")) {
		t.Skip("needs a Go module proxy, or Knative's modules in the cache")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
