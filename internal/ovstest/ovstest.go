// Package ovstest makes networks of network namespaces and Open vSwitch bridges for tests, apart from those of the machine
// and from each other: with daemons, directories and names of their own, all of which end with the test. Switches and
// their daemons have a namespace, too: the userspace datapath makes a device of a fixed name.
package ovstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Net is a network under test.
type Net struct {
	tb    testing.TB
	dir   string
	tag   string // in the names of namespaces
	space string // of the switches
	procs []*exec.Cmd
	hosts map[string]*Host

	bridges []string
	relays  map[string]*relay // by address
}

// Host is a namespace with one interface.
type Host struct {
	Name, Space, Interface string
	IP, IP6                string // without the length of the prefix
	MAC                    string
	Port                   int    // of its switch
	peer                   string // the switch's end of the cable
}

// Tools are the programs that a network needs.
func Tools() []string {
	return []string{"ip", "ethtool", "ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl"}
}

// New starts the daemons. The test is skipped without root, and without the programs, more of which may be named.
func New(tb testing.TB, programs ...string) *Net {
	tb.Helper()
	if testing.Short() {
		tb.Skip("starts switches, which takes seconds: not with -short")
	}
	if os.Geteuid() != 0 {
		tb.Skip("needs root for network namespaces and switches")
	}
	for _, name := range append(Tools(), programs...) {
		if _, err := exec.LookPath(name); err != nil {
			tb.Skipf("needs %s: run make tools", name)
		}
	}
	dir, err := os.MkdirTemp("", "ovs") // short: a socket's path has at most 107 bytes
	if err != nil {
		tb.Fatal(err)
	}
	n := &Net{tb: tb, dir: dir, tag: filepath.Base(dir), hosts: map[string]*Host{}, relays: map[string]*relay{}}
	n.space = n.tag + "switches"
	tb.Cleanup(n.close)
	if out, err := command("ip", "netns", "add", n.space).CombinedOutput(); err != nil {
		tb.Skipf("needs network namespaces: %v: %s", err, out)
	}
	n.run("ip", "-n", n.space, "link", "set", "lo", "up")
	n.startDaemons()
	return n
}

// startDaemons starts ovsdb-server and ovs-vswitchd in the foreground, so that they are ours to end.
func (n *Net) startDaemons() {
	n.tb.Helper()
	db, socket := filepath.Join(n.dir, "conf.db"), n.socket("db.sock")
	n.run("ovsdb-tool", "create", db, schema(n.tb))
	n.start("ovsdb-server", db, "--remote=punix:"+socket, "--unixctl="+n.socket("db.ctl"))
	n.await("the database", func() bool { return n.vsctl("--no-wait", "--timeout=2", "init") == nil })
	n.start("ovs-vswitchd", "unix:"+socket, "--unixctl="+n.socket("vs.ctl"))
}

func schema(tb testing.TB) string {
	tb.Helper()
	const path = "/usr/share/openvswitch/vswitch.ovsschema"
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("needs Open vSwitch's schema %s", path)
	}
	return path
}

func (n *Net) socket(name string) string { return filepath.Join(n.dir, name) }

// Socket is the path of a switch's socket, such as s1.mgmt.
func (n *Net) Socket(name string) string { return n.socket(name) }

// start starts a daemon whose log goes to a file.
func (n *Net) start(name string, args ...string) {
	n.tb.Helper()
	log, err := os.Create(n.socket(name + ".log"))
	if err != nil {
		n.tb.Fatal(err)
	}
	defer log.Close()
	cmd := n.Beside(name, append(args, "-vconsole:warn", "-vsyslog:off", "-vfile:off")...)
	cmd.Env = append(os.Environ(), "OVS_RUNDIR="+n.dir, "OVS_LOGDIR="+n.dir, "OVS_DBDIR="+n.dir)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		n.tb.Fatal(err)
	}
	n.procs = append(n.procs, cmd)
}

