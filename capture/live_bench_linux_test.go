package capture

import (
	"bufio"
	"errors"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"mlids"
)

// burst is how many frames one run of the benchmark sends as fast as it can.
const burst = 300_000

// BenchmarkLive captures, and BenchmarkTcpdump lets tcpdump write to nowhere, what is sent through a veth pair as fast
// as one core can send it: frames of 46 to 1,500 bytes, 740 on average. Compare the drops and the rates sent.
func BenchmarkLive(b *testing.B) {
	namespace(b)
	var sent time.Duration
	var dropped, received uint64
	for b.Loop() {
		live := openLiveTest(b, LiveConfig{Interface: veth1, Idle: 5 * ringRetire})
		var group errgroup.Group
		group.Go(func() error {
			return RunIdle(b.Context(), live, NewDecoder(DecoderConfig{}), func(*mlids.Packet) error {
				received++
				return nil
			}, func() error { return errStop })
		})
		sent += sendBurst(b)
		if err := group.Wait(); !errors.Is(err, errStop) {
			b.Fatal(err)
		}
		stats, err := live.Stats()
		if err != nil {
			b.Fatal(err)
		}
		dropped += stats.Dropped
	}
	b.ReportMetric(float64(b.N)*burst/sent.Seconds(), "sent-pkts/s")
	b.ReportMetric(float64(received)/float64(b.N), "received/run")
	b.ReportMetric(float64(dropped)/float64(b.N), "drops/run")
}

func BenchmarkTcpdump(b *testing.B) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		b.Skip("needs tcpdump")
	}
	namespace(b)
	var sent time.Duration
	var dropped uint64
	for b.Loop() {
		cmd := exec.Command("tcpdump", "-ni", veth1, "-w", "/dev/null")
		out, err := cmd.StderrPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.Contains(lines.Text(), "listening on") {
		}
		sent += sendBurst(b)
		_ = cmd.Process.Signal(syscall.SIGINT)
		for lines.Scan() {
			if m := regexp.MustCompile(`^(\d+) packets? dropped by kernel`).FindStringSubmatch(lines.Text()); m != nil {
				n, _ := strconv.ParseUint(m[1], 10, 64)
				dropped += n
			}
		}
		_ = cmd.Wait()
	}
	b.ReportMetric(float64(b.N)*burst/sent.Seconds(), "sent-pkts/s")
	b.ReportMetric(float64(dropped)/float64(b.N), "drops/run")
}

// sendBurst sends the frames of a burst and says how long that took.
func sendBurst(b *testing.B) time.Duration {
	b.Helper()
	var frames [][]byte
	for n := range 64 {
		payload := make([]byte, 4+(n*n*n)%1455)
		frames = append(frames, ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(uint16(1000+n), 53, payload))))
	}
	s := newSender(b, veth0)
	began := time.Now()
	for n := range burst {
		s.send(b, frames[n%len(frames)])
	}
	return time.Since(began)
}

// A burst, sent faster than a busy network would, is captured without a drop.
func TestLiveBurstWithoutDrops(t *testing.T) {
	namespace(t)
	const frames = 50_000
	live := openLiveTest(t, LiveConfig{Interface: veth1, Idle: 5 * ringRetire})
	var group errgroup.Group
	seen := 0
	group.Go(func() error {
		return RunIdle(t.Context(), live, NewDecoder(DecoderConfig{}), func(*mlids.Packet) error {
			seen++
			return nil
		}, func() error {
			if seen == 0 {
				return nil // the burst has not begun
			}
			return errStop
		})
	})
	s := newSender(t, veth0)
	frame := ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(1, 53, make([]byte, 400))))
	for range frames {
		s.send(t, frame)
	}
	if err := group.Wait(); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	if stats, err := live.Stats(); err != nil || stats.Dropped != 0 || seen != frames {
		t.Errorf("%d of %d frames, %+v, %v", seen, frames, stats, err)
	}
}
