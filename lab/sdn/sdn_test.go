package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mlids/internal/ovstest"
)

// built builds mlids for a test, or takes the one that MLIDS_BINARY names.
func built(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("MLIDS_BINARY"); path != "" {
		return path
	}
	if os.Geteuid() != 0 || testing.Short() {
		t.Skip("needs root, and some 10 s")
	}
	path := filepath.Join(t.TempDir(), "mlids")
	if out, err := exec.Command("go", "build", "-o", path, "mlids/cmd/mlids").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return path
}

// TestDefence has the scenarios side by side, each in a network of its own: mlids is built once.
func TestDefence(t *testing.T) {
	t.Parallel()
	mlids := built(t)
	for name, f := range map[string]func(*testing.T, string){
		"attacks": attacksAreContained, "Mininet": inMininet, "forgers": forgersDoNotCutOffFriends,
		"controller dies": controllerDiesDuringFlood, "benign": benignTrafficPasses,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, mlids)
		})
	}
}

// Each attack is found and contained, while the neighbour's pings pass. Figures are for docs/mitigation.md: on a machine
// that does other things, too, only what happens is certain, not when.
func attacksAreContained(t *testing.T, mlids string) {
	t.Helper()
	for _, a := range attacks(4 * time.Second) {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, namespaces, mlids)
			r.baseline = 10
			res := r.attack(a, false)
			t.Log(res)
			all, after := res.kept()
			switch {
			case !res.blocked && a.short == "udp-flow" && len(res.sent) < 4*7000:
				t.Skipf("needs a machine that sends 7,000 packets/s: the rule begins at 5,000, of packets counted up to a second late; %d in 4 s came", len(res.sent))
			case !res.blocked:
				t.Fatal("nothing was done about it")
			case len(res.sent) < 400:
				t.Fatalf("%d packets are no attack", len(res.sent))
			case after < 95 || all <= 0:
				t.Errorf("%.2f%% of the packets kept from the victim, %.2f%% after the block", all, after)
			case res.during.answered < res.during.sent*95/100:
				t.Errorf("%d of the neighbour's %d pings were answered", res.during.answered, res.during.sent)
			}
			for _, record := range r.audit() {
				if m := record.Match.Match(); record.Event == "block" && (m.Port.Switch != 1 || m.Port.Number != 2) {
					t.Errorf("blocked %v, which is not only what enters by the attacker's port", m)
				}
			}
		})
	}
}

// The same network, when Mininet builds it.
func inMininet(t *testing.T, mlids string) {
	t.Helper()
	r := newRig(t, withMininet, mlids)
	r.baseline = 10
	res := r.attack(attacks(2 * time.Second)[0], false)
	t.Log(res)
	if all, after := res.kept(); !res.blocked || len(res.sent) < 400 || after < 95 || all <= 0 {
		t.Errorf("no flood, or not contained: %v", res)
	}
	if want := "; flood: ddos, blocked after "; !strings.Contains(res.verdict(), want) || !strings.HasPrefix(res.verdict(), "ping: normal, ") {
		t.Errorf("the last line is %q, want ping: normal … %s …", res.verdict(), want)
	}
}

// A flood with the neighbour's own address, and single packets with it among others, do not cut the neighbour off.
func forgersDoNotCutOffFriends(t *testing.T, mlids string) {
	t.Helper()
	r := newRig(t, namespaces, mlids)
	pings := r.ping(r.h1, r.h2, 80, 50*time.Millisecond)
	r.run(r.at, 1500*time.Millisecond, "hping3", "--icmp", "-i", "u1000", "-q", "-a", r.h1.IP, r.h2.IP)
	r.run(r.at, 1500*time.Millisecond, "hping3", "-S", "-p", "80", "--rand-source", "-i", "u1000", "-q", r.h2.IP)
	blocks := 0
	for _, record := range r.audit() {
		if record.Event != "block" {
			continue
		}
		blocks++
		if m := record.Match.Match(); m.Port.Switch != 1 || m.Port.Number != 2 {
			t.Errorf("blocked %v, not bound to the forger's port: %s", m, record.Reason)
		}
	}
	if blocks == 0 {
		t.Error("nothing was done about the forger")
	}
	if p := pings(); p.answered < p.sent*9/10 {
		t.Errorf("%d of the friend's %d pings were answered", p.answered, p.sent)
	}
	if p := r.ping(r.h1, r.h2, 20, 50*time.Millisecond)(); p.answered < p.sent {
		t.Errorf("afterwards %d of the friend's %d pings were answered", p.answered, p.sent)
	}
}

// A controller that dies leaves its blocks and flows; the next one takes them over.
func controllerDiesDuringFlood(t *testing.T, mlids string) {
	t.Helper()
	r := newRig(t, namespaces, mlids)
	pings := r.ping(r.h1, r.h2, 120, 50*time.Millisecond)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run(r.at, 5*time.Second, "hping3", "--icmp", "-i", "u2000", "-q", r.h2.IP)
	}()
	ovstest.Await(t, "the block, on the disk", func() bool { _, ok := r.confirmed(); return ok && len(r.audit()) > 0 })
	r.kill()
	stop := r.trace(r.h2, "icmp[0]=8 and src host "+r.at.IP)
	if p := r.ping(r.h1, r.h2, 10, 50*time.Millisecond)(); p.answered < p.sent {
		t.Errorf("without a controller %d of %d pings were answered", p.answered, p.sent)
	}
	r.start()
	ovstest.Await(t, "the block taken up again", func() bool {
		all := r.audit()
		return len(all) > 0 && all[len(all)-1].Event == "restore"
	})
	<-done
	if through := stop(); len(through) > 0 {
		t.Errorf("%d packets of the flood passed while the controller was away or came back", len(through))
	}
	if p := pings(); p.answered < p.sent {
		t.Errorf("%d of %d pings were answered", p.answered, p.sent)
	}
}

// Ordinary traffic is not blocked: a minute of it here, beside the other scenarios; as long as MLIDS_SOAK says in make soak.
func benignTrafficPasses(t *testing.T, mlids string) {
	t.Helper()
	lasts := time.Minute
	if soak := os.Getenv("MLIDS_SOAK"); soak != "" {
		var err error
		if lasts, err = time.ParseDuration(soak); err != nil {
			t.Fatal(err)
		}
	}
	r := newRig(t, namespaces, mlids)
	done := r.benign(lasts)
	t.Log(done)
	for _, record := range r.audit() {
		t.Errorf("%s %v: %s", record.Event, record.Match.Match(), record.Reason)
	}
	if done.failed() {
		t.Errorf("traffic failed: %v", done)
	}
}
