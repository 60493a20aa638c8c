package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mlids"
)

// The ends of the veth pair.
const veth0, veth1 = "mlids0", "mlids1"

// namespace gives the test a network namespace of its own with lo and the veth pair veth0 and veth1. The test's thread is not
// unlocked, so that it ends with the test, and the namespace with it.
func namespace(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		tb.Skip("needs ip(8) of iproute2")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		tb.Skipf("needs root for a network namespace: %v", err)
	}
	if !ip(tb, "link", "set", "lo", "up") || !ip(tb, "link", "add", "name", veth0, "type", "veth", "peer", "name", veth1) {
		tb.Skip("needs veth interfaces")
	}
	for _, name := range []string{veth0, veth1} {
		ip(tb, "link", "set", "dev", name, "addrgenmode", "none")
		ip(tb, "link", "set", "dev", name, "up")
	}
	running(tb, veth0)
	running(tb, veth1)
}

// running waits until the kernel has noticed that both ends of the pair are up: before that it drops what is sent.
func running(tb testing.TB, name string) {
	tb.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); runtime.Gosched() {
		if face, err := net.InterfaceByName(name); err != nil {
			tb.Fatal(err)
		} else if face.Flags&net.FlagRunning != 0 {
			return
		}
	}
	tb.Fatalf("interface %s does not come up", name)
}

func ip(tb testing.TB, args ...string) bool {
	tb.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		tb.Logf("ip %v: %v: %s", args, err, out)
	}
	return err == nil
}

// sender sends frames on an interface.
type sender struct {
	fd int
	to *unix.SockaddrLinklayer
}

func newSender(tb testing.TB, name string) *sender {
	tb.Helper()
	face, err := net.InterfaceByName(name)
	if err != nil {
		tb.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = unix.Close(fd) })
	to := &unix.SockaddrLinklayer{Ifindex: face.Index}
	if err := unix.Bind(fd, to); err != nil {
		tb.Fatal(err)
	}
	return &sender{fd, to}
}

func (s *sender) send(tb testing.TB, frame []byte) {
	tb.Helper()
	for {
		_, err := unix.Write(s.fd, frame)
		if err == nil {
			return
		}
		if !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
			tb.Fatal(err)
		}
	}
}

func openLiveTest(tb testing.TB, cfg LiveConfig) *Live {
	tb.Helper()
	live, err := OpenLive(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := live.Close(); err != nil {
			tb.Error(err)
		}
	})
	return live
}

// numbered is a UDP packet whose payload is its number.
func numbered(n int) []byte {
	payload := binary.BigEndian.AppendUint32(nil, uint32(n))
	return ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(1000+uint16(n%50), 53, payload)))
}

