package container_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the image may weigh, and how long it may take from its start to its first answer.
const (
	maxImage = 60_000_000
	maxStart = 300 * time.Millisecond
)

// engine runs buildah, podman and skopeo on a store of its own.
type engine struct {
	t    *testing.T
	conf string
	env  []string
}

// newEngine skips where images cannot be built or run.
func newEngine(t *testing.T) *engine {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs an image: not with -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to build and run an image")
	}
	for _, tool := range []string{"buildah", "podman", "runc", "skopeo", "jq", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s to build and run an image", tool)
		}
	}
	dir, err := os.MkdirTemp("", "mlids") // t.TempDir's names are too long for podman
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{t: t, conf: filepath.Join(dir, "storage.conf")}
	text := fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = %q\nrunroot = %q\n", filepath.Join(dir, "g"), filepath.Join(dir, "r"))
	if err := os.WriteFile(e.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Unmount(filepath.Join(dir, "g", "overlay"), 0)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return e
}

// of is the engine for a part of the test.
func (e *engine) of(t *testing.T) *engine {
	t.Helper()
	return &engine{t, e.conf, e.env}
}

// try runs a command with the store and returns its output.
func (e *engine) try(name string, args ...string) (string, error) {
	var out, log bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CONTAINERS_STORAGE_CONF="+e.conf, "VERSION=v1.2.3")
	cmd.Env = append(cmd.Env, e.env...)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, log.String())
	}
	return strings.TrimSpace(out.String()), nil
}

func (e *engine) run(name string, args ...string) string {
	e.t.Helper()
	out, err := e.try(name, args...)
	if err != nil {
		e.t.Fatal(err)
	}
	return out
}

// podman runs an image the way that machines without systemd and a registry can, with as little as it needs.
func (e *engine) podman(args ...string) []string {
	return append([]string{
		"--runtime", "runc", "--cgroup-manager", "cgroupfs", "run", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000",
		"--network", "host", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
	}, args...)
}

// start runs the image in the background until the test ends.
func (e *engine) start(args ...string) (id string) {
	e.t.Helper()
	id = e.run("podman", e.podman(append([]string{"-d"}, args...)...)...)
	e.t.Cleanup(func() {
		if e.t.Failed() {
			e.t.Logf("the container's log:\n%s", e.logs(id))
		}
		if _, err := e.try("podman", "rm", "-f", "-v", "-t", "5", id); err != nil {
			e.t.Error(err)
		}
	})
	return id
}

// logs is what a container printed, on both streams.
func (e *engine) logs(id string) string {
	cmd := exec.Command("podman", "logs", id)
	cmd.Env = append(os.Environ(), "CONTAINERS_STORAGE_CONF="+e.conf)
	log, err := cmd.CombinedOutput()
	if err != nil {
		e.t.Error(err)
	}
	return string(log)
}

// TestImage builds the image as deploy/container/build.sh does, twice, and runs it with nothing but what it needs. The program in it is
// linked twice only with MLIDS_FULL=1; deploy/package always does so.
func TestImage(t *testing.T) {
	e := newEngine(t)
	if os.Getenv("MLIDS_FULL") == "" {
		program := filepath.Join(t.TempDir(), "mlids")
		e.run("../build.sh", runtime.GOARCH, program)
		e.env = []string{"PROGRAM=" + program}
	}
	const image = "localhost/mlids-test:v1.2.3"
	first := e.run("./build.sh", image)
	t.Cleanup(func() { e.try("podman", "rmi", "-a", "-f") })
	t.Run("the same bytes twice", func(t *testing.T) {
		if second := e.run("./build.sh", image); second != first {
			t.Errorf("built %q, then %q", first, second)
		}
	})
	t.Run("what it says of itself", func(t *testing.T) { inspect(t, e, image) })
	t.Run("what is in it", func(t *testing.T) { contents(t, e, image) })
	t.Run("serves", func(t *testing.T) { serves(t, e.of(t), image) })
	t.Run("makes a key", func(t *testing.T) { makesKey(t, e.of(t), image) })
	t.Run("trains and hosts on SageMaker", func(t *testing.T) { sageMaker(t, e.of(t), image) })
	t.Run("tells SageMaker why a job failed", func(t *testing.T) { failingJob(t, e.of(t), image) })
	t.Run("runs in place of ML-IDS", func(t *testing.T) { asMLIDS(t, e.of(t), image) })
}

