package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mlids/internal/ovstest"
	"mlids/mitigate"
)

// controllerAt is where the switches look for mlids, on their own loopback.
const controllerAt = "127.0.0.1:6653"

// lab is the topology of the demonstration, as namespaces or as Mininet builds it: h1 and the attacker on switch s1, h2 on
// switch s2.
type lab struct {
	net        fabric
	h1, at, h2 *ovstest.Host
}

// fabric runs programs in a network.
type fabric interface {
	Command(h *ovstest.Host, name string, args ...string) *exec.Cmd // in a host
	Beside(name string, args ...string) *exec.Cmd                   // where the switches are
}

// namespaces builds the topology of network namespaces.
func namespaces(tb testing.TB) lab {
	tb.Helper()
	n := ovstest.New(tb, programs()...)
	n.Switch("s1", 1)
	n.Switch("s2", 2)
	n.Link("s1", 10, "s2", 10)
	l := lab{n, n.Host("h1", "s1", 1, 1), n.Host("at", "s1", 2, 3), n.Host("h2", "s2", 1, 2)}
	for _, name := range []string{"s1", "s2"} {
		n.ControlBeside(name, "tcp:"+controllerAt)
	}
	return l
}

// programs are what attacks and measurements need.
func programs() []string { return []string{"ping", "hping3", "iperf3", "tcpdump", "timeout"} }

// rig is the topology under mlids.
type rig struct {
	lab
	tb           testing.TB
	mlids        string // the program
	baseline     int    // pings before an attack
	dir          string // its data, and what is recorded here
	process      *exec.Cmd
	logs, traces int
}

// newRig builds the network and starts the controller; it returns when h1 and the attacker reach h2.
func newRig(tb testing.TB, build func(testing.TB) lab, mlids string) *rig {
	tb.Helper()
	r := &rig{tb: tb, mlids: mlids, baseline: 60, dir: tb.TempDir()}
	r.lab = build(tb)
	r.start()
	for _, from := range []*ovstest.Host{r.h1, r.at} {
		ovstest.Await(tb, from.Name+" reaching h2", func() bool {
			return r.net.Command(from, "ping", "-n", "-c", "1", "-W", "1", r.h2.IP).Run() == nil
		})
	}
	return r
}

// start starts mlids sdn. It ends with the test at the latest.
func (r *rig) start() {
	r.tb.Helper()
	r.logs++
	log, err := os.Create(r.log())
	if err != nil {
		r.tb.Fatal(err)
	}
	defer log.Close()
	args := []string{"sdn", "--listen", controllerAt, "--data-dir", filepath.Join(r.dir, "data"), "--probe", "500ms", "--api-listen", "", "--log-level", "debug"}
	cmd := r.net.Beside(r.mlids, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.tb.Fatal(err)
	}
	r.process = cmd
	r.tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if r.tb.Failed() {
			text, _ := os.ReadFile(log.Name())
			r.tb.Logf("mlids sdn: %s", text)
		}
	})
}

// log is the file that the running mlids logs to.
func (r *rig) log() string { return filepath.Join(r.dir, fmt.Sprintf("sdn%d.log", r.logs)) }

// keepLog copies the log to a file that stays.
func (r *rig) keepLog(path string) {
	r.tb.Helper()
	text, err := os.ReadFile(r.log())
	if err == nil {
		err = os.WriteFile(path, text, 0o644) //nolint:gosec // for everybody, as the pictures
	}
	if err != nil {
		r.tb.Error(err)
		return
	}
	r.tb.Logf("log: %s", path)
}

// kill ends mlids as a crash does.
func (r *rig) kill() {
	_ = r.process.Process.Kill()
	_ = r.process.Wait()
}

// audit reads the audit log.
func (r *rig) audit() []mitigate.Record {
	r.tb.Helper()
	file, err := os.Open(filepath.Join(r.dir, "data", "mitigate", "openflow", "audit.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		r.tb.Fatal(err)
	}
	defer file.Close()
	var all []mitigate.Record
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var one mitigate.Record
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			r.tb.Fatalf("audit log: %s: %v", lines.Text(), err)
		}
		all = append(all, one)
	}
	return all
}

// confirmed is when the network confirmed the first block, as the log of mlids has it; ok is false when it has none.
func (r *rig) confirmed() (at time.Time, ok bool) {
	r.tb.Helper()
	text, err := os.ReadFile(r.log())
	if err != nil {
		r.tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "msg=mitigation event=block ") {
			stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
			if at, err = time.Parse(time.RFC3339Nano, stamp); err != nil {
				r.tb.Fatal(err)
			}
			return at, true
		}
	}
	return at, false
}

// run runs a program in a host to its end, for limit at most. Being cut off then is no failure.
func (r *rig) run(h *ovstest.Host, limit time.Duration, name string, args ...string) string {
	r.tb.Helper()
	out, err := r.net.Command(h, "timeout", append([]string{fmt.Sprintf("%.3f", limit.Seconds()), name}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 124) {
		r.tb.Fatalf("%s: %s %s: %v: %s", h.Name, name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