func TestLiveCountsEveryFrame(t *testing.T) {
	namespace(t)
	const frames = 5000
	live := openLiveTest(t, LiveConfig{Interface: veth1, Promiscuous: true})
	s := newSender(t, veth0)
	before := time.Now().UnixNano()
	for n := range frames {
		s.send(t, numbered(n))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seen := 0
	err := Run(ctx, live, NewDecoder(DecoderConfig{Checksums: true}), func(p *mlids.Packet) error {
		if got := int(binary.BigEndian.Uint32(p.Payload)); got != seen || p.BadChecksum || p.WireLen != p.CaptureLen {
			t.Errorf("packet %d: got number %d, %+v", seen, got, p)
		}
		if p.Time < before || p.Time > time.Now().UnixNano() {
			t.Errorf("packet %d: time %d is not between sending and receiving", seen, p.Time)
		}
		if seen++; seen == frames {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || seen != frames {
		t.Fatalf("%d of %d frames, %v", seen, frames, err)
	}
	stats, err := live.Stats()
	if err != nil || stats.Dropped != 0 || stats.Received != frames {
		t.Errorf("counters %+v, %v", stats, err)
	}
}

func TestLiveVLANTagIsPutBack(t *testing.T) {
	namespace(t)
	for _, face := range []string{veth1, AnyInterface} {
		for _, c := range []struct {
			filter string
			frame  []byte
			vlan   uint16
		}{
			{"", vlanFrame(etherVLAN, 7, numbered(1)), 7},
			{"", vlanFrame(etherService, 9, vlanFrame(etherVLAN, 3, numbered(1))), 9},
			{"udp port 53", vlanFrame(etherVLAN, 7, numbered(1)), 7},
		} {
			live := openLiveTest(t, LiveConfig{Interface: face, Filter: c.filter})
			newSender(t, veth0).send(t, c.frame)
			p := firstPacket(t, live)
			if p.VLAN != c.vlan || p.DstPort != 53 {
				t.Errorf("%s, filter %q: VLAN %d, want %d: %+v", face, c.filter, p.VLAN, c.vlan, p)
			}
			if face == veth1 && int(p.WireLen) != len(c.frame) {
				t.Errorf("filter %q: %d bytes, sent %d", c.filter, p.WireLen, len(c.frame))
			}
		}
	}
}

// firstPacket is the first UDP packet of a source.
func firstPacket(t *testing.T, src Source) mlids.Packet {
	t.Helper()
	var first mlids.Packet
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := Run(ctx, src, NewDecoder(DecoderConfig{}), func(p *mlids.Packet) error {
		if p.Proto == mlids.ProtoUDP {
			first = *p
			cancel()
		}
		return ctx.Err()
	}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return first
}

func TestLiveKernelFilter(t *testing.T) {
	namespace(t)
	tests := []struct {
		filter string
		want   bool
	}{
		{"udp port 53", true}, {"tcp", false}, {"vlan", true}, {"vlan 7", true}, {"vlan 8", false},
		{"vlan 7 and udp port 53", true}, {"not vlan", false}, {"src net 10.0.0.0/8 and not arp", true},
	}
	for _, c := range tests {
		live := openLiveTest(t, LiveConfig{Interface: veth1, Filter: c.filter, Idle: 3 * ringRetire})
		newSender(t, veth0).send(t, vlanFrame(etherVLAN, 7, numbered(1)))
		var f Frame
		if err := live.Next(t.Context(), &f); (err == nil) != c.want || err != nil && !errors.Is(err, ErrIdle) {
			t.Errorf("%q: %v, want a frame: %v", c.filter, err, c.want)
		}
	}
}

func TestLiveLoopbackHasEachFrameOnce(t *testing.T) {
	namespace(t)
	for _, face := range []string{"lo", AnyInterface} {
		live := openLiveTest(t, LiveConfig{Interface: face, Idle: 4 * ringRetire})
		conn, err := net.Dial("udp", "127.0.0.1:9")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("once")); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		seen := 0
		err = RunIdle(t.Context(), live, NewDecoder(DecoderConfig{Checksums: true}), func(p *mlids.Packet) error {
			if string(p.Payload) == "once" {
				seen++
			}
			if p.BadChecksum {
				t.Errorf("%s: a checksum left to the card is called wrong: %+v", face, p)
			}
			return nil
		}, func() error { return errStop })
		if !errors.Is(err, errStop) || seen != 1 {
			t.Errorf("%s: seen %d times, want once; %v", face, seen, err)
		}
	}
}

var errStop = errors.New("stop")

func TestLiveSnapLength(t *testing.T) {
	namespace(t)
	live := openLiveTest(t, LiveConfig{Interface: veth1, Snap: 44})
	frame := ethernetFrame(etherIPv4, ipv4Packet(mlids.ProtoUDP, udpPacket(1, 53, make([]byte, 1000))))
	newSender(t, veth0).send(t, frame)
	p := firstPacket(t, live)
	if p.CaptureLen != 44 || int(p.WireLen) != len(frame) || p.PayloadLen != 1000 || len(p.Payload) != 2 {
		t.Errorf("got %+v", p)
	}
}

func TestLiveFanOutKeepsFlowsTogether(t *testing.T) {
	namespace(t)
	const frames, flows = 1000, 50
	var rings [2]*Live
	for i := range rings {
		rings[i] = openLiveTest(t, LiveConfig{Interface: veth1, FanoutGroup: 77, RingBytes: 4 << 20, Idle: 4 * ringRetire})
	}
	s := newSender(t, veth0)
	for n := range frames {
		s.send(t, numbered(n))
	}
	owner := map[uint16]int{}
	var shares [2]int
	for i, live := range rings {
		err := RunIdle(t.Context(), live, NewDecoder(DecoderConfig{}), func(p *mlids.Packet) error {
			if before, ok := owner[p.SrcPort]; ok && before != i {
				t.Errorf("flow from port %d is in both rings", p.SrcPort)
			}
			owner[p.SrcPort] = i
			shares[i]++
			return nil
		}, func() error { return errStop })
		if !errors.Is(err, errStop) {
			t.Fatal(err)
		}
	}
	if shares[0]+shares[1] != frames || shares[0] == 0 || shares[1] == 0 || len(owner) != flows {
		t.Errorf("shares %v of %d frames in %d flows", shares, frames, len(owner))
	}
}

func TestLiveInterfaceGoesDown(t *testing.T) {
	namespace(t)
	live := openLiveTest(t, LiveConfig{Interface: veth1})
	newSender(t, veth0).send(t, numbered(1))
	ip(t, "link", "set", "dev", veth1, "down")
	seen := 0
	err := Run(t.Context(), live, NewDecoder(DecoderConfig{}), func(*mlids.Packet) error { seen++; return nil })
	if !errors.Is(err, ErrInterface) || seen != 1 {
		t.Errorf("%d packets, %v", seen, err)
	}
	if again := live.Next(t.Context(), &Frame{}); !errors.Is(again, err) {
		t.Errorf("after the end: %v", again)
	}
	if _, err := OpenLive(LiveConfig{Interface: veth1}); !errors.Is(err, ErrInterface) {
		t.Errorf("interface that is down: %v", err)
	}
	if _, err := OpenLive(LiveConfig{Interface: "nosuch"}); !errors.Is(err, ErrInterface) {
		t.Errorf("interface that is not there: %v", err)
	}
	if _, err := OpenLive(LiveConfig{Interface: veth0, Filter: "port port"}); !errors.Is(err, ErrFilter) {
		t.Errorf("bad filter: %v", err)
	}
}

func TestLiveCancelIsPrompt(t *testing.T) {
	namespace(t)
	live := openLiveTest(t, LiveConfig{Interface: veth1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := live.Next(ctx, &Frame{})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("after %v: %v", took, err)
	}
	newSender(t, veth0).send(t, numbered(1))
	if err := live.Next(t.Context(), &Frame{}); err != nil {
		t.Errorf("a cancelled wait must not end the source: %v", err)
	}
}