func inspect(t *testing.T, e *engine, image string) {
	t.Helper()
	var about []struct {
		Size   int64
		Config struct {
			User       string
			Entrypoint []string
			Cmd        []string
			Env        []string
			Labels     map[string]string
			Volumes    map[string]any
		}
		HealthCheck struct{ Test []string }
	}
	if err := json.Unmarshal([]byte(e.run("podman", "image", "inspect", image)), &about); err != nil {
		t.Fatal(err)
	}
	got := about[0]
	t.Logf("image: %.1f MB", float64(got.Size)/1e6)
	if got.Size > maxImage {
		t.Errorf("the image has %d bytes, more than %d", got.Size, maxImage)
	}
	if got.Config.User != "65532:65532" || !slices.Equal(got.Config.Cmd, []string{"serve"}) {
		t.Errorf("runs %v as %s", got.Config.Cmd, got.Config.User)
	}
	if want := []string{"CMD", "/usr/bin/mlids", "check", "--health"}; !slices.Equal(got.HealthCheck.Test, want) {
		t.Errorf("health is asked for by %q, want %q", got.HealthCheck.Test, want)
	}
	if _, ok := got.Config.Volumes["/var/lib/mlids"]; !ok {
		t.Errorf("volumes are %v", got.Config.Volumes)
	}
	if v := got.Config.Labels["org.opencontainers.image.version"]; v != "v1.2.3" {
		t.Errorf("is labelled version %q", v)
	}
}

// contents compares the files of the image with what belongs there: no shell, no tools.
func contents(t *testing.T, e *engine, image string) {
	t.Helper()
	folder := t.TempDir()
	e.run("skopeo", "copy", "--quiet", "containers-storage:"+image, "dir:"+folder)
	blobs, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	layer := slices.MaxFunc(blobs, func(a, b string) int { return cmp.Compare(size(t, a), size(t, b)) })
	file, err := os.Open(layer)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var found []string
	for r := tar.NewReader(file); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg || h.Uid != 0 {
			found = append(found, fmt.Sprintf("%s %o %d:%d", strings.TrimSuffix(h.Name, "/"), h.Mode&0o777, h.Uid, h.Gid))
		}
	}
	slices.Sort(found)
	want := []string{"etc/ssl/certs/ca-certificates.crt 644 0:0", "usr/bin/mlids 755 0:0", "var/lib/mlids 755 65532:65532"}
	if !slices.Equal(found, want) {
		t.Errorf("the image holds %q, want %q", found, want)
	}
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// serves runs the image as nobody, with nothing writable but its volume and 64 MB of memory.
func serves(t *testing.T, e *engine, image string) {
	t.Helper()
	addr := freePort(t)
	id := e.start("--memory", "64m", "-e", "MLIDS_LISTEN="+addr, "-e", "MLIDS_INSECURE=true", image)
	url := "http://" + addr
	ready := get(t, url+"/readyz")
	if !strings.Contains(ready, `"ready"`) {
		t.Errorf("/readyz answers %s", ready)
	}
	if verdicts := post(t, url+"/api/predictions", "application/json; format=pandas-split", flows(t)); verdicts != "[1,0]" {
		t.Errorf("the flows of docs/flows.json are %s, want [1,0]", verdicts)
	}
	process := status(t, strings.TrimSpace(e.run("podman", "inspect", "--format", "{{.State.Pid}}", id)))
	if process["Uid"] != "65532" || strings.Trim(process["CapEff"], "0") != "" || process["NoNewPrivs"] != "1" {
		t.Errorf("runs as user %s with capabilities %s", process["Uid"], process["CapEff"])
	}
	t.Logf("resident: %s kB", process["VmRSS"])
	e.run("podman", "healthcheck", "run", id)
	limit := memoryLimit(t, process["pid"])
	if limit != 64<<20 {
		t.Errorf("memory is bound to %d bytes, want 64 MB", limit)
	}
	start(t, e, image)
}

