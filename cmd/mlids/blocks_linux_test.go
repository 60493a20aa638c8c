package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mlids/internal/ovstest"
	"mlids/mitigate"
)

// guarded is a running mlids that blocks, and how to ask it.
type guarded struct {
	t     *testing.T
	via   []string // what a command line begins with: the way into a namespace, and the program
	admin string
}

// program is this test as mlids, see TestMain.
func program(tb testing.TB) string {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	link := filepath.Join(tb.TempDir(), "mlids")
	if err := os.Symlink(self, link); err != nil {
		tb.Fatal(err)
	}
	return link
}

// guard starts mlids and waits for its admin door.
func guard(t *testing.T, via []string, admin string, args ...string) *guarded {
	t.Helper()
	g := &guarded{t, via, admin}
	args = append(args, "--data-dir", t.TempDir(), "--admin-listen", admin, "--insecure")
	cmd := g.command(args...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		killer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		killer.Stop()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("mlids: %s", text)
		}
	})
	ovstest.Await(t, "the admin door", func() bool { return g.command("blocks", "list", "--admin", "http://"+admin).Run() == nil })
	return g
}

func (g *guarded) command(args ...string) *exec.Cmd {
	args = append(append([]string{}, g.via...), args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// blocks runs "mlids blocks …" and returns what it prints and its exit code.
func (g *guarded) blocks(args ...string) (text string, code int) {
	g.t.Helper()
	out, err := g.command(append([]string{"blocks", "--admin", "http://" + g.admin}, args...)...).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return string(out), 0
}

// list is what is blocked.
func (g *guarded) list() (all []mitigate.Shown) {
	g.t.Helper()
	text, code := g.blocks("list", "-o", "json")
	if err := json.Unmarshal([]byte(text), &all); err != nil || code != 0 {
		g.t.Fatalf("%d, %v: %s", code, err, text)
	}
	return all
}

// found is the block of a source, nil when there is none.
func (g *guarded) found(src string) *mitigate.Shown {
	g.t.Helper()
	for _, b := range g.list() {
		if b.Match.Src != nil && b.Match.Src.String() == src {
			return &b
		}
	}
	return nil
}

// expect runs "mlids blocks …", which must end with a code and print some words.
func (g *guarded) expect(code int, words string, args ...string) {
	g.t.Helper()
	if text, got := g.blocks(args...); got != code || !strings.Contains(text, words) {
		g.t.Errorf("blocks %v ends with %d, want %d and %q: %s", args, got, code, words, text)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A controller's blocks are listed, added, refused and lifted from the command line, with and without a network that takes them.
func TestBlocksOfSDN(t *testing.T) {
	t.Parallel()
	via := []string{program(t)}
	g := guard(t, via, freeAddress(t), "sdn", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--allow", "10.0.0.254")
	g.expect(0, "ID", "list")
	g.expect(0, "not in the network yet", "add", "10.0.0.66", "--reason", "seen in the mail log")
	g.expect(0, "not in the network yet", "list")
	g.expect(2, "is allowed by 10.0.0.254/32", "add", "10.0.0.254")
	g.expect(2, "not a block", "add", "--kind", "limit", "10.0.0.67")
	g.expect(2, "neither an address nor a prefix", "add", "somebody")
	b := g.found("10.0.0.66/32")
	if b == nil || b.Kind != "drop" || b.Confirmed || b.By == "" || b.Reason != "seen in the mail log" {
		t.Fatalf("%+v", b)
	}
	g.expect(0, "lifted "+b.ID, "lift", b.ID)
	g.expect(2, "no such block", "lift", b.ID)
	if all := g.list(); len(all) > 0 {
		t.Errorf("left: %+v", all)
	}
	dry := guard(t, via, freeAddress(t), "sdn", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--dry-run")
	dry.expect(0, "dry run", "add", "10.0.0.66", "--for", "1h")
	dry.expect(0, "dry run", "list")
}

// A host under a flood blocks it in its kernel by itself, and people say what else, and what not.
func TestServeMitigates(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs some seconds: run without -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces and nftables")
	}
	for _, name := range []string{"ip", "hping3", "nft"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs %s: run make tools", name)
		}
	}
	tag := filepath.Base(filepath.Dir(t.TempDir()))
	here, there := tag+"h", tag+"t"
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v: %s", args, err, out)
		}
	}
	for _, space := range []string{here, there} {
		if out, err := exec.Command("ip", "netns", "add", space).CombinedOutput(); err != nil {
			t.Skipf("needs network namespaces: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	}
	run("-n", here, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", there)
	run("-n", here, "link", "set", "lo", "up")
	for space, address := range map[string]string{here: "10.0.0.2/24", there: "10.0.0.3/24"} {
		run("-n", space, "link", "set", "eth0", "up")
		run("-n", space, "address", "add", address, "dev", "eth0")
	}
	if out, err := exec.Command("ip", "netns", "exec", here, "nft", "add table netdev t; add chain netdev t c { type filter hook ingress device eth0 priority 0; }; delete table netdev t").CombinedOutput(); err != nil {
		t.Skipf("needs a kernel with the netdev family of nftables: %v: %s", err, out)
	}
	g := guard(t, []string{"ip", "netns", "exec", here, program(t)}, "127.0.0.1:5001",
		"serve", "--listen", "127.0.0.1:5000", "--interface", "eth0", "--mitigate", "nftables:eth0", "--allow", "10.0.0.9")
	flood := exec.Command("ip", "netns", "exec", there, "hping3", "--icmp", "-i", "u1000", "-q", "-c", "10000", "10.0.0.2")
	flood.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := flood.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = flood.Process.Kill()
		_ = flood.Wait()
	})
	var b *mitigate.Shown
	ovstest.Await(t, "a block of the flood", func() bool {
		b = g.found("10.0.0.3/32")
		return b != nil && b.Confirmed
	})
	if b.By != "policy" || b.Class != "dos" || b.Until == nil || b.Until.Before(time.Now()) {
		t.Errorf("%+v", b)
	}
	g.expect(0, "in force", "list")
	g.expect(0, "drop from 10.0.0.77/32", "add", "10.0.0.77", "--for", "1h")
	g.expect(2, "is allowed by 10.0.0.9/32", "add", "10.0.0.9")
	g.expect(0, "lifted "+b.ID, "lift", b.ID)
	out, err := exec.Command("ip", "netns", "exec", here, "nft", "list", "ruleset").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "10.0.0.77") || !strings.Contains(string(out), "10.0.0.9") {
		t.Errorf("the kernel has %s, %v", out, err)
	}
}