// close ends the daemons and takes away what was made.
func (n *Net) close() {
	for _, r := range n.relays {
		r.close()
	}
	for _, name := range n.bridges {
		_ = n.vsctl("--timeout=5", "--if-exists", "del-br", name)
	}
	_ = command("ovs-appctl", "--timeout=5", "-t", n.socket("vs.ctl"), "exit", "--cleanup").Run()
	for _, p := range slices.Backward(n.procs) {
		_ = p.Process.Signal(syscall.SIGTERM)
		killer := time.AfterFunc(5*time.Second, func() { _ = p.Process.Kill() })
		_ = p.Wait()
		killer.Stop()
	}
	for _, h := range n.hosts {
		_ = command("ip", "netns", "del", h.Space).Run()
	}
	_ = command("ip", "netns", "del", n.space).Run()
	if n.tb.Failed() {
		for _, name := range []string{"ovsdb-server", "ovs-vswitchd"} {
			if text, err := os.ReadFile(n.socket(name + ".log")); err == nil && len(text) > 0 {
				n.tb.Logf("%s: %s", name, text)
			}
		}
	}
	_ = os.RemoveAll(n.dir)
}

// command is a program that a test wants to run.
func command(name string, args ...string) *exec.Cmd {
	return exec.Command(name, args...) //nolint:gosec,noctx // tests name programs, and end them themselves
}

