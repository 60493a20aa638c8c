package main

import (
	_ "embed"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mlids/internal/ovstest"
)

//go:embed mininet_seed.py
var mininetSeed string

// debianPython is the interpreter that has Debian's Mininet.
const debianPython = "/usr/bin/python3"

// mininet is a network that Mininet runs in a namespace of its own.
type mininet struct{ process *exec.Cmd }

// withMininet lets Mininet's Python API build the topology.
func withMininet(tb testing.TB) lab {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("needs root for network namespaces and switches")
	}
	for _, name := range append(ovstest.Tools(), append(programs(), "unshare", "nsenter", "mnexec", debianPython)...) {
		if _, err := exec.LookPath(name); err != nil {
			tb.Skipf("needs %s: run make tools", name)
		}
	}
	cmd := exec.Command("unshare", "--net", debianPython, "-c", mininetSeed) //nolint:gosec,noctx // a script of our own; Cleanup ends it
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var errs strings.Builder
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	killer := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	tb.Cleanup(func() {
		_ = in.Close() // then it takes its network down
		killer.Reset(30 * time.Second)
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			tb.Errorf("Mininet: %v: %s", err, errs.String())
		}
		killer.Stop()
	})
	hosts := map[string]mininetHost{}
	if err := json.NewDecoder(out).Decode(&hosts); err != nil {
		tb.Fatalf("Mininet does not tell its hosts: %v", err)
	}
	killer.Stop()
	return lab{&mininet{cmd}, hosts["h1"].host("h1"), hosts["attacker"].host("attacker"), hosts["h2"].host("h2")}
}

// mininetHost is a host as the script tells it.
type mininetHost struct {
	PID                int
	Interface, IP, MAC string
}

func (h mininetHost) host(name string) *ovstest.Host {
	return &ovstest.Host{Name: name, Space: strconv.Itoa(h.PID), Interface: h.Interface, IP: h.IP, MAC: h.MAC}
}

// Command is a program to be run in a host.
func (m *mininet) Command(h *ovstest.Host, name string, args ...string) *exec.Cmd {
	return enter(h.Space, name, args...)
}

// Beside is a program to be run where the switches are.
func (m *mininet) Beside(name string, args ...string) *exec.Cmd {
	return enter(strconv.Itoa(m.process.Process.Pid), name, args...)
}

// enter runs a program in the network namespace of a process.
func enter(pid, name string, args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{"--target", pid, "--net", name}, args...)...) //nolint:gosec,noctx // as in ovstest
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}
