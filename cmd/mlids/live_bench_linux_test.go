package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Traffic of the benchmark: UDP in so many flows, frames of 46 to 1,500 bytes (740 on average), for so long a run.
const (
	liveFlows = 2000
	liveRun   = 2 * time.Second
	lossless  = 3 // runs without a drop that make a rate one that tcpdump holds
)

// BenchmarkLiveFlows finds the highest rate on a veth pair at which tcpdump -w to a file drops nothing, in steps of a tenth from what
// one core can send, and then lets mlids flows --interface -o csv capture at that rate.
func BenchmarkLiveFlows(b *testing.B) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		b.Skip("needs tcpdump")
	}
	v := newVeth(b)
	out := filepath.Join(b.TempDir(), "capture")
	tcpdump := []string{"tcpdump", "-ni", vethTo, "-w", out}
	rate, tried := v.send(b, 0), 0.0 // as fast as possible
	for clean := 0; clean < lossless; {
		got := v.capture(b, rate, "listening on", tcpdump...)
		if rate = min(rate, got.sent); tried == 0 {
			tried = rate
		}
		if clean++; got.dropped > 0 {
			b.Logf("tcpdump drops %d of %d at %.0f packets/s", got.dropped, got.received, got.sent)
			rate, clean = rate*0.9, 0
		}
	}
	mlids := []string{program(b), "flows", "--interface", vethTo, "--out", out}
	var sent, dropped, received float64
	b.ResetTimer()
	for b.Loop() {
		got := v.capture(b, rate, "", mlids...)
		sent, dropped, received = sent+got.sent, dropped+float64(got.dropped), received+float64(got.received)
	}
	n := float64(b.N)
	b.ReportMetric(tried, "sendable-pkts/s")
	b.ReportMetric(rate, "tcpdump-holds-pkts/s")
	b.ReportMetric(sent/n, "sent-pkts/s")
	b.ReportMetric(received/n, "received/run")
	b.ReportMetric(dropped/n, "drops/run")
	b.ReportMetric(0, "ns/op")
}

// The ends of the veth pair.
const vethFrom, vethTo = "mlids0", "mlids1"

// veth is a pair of interfaces in a network namespace that ends with the test's thread.
type veth struct {
	fd     int
	frames [][]byte
}

func newVeth(b *testing.B) *veth {
	b.Helper()
	runtime.LockOSThread() // and not unlocked, so that the thread ends, and the namespace with it
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		b.Skipf("needs root for a network namespace: %v", err)
	}
	for _, args := range []string{
		"link set lo up", "link add name " + vethFrom + " type veth peer name " + vethTo,
		"link set dev " + vethFrom + " addrgenmode none", "link set dev " + vethTo + " addrgenmode none",
		"link set dev " + vethFrom + " up", "link set dev " + vethTo + " up",
	} {
		if text, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			b.Skipf("needs veth interfaces: ip %s: %v: %s", args, err, text)
		}
	}
	face, err := net.InterfaceByName(vethFrom)
	if err != nil {
		b.Fatal(err)
	}
	v := &veth{}
	if v.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = unix.Close(v.fd) })
	if err := unix.Bind(v.fd, &unix.SockaddrLinklayer{Ifindex: face.Index}); err != nil {
		b.Fatal(err)
	}
	for n := range liveFlows {
		v.frames = append(v.frames, datagram(uint16(1024+n), make([]byte, 4+(n*n*n)%1455)))
	}
	return v
}

// datagram is an Ethernet frame with UDP from 10.0.0.1 to 10.0.0.2, checksums left out.
func datagram(port uint16, payload []byte) []byte {
	f := append(bytes.Repeat([]byte{0xff}, 6), 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0)
	f = binary.BigEndian.AppendUint16(f, uint16(28+len(payload)))
	f = append(f, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2)
	f = binary.BigEndian.AppendUint16(f, port)
	f = append(f, 0, 53)
	f = binary.BigEndian.AppendUint16(f, uint16(8+len(payload)))
	return append(append(f, 0, 0), payload...)
}

// send sends for liveRun at a rate in packets/s, or as fast as it can for 0, and says at which rate that was.
func (v *veth) send(b *testing.B, rate float64) float64 {
	b.Helper()
	n, began := 0, time.Now()
	for {
		took := time.Since(began)
		if took >= liveRun {
			return float64(n) / took.Seconds()
		}
		due := n + 64
		if rate > 0 {
			due = int(rate * took.Seconds())
		}
		for ; n < due; n++ {
			if _, err := unix.Write(v.fd, v.frames[n%len(v.frames)]); err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
				b.Fatal(err)
			}
		}
	}
}

// captured is what became of a run.
type captured struct {
	sent              float64 // packets/s
	received, dropped uint64
}

var (
	receivedLine = regexp.MustCompile(`(\d+) packets? received`)
	droppedLine  = regexp.MustCompile(`(\d+) (?:packets? )?dropped`)
)

// capture runs a command that captures from vethTo until it is interrupted, while packets are sent at a rate. It has begun when it says
// ready on stderr, or when there is a socket that captures.
func (v *veth) capture(b *testing.B, rate float64, ready string, command ...string) captured {
	b.Helper()
	var said spoken
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); !strings.Contains(said.text(), ready) || sniffers(b) == 0; runtime.Gosched() {
		if time.Now().After(until) {
			_ = cmd.Process.Kill()
			b.Fatalf("%v does not begin: %s", command, said.text())
		}
	}
	got := captured{sent: v.send(b, rate)}
	_ = cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		b.Fatalf("%v: %v: %s", command, err, said.text())
	}
	for pattern, n := range map[*regexp.Regexp]*uint64{receivedLine: &got.received, droppedLine: &got.dropped} {
		m := pattern.FindStringSubmatch(said.text())
		if m == nil {
			b.Fatalf("%v tells no counts: %s", command, said.text())
		}
		*n, _ = strconv.ParseUint(m[1], 10, 64)
	}
	return got
}

// spoken gathers what a command says on stderr.
type spoken struct{ all atomic.Pointer[string] }

func (s *spoken) Write(p []byte) (int, error) {
	text := s.text() + string(p)
	s.all.Store(&text)
	return len(p), nil
}

func (s *spoken) text() string {
	if text := s.all.Load(); text != nil {
		return *text
	}
	return ""
}

// sniffers is how many sockets of the namespace capture packets. The one that sends has protocol 0.
func sniffers(b *testing.B) (n int) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/net/packet", unix.Gettid()))
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		if f := strings.Fields(line); len(f) > 3 && f[3] == "0003" {
			n++
		}
	}
	return n
}
