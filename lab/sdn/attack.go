package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"mlids/mitigate"
)

// attack is one thing that the attacker does to h2.
type attack struct {
	name    string
	short   string        // in file names
	filter  string        // of its packets, for tcpdump
	program []string      // run in the attacker's host; h2's address is put behind it
	limit   time.Duration // after which it is ended
}

// attacks are the scenarios. Rates are fixed: a ping -f slows down once it is blocked, and flatters.
func attacks(d time.Duration) []attack {
	return []attack{
		{"ICMP flood", "flood", "icmp[0]=8 and src host 10.0.0.3", []string{"hping3", "--icmp", "-i", "u1000", "-q"}, d},
		{"SYN flood, forged", "syn", "tcp[13]=2 and dst port 80 and not src host 10.0.0.1", []string{"hping3", "-S", "-p", "80", "--rand-source", "-i", "u1000", "-q"}, d},
		{"UDP flood", "udp", "udp and src host 10.0.0.3", []string{"hping3", "--udp", "-p", "7777", "-d", "512", "-i", "u1000", "-q"}, d},
		{"UDP flood in one flow", "udp-flow", "udp and src host 10.0.0.3", []string{"hping3", "--udp", "-s", "5000", "-k", "-p", "7777", "-d", "512", "-i", "u50", "-q"}, d},
		{"port scan", "scan", "tcp[13]=2 and src host 10.0.0.3", []string{"hping3", "-S", "--scan", "1-4000", "-i", "u2000"}, d},
	}
}

// result is what an attack came to.
type result struct {
	attack         attack
	sent, arrived  []int64 // times of its packets, at the attacker and at the victim
	blocked        bool
	blockedAt      time.Time // when the network confirmed
	record         mitigate.Record
	neighbour      string  // what h1's traffic was blocked as; empty when it was not
	idle           pinged  // before, when nobody else used the switches
	before, during pinged  // with the same other traffic
	mbitBefore     float64 // h1 to h2, by iperf3; 0 when it was not measured
	mbitDuring     float64
}

// after is the time from the first packet to the block.
func (r *result) after() time.Duration {
	if !r.blocked || len(r.sent) == 0 {
		return 0
	}
	return r.blockedAt.Sub(time.Unix(0, r.sent[0]))
}

// delay is after, and more than any time when there was no block.
func (r *result) delay() time.Duration {
	if !r.blocked {
		return math.MaxInt64
	}
	return r.after()
}

// kept is the share of packets kept from the victim, of all and of those sent after the block, in percent.
func (r *result) kept() (all, afterBlock float64) {
	share := func(arrived, sent int) float64 { return 100 * (1 - float64(arrived)/float64(max(sent, 1))) }
	all = share(len(r.arrived), len(r.sent))
	if !r.blocked {
		return all, 0
	}
	return all, share(later(r.arrived, r.blockedAt), later(r.sent, r.blockedAt))
}

func later(times []int64, than time.Time) (n int) {
	for _, t := range times {
		if t > than.UnixNano() {
			n++
		}
	}
	return n
}

// attack runs an attack while h1 pings h2 twenty times a second, or sends TCP as fast as it goes: both at once would measure
// how full the switch is.
func (r *rig) attack(a attack, tcp bool) *result {
	r.tb.Helper()
	res := &result{attack: a}
	const every = 50 * time.Millisecond
	if tcp {
		res.mbitBefore = r.iperf(3)
	} else {
		res.idle = r.ping(r.h1, r.h2, r.baseline, every)()
		defer r.busy()()
		res.before = r.ping(r.h1, r.h2, r.baseline, every)()
	}
	atVictim, atSource := r.trace(r.h2, a.filter), r.trace(r.at, a.filter)
	pings := func() pinged { return pinged{} }
	if !tcp {
		pings = r.ping(r.h1, r.h2, int(a.limit/every), every)
	}
	var group sync.WaitGroup
	group.Go(func() { r.run(r.at, a.limit, a.program[0], append(a.program[1:], r.h2.IP)...) })
	if tcp {
		group.Go(func() { res.mbitDuring = r.iperf(max(int(a.limit.Seconds())-1, 1)) })
	}
	group.Wait()
	res.during = pings()
	res.sent, res.arrived = atSource(), atVictim()
	res.blockedAt, res.blocked = r.confirmed()
	for _, record := range r.audit() {
		if record.Event != "block" {
			continue
		}
		if res.record.Event == "" {
			res.record = record
		}
		if src := record.Match.Src; src != nil && src.Addr().String() == r.h1.IP {
			res.neighbour = record.Class
		}
	}
	return res
}

// iperf sends TCP from h1 to h2 and returns what arrived, Mbit/s.
func (r *rig) iperf(seconds int, more ...string) float64 {
	r.tb.Helper()
	server := r.net.Command(r.h2, "iperf3", "-s", "-p", "5201")
	if err := server.Start(); err != nil {
		r.tb.Error(err)
		return 0
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}()
	args := append([]string{"-c", r.h2.IP, "-p", "5201", "-t", strconv.Itoa(seconds), "-J"}, more...)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); ; <-tick.C { // until the server listens
		mbit, err := iperfReport(r.net.Command(r.h1, "iperf3", args...).Output())
		if err == nil {
			return mbit
		}
		if time.Now().After(deadline) {
			r.tb.Error(err)
			return 0
		}
	}
}

// iperfReport reads what iperf3 measured. Its errors are in the report: the exit code is 0 all the same.
func iperfReport(text []byte, err error) (float64, error) {
	if err != nil {
		return 0, fmt.Errorf("iperf3: %w: %s", err, text)
	}
	var report struct {
		Error string `json:"error"`
		End   struct {
			Received struct {
				Bits float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return 0, fmt.Errorf("iperf3 says %s: %w", text, err)
	}
	if report.Error != "" {
		return 0, fmt.Errorf("iperf3: %s", report.Error)
	}
	return report.End.Received.Bits / 1e6, nil
}

// verdict is the demonstration's last line. What KDD calls dos, it calls ddos.
func (r *result) verdict() string {
	all, _ := r.kept()
	lost, ping, class := max(r.before.lost(), r.during.lost()), "normal", r.record.Class
	if r.neighbour != "" {
		ping = r.neighbour
	}
	if class == "dos" {
		class = "ddos"
	}
	if !r.blocked {
		return fmt.Sprintf("ping: %s, %.3g%% lost; %s: not blocked", ping, lost, r.attack.short)
	}
	return fmt.Sprintf("ping: %s, %.3g%% lost; %s: %s, blocked after %d ms, %.2f%% dropped", ping, lost, r.attack.short, class, r.after().Milliseconds(), all)
}

// String tells what happened in a line.
func (r *result) String() string {
	all, after := r.kept()
	text := fmt.Sprintf("%s: %s, blocked after %d ms, %.2f%% dropped (%d of %d packets arrived), %.3f%% after the block",
		r.attack.name, r.record.Class, r.after().Milliseconds(), all, len(r.arrived), len(r.sent), after)
	if r.during.sent > 0 {
		text += fmt.Sprintf("; pings %.1f%% lost, median %v before, %v meanwhile (%v with idle switches)", r.during.lost(), r.before.median(), r.during.median(), r.idle.median())
	}
	if r.mbitBefore > 0 {
		text += fmt.Sprintf("; TCP %.0f Mbit/s before, %.0f meanwhile", r.mbitBefore, r.mbitDuring)
	}
	return text
}
