package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"mlids/internal/ovstest"
)

// pinged is what a series of pings came to.
type pinged struct {
	sent, answered int
	rtts           []time.Duration // sorted
}

func (p pinged) lost() float64 {
	if p.sent == 0 {
		return 0
	}
	return 100 * (1 - float64(p.answered)/float64(p.sent))
}

func (p pinged) median() time.Duration {
	if len(p.rtts) == 0 {
		return 0
	}
	return p.rtts[len(p.rtts)/2]
}

// worker is an address of the attacker's host that the controller allows: what it sends is not blocked.
const worker = "10.0.0.9"

// busy is ping while the attacker's host sends as many packets a second as its floods have, and may: a switch that sleeps
// between packets takes longer, so this is what delays during a flood compare with.
func (r *rig) busy(count int, every time.Duration) pinged {
	r.tb.Helper()
	load := r.net.Command(r.at, "hping3", "--udp", "-k", "-s", "999", "-p", "9999", "-a", worker, "-i", "u1000", "-q", r.h2.IP)
	if err := load.Start(); err != nil {
		r.tb.Fatal(err)
	}
	defer func() {
		_ = load.Process.Kill()
		_ = load.Wait()
	}()
	return r.ping(r.h1, r.h2, count, every)()
}

// ping begins a series of pings; wait gives what they came to.
func (r *rig) ping(from, to *ovstest.Host, count int, every time.Duration) (wait func() pinged) {
	r.tb.Helper()
	cmd := r.net.Command(from, "ping", "-n", "-c", strconv.Itoa(count), "-i", fmt.Sprintf("%.3f", every.Seconds()), "-W", "2", to.IP)
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		r.tb.Fatal(err)
	}
	return func() pinged { return r.pinged(cmd, &out) }
}

func (r *rig) pinged(cmd *exec.Cmd, out *strings.Builder) (p pinged) {
	r.tb.Helper()
	_ = cmd.Wait() // lost pings are told by the summary
	p.sent, p.answered, _ = ovstest.Answered(r.tb, out.String())
	for line := range strings.Lines(out.String()) {
		_, after, ok := strings.Cut(line, "time=")
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(after, " ")
		ms, err := strconv.ParseFloat(number, 64)
		if err != nil {
			r.tb.Fatalf("ping says %q: %v", line, err)
		}
		p.rtts = append(p.rtts, time.Duration(ms*float64(time.Millisecond)))
	}
	slices.Sort(p.rtts)
	return p
}
