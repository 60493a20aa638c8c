package openflow

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mlids/internal/ovstest"
	"mlids/mitigate/openflow/ofp"
)

// oskenPython has os-ken: Debian's own interpreter.
const oskenPython = "/usr/bin/python3"

// startOSKen runs the peer on a free port and returns its address and the lines that it prints.
func startOSKen(b *testing.B, match string, flowMods int) (string, *bufio.Scanner) {
	b.Helper()
	if exec.Command(oskenPython, "-c", "import os_ken").Run() != nil {
		b.Skip("needs python3-os-ken: run make tools")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(oskenPython, "../../lab/bench/openflow_osken.py", port, match, strconv.Itoa(flowMods))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "listening" {
		b.Skip("os-ken does not start")
	}
	ovstest.Await(b, "os-ken", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return address, lines
}

// startPatient runs a controller that puts an exact flow for whatever asks.
func startPatient(b *testing.B) string {
	b.Helper()
	c, _ := startController(b, Config{NewFlows: 1 << 29, MaxFlows: 1 << 30, MissRate: 1 << 30, Settle: 20 * time.Millisecond})
	return c.Addr().String()
}

// asker is a switch whose packets ask for ways.
type asker struct {
	*fakeSwitch
	got chan time.Time // a packet-out each
	n   int
}

func newAsker(b *testing.B, address string) *asker {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	a := &asker{got: make(chan time.Time, 1<<16), fakeSwitch: &fakeSwitch{
		tb: b, conn: conn, id: 1, ended: make(chan struct{}), ports: []ofp.Port{{Number: 1, Name: "one"}, {Number: 2, Name: "two"}},
	}}
	a.send(1, &ofp.Hello{Versions: 1 << ofp.Version})
	go a.serve()
	b.Cleanup(func() {
		_ = conn.Close()
		<-a.ended
	})
	a.meet(b)
	return a
}

// serve answers what a switch is asked, and notes packet-outs that are no probes.
func (a *asker) serve() {
	defer close(a.ended)
	r := ofp.NewReader(a.conn)
	var out ofp.PacketOut
	for {
		h, body, err := r.Next()
		if err != nil {
			return
		}
		switch h.Type {
		case ofp.TypeFlowMod:
		case ofp.TypePacketOut:
			if out.Decode(body) == nil && len(out.Data) > 13 && out.Data[12] == 8 {
				a.got <- time.Now()
			}
		default:
			a.answer(h, body)
		}
	}
}

// question appends a packet-in of a flow that was not there before.
func (a *asker) question(buf []byte) []byte {
	a.n++
	frame := udpFrame(1, 2, uint16(a.n))
	frame[36], frame[37] = byte(a.n>>24), byte(a.n>>16) // further flows by the port of the destination
	return a.packetIn(buf, 1, frame)
}

func (a *asker) packetIn(buf []byte, port uint32, frame []byte) []byte {
	return ofp.Append(buf, 0, &ofp.PacketIn{
		Buffer: ofp.NoBuffer, TotalLen: uint16(len(frame)), Cookie: cookie(kindMiss, 0), Table: tableForward,
		Match: ofp.Match{Set: ofp.HasInPort, InPort: port}, Data: frame,
	})
}

// meet lets the controller know both hosts, and waits until it forwards between them.
func (a *asker) meet(b *testing.B) {
	b.Helper()
	ovstest.Await(b, "answers to packets", func() bool {
		a.write(a.packetIn(a.packetIn(nil, 2, udpFrame(2, 1, 7)), 1, udpFrame(1, 2, 7)))
		select {
		case <-a.got:
			return true
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})
	for quiet := false; !quiet; {
		select {
		case <-a.got:
		case <-time.After(200 * time.Millisecond):
			quiet = true
		}
	}
}

// askMany asks with so many questions open at a time and reports answers a second.
func askMany(b *testing.B, a *asker, window int) {
	b.Helper()
	var buf []byte
	open := 0
	b.ResetTimer()
	for asked, answered := 0, 0; answered < b.N; {
		buf = buf[:0]
		for open < window && asked < b.N {
			buf = a.question(buf)
			asked++
			open++
		}
		if len(buf) > 0 {
			a.write(buf)
		}
		<-a.got
		answered++
		open--
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packet-ins/s")
}

// askOne asks one question at a time and reports the median time to the packet-out.
func askOne(b *testing.B, a *asker) {
	b.Helper()
	var buf []byte
	times := make([]time.Duration, 0, b.N)
	b.ResetTimer()
	for range b.N {
		buf = a.question(buf[:0])
		begin := time.Now()
		a.write(buf)
		times = append(times, (<-a.got).Sub(begin))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds())/1000, "µs-median")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds())/1000, "µs-p99")
}

// BenchmarkPacketIns is packet-in → flow-mod + packet-out, 128 open at a time.
func BenchmarkPacketIns(b *testing.B) {
	b.Run("mlids", func(b *testing.B) { askMany(b, newAsker(b, startPatient(b)), 128) })
	for _, match := range []string{"flow", "mac"} {
		b.Run("os-ken-"+match, func(b *testing.B) {
			address, _ := startOSKen(b, match, 0)
			askMany(b, newAsker(b, address), 128)
		})
	}
}

// BenchmarkFirstPacket is how long the first packet of a flow is at the controller.
func BenchmarkFirstPacket(b *testing.B) {
	b.Run("mlids", func(b *testing.B) { askOne(b, newAsker(b, startPatient(b))) })
	b.Run("os-ken-flow", func(b *testing.B) {
		address, _ := startOSKen(b, "flow", 0)
		askOne(b, newAsker(b, address))
	})
}

// flowModCount is how many flows go to a real switch at once.
const flowModCount = 20_000

// BenchmarkFlowMods puts exact flows on Open vSwitch, until it confirms them with a barrier.
func BenchmarkFlowMods(b *testing.B) {
	b.Run("mlids", func(b *testing.B) {
		n := ovstest.New(b)
		c, _ := startController(b, Config{Answer: time.Minute, Poll: time.Hour})
		n.Switch("s1", 1)
		n.Control("s1", "tcp:"+c.Addr().String())
		ovstest.Await(b, "the switch", func() bool { return c.settled(1, 0) })
		list := make([]ofp.Message, flowModCount)
		for i := range list {
			list[i] = benchFlow(i)
		}
		b.ResetTimer()
		for range b.N {
			if err := c.all()[0].transact(b.Context(), list...); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*flowModCount/b.Elapsed().Seconds(), "flow-mods/s")
	})
	for _, match := range []string{"flow", "mac"} {
		b.Run("os-ken-"+match, func(b *testing.B) { oskenFlowMods(b, match) })
	}
}

// oskenFlowMods reports what os-ken says of its flow-mods: how fast it made them, and how fast the switch confirmed them.
func oskenFlowMods(b *testing.B, match string) {
	b.Helper()
	n := ovstest.New(b)
	address, lines := startOSKen(b, match, flowModCount)
	n.Switch("s1", 1)
	n.Control("s1", "tcp:"+address)
	for _, unit := range []string{"written/s", "flow-mods/s"} {
		if !lines.Scan() {
			b.Fatal("os-ken ended")
		}
		rate, err := strconv.ParseFloat(strings.TrimPrefix(lines.Text(), unit+" "), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(rate, unit)
	}
}

func benchFlow(i int) *ofp.FlowMod {
	return &ofp.FlowMod{
		Cookie: cookie(kindForward, 1), Table: tableForward, Idle: 60, Priority: prioExact,
		Match: ofp.Match{
			Set:    ofp.HasInPort | ofp.HasEthSrc | ofp.HasEthDst | ofp.HasEthType | ofp.HasVLAN | ofp.HasProto | ofp.HasSrcPort | ofp.HasDstPort,
			InPort: 1, EthSrc: ofp.MAC{2, 0, 0, 0, 0, 1}, EthDst: ofp.MAC{2, 0, 0, 0, 0, 2}, EthType: ofp.EthIPv4, Proto: 6,
			Src: netip.MustParsePrefix("10.0.0.1/32"), Dst: netip.MustParsePrefix("10.0.0.2/32"),
			SrcPort: uint16(i >> 8), DstPort: uint16(i & 255),
		},
		Instructions: ofp.Instructions{Apply: []ofp.Action{{Port: 2}}},
	}
}

// BenchmarkFlowModsWritten is the controller's part of that alone: bytes over the loopback to a reader that drops them.
func BenchmarkFlowModsWritten(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	done := make(chan int)
	go func() {
		count := 0
		defer func() { done <- count }()
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := ofp.NewReader(conn)
		for {
			if _, _, err := r.Next(); err != nil {
				return
			}
			count++
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	out, stop, ended := newOutbox(conn), make(chan struct{}), make(chan error, 1)
	go func() { ended <- out.run(stop) }()
	m := benchFlow(1)
	b.ResetTimer()
	for i := range b.N {
		out.put(uint32(i), m)
		for out.waits() > maxPending/2 {
			runtime.Gosched()
		}
	}
	for out.waits() > 0 {
		runtime.Gosched()
	}
	close(stop)
	if err := <-ended; err != nil { // after its last write
		b.Error(err)
	}
	b.StopTimer()
	_ = conn.Close()
	if got := <-done; got < b.N-1 {
		b.Error(fmt.Errorf("%d of %d arrived", got, b.N))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "written/s")
}

// waits is how many bytes wait.
func (o *outbox) waits() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending)
}
