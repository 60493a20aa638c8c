package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

// awake keeps the processors busy with what gives way to all else, until stop is called: an idle one falls asleep between two
// packets, and the delay before a flood would be that of waking up.
func (r *rig) awake() (stop func()) {
	r.tb.Helper()
	var busy []*exec.Cmd
	for range runtime.NumCPU() {
		cmd := r.net.Beside("chrt", "--idle", "0", "timeout", "120", "sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			r.tb.Fatal(err)
		}
		busy = append(busy, cmd)
	}
	return func() {
		for _, cmd := range busy {
			_ = cmd.Process.Signal(syscall.SIGTERM) // timeout passes it on
			_ = cmd.Wait()
		}
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