// makesKey starts the image with no key: it makes one, prints it, and wants it.
func makesKey(t *testing.T, e *engine, image string) {
	t.Helper()
	addr := freePort(t)
	id := e.start("-e", "MLIDS_LISTEN=0.0.0.0"+addr[strings.LastIndexByte(addr, ':'):], image)
	get(t, "http://"+addr+"/readyz")
	e.run("podman", "healthcheck", "run", id)
	log := e.logs(id)
	_, rest, ok := strings.Cut(log, "Authorization: Bearer ")
	if !ok {
		t.Fatalf("no key is told:\n%s", log)
	}
	for bearer, want := range map[string]int{"": http.StatusUnauthorized, strings.Fields(rest)[0]: http.StatusOK} {
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/api/predictions", flows(t))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json; format=pandas-split")
		req.Header.Set("Authorization", "Bearer "+bearer)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if text := body(t, res); res.StatusCode != want {
			t.Errorf("with key %q: %s %s, want %d", bearer, res.Status, text, want)
		}
	}
}

func flows(t *testing.T) *bytes.Reader {
	t.Helper()
	text, err := os.ReadFile("../../docs/flows.json")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(text)
}

// start measures from the start of the container's process to its first answer; the best of three, as other tests run beside.
func start(t *testing.T, e *engine, image string) {
	t.Helper()
	best := time.Hour
	for range 3 {
		addr := freePort(t)
		id := e.start("-e", "MLIDS_LISTEN="+addr, "-e", "MLIDS_INSECURE=true", image)
		get(t, "http://"+addr+"/readyz")
		answered := time.Now()
		pid := strings.TrimSpace(e.run("podman", "inspect", "--format", "{{.State.Pid}}", id))
		best = min(best, answered.Sub(startOf(t, pid)))
	}
	t.Logf("start to first answer: %v", best.Round(time.Millisecond))
	if best > maxStart {
		t.Errorf("the first answer came after %v, want at most %v", best, maxStart)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// get asks until there is an answer.
func get(t *testing.T, url string) string {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-tick.C {
		if res, err := http.Get(url); err == nil {
			return body(t, res)
		}
	}
	t.Fatalf("%s does not answer", url)
	return ""
}

func post(t *testing.T, url, media string, payload io.Reader) string {
	t.Helper()
	res, err := http.Post(url, media, payload)
	if err != nil {
		t.Fatal(err)
	}
	return body(t, res)
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// status reads /proc/PID/status: the first value of each key.
func status(t *testing.T, pid string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"pid": pid}
	for line := range strings.Lines(string(text)) {
		if key, rest, ok := strings.Cut(line, ":"); ok && len(strings.Fields(rest)) > 0 {
			values[key] = strings.Fields(rest)[0]
		}
	}
	return values
}

// memoryLimit reads the limit of a process's control group, in either version of those; skips where there are none.
func memoryLimit(t *testing.T, pid string) int64 {
	t.Helper()
	groups, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		file := filepath.Join("/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes")
		if parts[0] == "0" {
			file = filepath.Join("/sys/fs/cgroup", parts[2], "memory.max")
		} else if parts[1] != "memory" {
			continue
		}
		if text, err := os.ReadFile(file); err == nil {
			n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			return n
		}
	}
	t.Skip("needs a control group for memory to see the limit")
	return 0
}

// startOf is when a process started: /proc/PID/stat has it in hundredths of a second after the machine's start.
func startOf(t *testing.T, pid string) time.Time {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	up, err := strconv.ParseFloat(strings.Fields(string(uptime))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	boot := time.Now().Add(-time.Duration(up * float64(time.Second)))
	return boot.Add(time.Duration(ticks) * 10 * time.Millisecond)
}
