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

// busy has h2 send h1 a thousand packets a second, until stop is called: a switch that nobody uses takes twice as long for each
// packet, so delays before and in a flood compare only when it has something to do in both.
func (r *rig) busy() (stop func()) {
	r.tb.Helper()
	load := r.net.Command(r.h2, "hping3", "--udp", "-k", "-s", "999", "-p", "9999", "-i", "u1000", "-q", r.h1.IP)
	if err := load.Start(); err != nil {
		r.tb.Fatal(err)
	}
	return func() {
		_ = load.Process.Kill()
		_ = load.Wait()
	}
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