func (n *Net) run(name string, args ...string) string {
	n.tb.Helper()
	out, err := command(name, args...).CombinedOutput()
	if err != nil {
		n.tb.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (n *Net) vsctl(args ...string) error {
	out, err := command("ovs-vsctl", append([]string{"--db=unix:" + n.socket("db.sock")}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ovs-vsctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// VSCtl changes the configuration of the switches.
func (n *Net) VSCtl(args ...string) {
	n.tb.Helper()
	if err := n.vsctl(append([]string{"--timeout=20"}, args...)...); err != nil {
		n.tb.Fatal(err)
	}
}

// OFCtl asks a switch, or commands it, past its controller.
func (n *Net) OFCtl(command, bridge string, args ...string) string {
	n.tb.Helper()
	return n.run("ovs-ofctl", append([]string{"-O", "OpenFlow13", command, "unix:" + n.socket(bridge+".mgmt")}, args...)...)
}

// OFCtlAt is OFCtl over another connection.
func (n *Net) OFCtlAt(at, command string, args ...string) string {
	n.tb.Helper()
	return n.run("ovs-ofctl", append([]string{"-O", "OpenFlow13", command, at}, args...)...)
}

// OVSVersion is what ovs-vswitchd says that it is.
func (n *Net) OVSVersion() string {
	n.tb.Helper()
	first, _, _ := strings.Cut(n.run("ovs-vswitchd", "--version"), "\n")
	return first + "\n"
}

// Switch adds a bridge with a datapath id. It waits for a controller: without one it forwards nothing by itself.
func (n *Net) Switch(name string, id uint64) {
	n.tb.Helper()
	n.bridges = append(n.bridges, name)
	n.VSCtl("add-br", name, "--", "set", "bridge", name, "datapath_type=netdev", "protocols=OpenFlow13", "fail_mode=secure",
		fmt.Sprintf("other-config:datapath-id=%016x", id), "other-config:disable-in-band=true")
}

// Control points a switch to controllers of this machine, such as tcp:127.0.0.1:6653.
func (n *Net) Control(name string, controllers ...string) {
	n.tb.Helper()
	for _, target := range controllers {
		_, address, _ := strings.Cut(target, ":")
		if n.relays[address] == nil {
			n.relays[address] = newRelay(n.tb, n.space, address)
		}
	}
	n.ControlBeside(name, controllers...)
}

// ControlBeside points a switch to controllers that run by Beside.
func (n *Net) ControlBeside(name string, controllers ...string) {
	n.tb.Helper()
	n.VSCtl(append([]string{"set-controller", name}, controllers...)...)
	out, err := command("ovs-vsctl", "--db=unix:"+n.socket("db.sock"), "get", "bridge", name, "controller").Output()
	if err != nil {
		n.tb.Fatal(err)
	}
	for id := range strings.FieldsFuncSeq(string(out), func(r rune) bool { return strings.ContainsRune("[], \n", r) }) {
		n.VSCtl("set", "controller", id, "max_backoff=1000", "inactivity_probe=5000")
	}
}

// Link joins two switches and returns the port numbers at both. They are given by the caller, so that a test knows them.
func (n *Net) Link(a string, portA int, b string, portB int) {
	n.tb.Helper()
	endA, endB := fmt.Sprintf("%s-%d", a, portA), fmt.Sprintf("%s-%d", b, portB)
	for _, e := range [][4]string{{a, endA, endB, strconv.Itoa(portA)}, {b, endB, endA, strconv.Itoa(portB)}} {
		n.VSCtl("add-port", e[0], e[1], "--", "set", "interface", e[1], "type=patch", "options:peer="+e[2], "ofport_request="+e[3])
	}
}

// Cut takes a link away at one end.
func (n *Net) Cut(a string, portA int) {
	n.tb.Helper()
	n.VSCtl("del-port", a, fmt.Sprintf("%s-%d", a, portA))
}

// Host adds a namespace that is connected to a port of a switch. Its addresses are 10.0.0.number and fd00::number.
func (n *Net) Host(name, bridge string, port, number int) *Host {
	n.tb.Helper()
	h := &Host{
		Name: name, Space: n.tag + name, Interface: "eth0", IP: fmt.Sprintf("10.0.0.%d", number), IP6: fmt.Sprintf("fd00::%x", number),
		MAC: fmt.Sprintf("02:00:00:00:00:%02x", number), Port: port, peer: "to-" + name,
	}
	n.hosts[name] = h
	n.run("ip", "netns", "add", h.Space)
	n.run("ip", "-n", n.space, "link", "add", h.peer, "type", "veth", "peer", "name", h.Interface, "netns", h.Space)
	n.run("ip", "-n", n.space, "link", "set", h.peer, "addrgenmode", "none", "up")
	n.In(h, "ip", "link", "set", "lo", "up")
	n.In(h, "ip", "link", "set", h.Interface, "address", h.MAC, "addrgenmode", "none", "up")
	n.In(h, "ip", "address", "add", h.IP+"/24", "dev", h.Interface)
	n.In(h, "ip", "address", "add", h.IP6+"/64", "dev", h.Interface, "nodad")
	n.In(h, "ethtool", "-K", h.Interface, "tx", "off")
	n.VSCtl("add-port", bridge, h.peer, "--", "set", "interface", h.peer, "ofport_request="+strconv.Itoa(port))
	return h
}

// Command is a program to be run in a host.
func (n *Net) Command(h *Host, name string, args ...string) *exec.Cmd {
	return within(h.Space, name, args...)
}

// Beside is a program to be run where the switches are.
func (n *Net) Beside(name string, args ...string) *exec.Cmd { return within(n.space, name, args...) }

func within(space, name string, args ...string) *exec.Cmd {
	cmd := command("ip", append([]string{"netns", "exec", space, name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// In runs a program in a host and returns what it prints.
func (n *Net) In(h *Host, name string, args ...string) string {
	n.tb.Helper()
	out, err := n.Command(h, name, args...).CombinedOutput()
	if err != nil {
		n.tb.Fatalf("%s: %s %s: %v: %s", h.Name, name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Ping sends pings and returns how many were sent and how many answered.
func (n *Net) Ping(h *Host, to string, count int, interval time.Duration) (sent, answered int, text string) {
	n.tb.Helper()
	args := []string{"-n", "-c", strconv.Itoa(count), "-i", fmt.Sprintf("%.3f", interval.Seconds()), "-W", "2", to}
	out, err := n.Command(h, "ping", args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.tb.Fatal(err)
	}
	return Answered(n.tb, string(out))
}

// Received is how many packets a host's interface has received.
func (n *Net) Received(h *Host) int {
	n.tb.Helper()
	text := n.In(h, "cat", "/sys/class/net/"+h.Interface+"/statistics/rx_packets")
	count, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		n.tb.Fatal(err)
	}
	return count
}

// Need skips the test without a program.
func (n *Net) Need(program string) {
	n.tb.Helper()
	if _, err := exec.LookPath(program); err != nil {
		n.tb.Skipf("needs %s: run make tools", program)
	}
}

// Answered reads the summary of ping.
func Answered(tb testing.TB, text string) (sent, answered int, all string) {
	tb.Helper()
	for line := range strings.Lines(text) {
		if _, err := fmt.Sscanf(line, "%d packets transmitted, %d received", &sent, &answered); err == nil {
			return sent, answered, text
		}
	}
	tb.Fatalf("no summary of ping in %q", text)
	return 0, 0, ""
}

// await waits until something is so.
func (n *Net) await(what string, so func() bool) {
	n.tb.Helper()
	Await(n.tb, what, so)
}

// Await waits until something is so, 20 s at most.
func Await(tb testing.TB, what string, so func() bool) {
	tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !so(); <-tick.C {
		if time.Now().After(deadline) {
			tb.Fatalf("waited 20 s in vain for %s", what)
		}
	}
}
