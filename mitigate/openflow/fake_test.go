package openflow

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids/internal/ovstest"
	"mlids/mitigate"
	"mlids/mitigate/openflow/ofp"
)

// fakeSwitch answers like a switch, and notes what it was told.
type fakeSwitch struct {
	tb    testing.TB
	conn  net.Conn
	id    uint64
	ports []ofp.Port
	mu    sync.Mutex // for what is below, and writing
	flows []ofp.FlowMod
	outs  int
	meter []ofp.MeterMod
	stats []ofp.FlowStats // what it has from an earlier run
	role  ofp.RoleMessage
	known []ofp.MeterConfig // likewise
	mute  bool              // it confirms nothing
	late  chan struct{}     // unless nil, it tells its blocks when this is closed
	ended chan struct{}
}

// dialFake connects a switch with two ports.
func dialFake(tb testing.TB, c *Controller, id uint64) *fakeSwitch {
	tb.Helper()
	return dialFakeWith(tb, c, &fakeSwitch{id: id})
}

func dialFakeWith(tb testing.TB, c *Controller, f *fakeSwitch) *fakeSwitch {
	tb.Helper()
	f.tb, f.ended = tb, make(chan struct{})
	if f.ports == nil {
		f.ports = []ofp.Port{{Number: 1, Name: "one"}, {Number: 2, Name: "two"}}
	}
	conn, err := net.Dial("tcp", c.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	f.conn = conn
	f.role.Generation = ^uint64(0)
	tb.Cleanup(func() {
		_ = conn.Close()
		<-f.ended
	})
	f.send(1, &ofp.Hello{Versions: 1 << ofp.Version})
	go f.serve()
	return f
}

func (f *fakeSwitch) send(xid uint32, m ofp.Message) {
	f.write(ofp.Append(nil, xid, m))
}

func (f *fakeSwitch) write(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = f.conn.Write(b) // the controller may have hung up: that is what tests wait for
}

// serve answers until the connection ends.
func (f *fakeSwitch) serve() {
	defer close(f.ended)
	r := ofp.NewReader(f.conn)
	for {
		h, body, err := r.Next()
		if err != nil {
			return
		}
		f.answer(h, body)
	}
}

func (f *fakeSwitch) answer(h ofp.Header, body []byte) {
	switch h.Type {
	case ofp.TypeFeaturesRequest:
		f.send(h.XID, &ofp.Features{Datapath: f.id, Tables: 254})
	case ofp.TypeBarrierRequest:
		f.mu.Lock()
		mute := f.mute
		f.mu.Unlock()
		if mute {
			return
		}
		f.send(h.XID, &ofp.Empty{Of: ofp.TypeBarrierReply})
	case ofp.TypeEchoRequest:
		f.send(h.XID, &ofp.Echo{Reply: true, Data: body})
	case ofp.TypeMultipartRequest:
		f.send(h.XID, f.multipart(body))
	case ofp.TypeRoleRequest:
		f.takeRole(h, body)
	case ofp.TypeFlowMod:
		var m ofp.FlowMod
		f.check(m.Decode(body))
		f.note(func() { f.flows = append(f.flows, m) })
	case ofp.TypeMeterMod:
		var m ofp.MeterMod
		f.check(m.Decode(body))
		f.note(func() { f.meter = append(f.meter, m) })
	case ofp.TypePacketOut:
		f.note(func() { f.outs++ })
	}
}

func (f *fakeSwitch) check(err error) {
	if err != nil {
		f.tb.Error(err)
	}
}

func (f *fakeSwitch) note(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
}

func (f *fakeSwitch) multipart(body []byte) ofp.Message {
	var m ofp.MultipartRequest
	f.check(m.Decode(body))
	reply := &ofp.MultipartReply{Of: m.Of}
	switch m.Of {
	case ofp.PartDescription:
		reply.Body = (&ofp.Description{Manufacturer: openVSwitch}).Append(nil)
	case ofp.PartPorts:
		for i := range f.ports {
			reply.Body = f.ports[i].Append(reply.Body)
		}
	case ofp.PartMeterFeatures:
		reply.Body = (&ofp.MeterFeatures{Max: 1 << 18, BandTypes: 2, Capabilities: 0xf}).Append(nil)
	case ofp.PartMeterConfig:
		for i := range f.known {
			reply.Body = f.known[i].Append(reply.Body)
		}
	case ofp.PartFlows:
		if f.late != nil && m.Cookie == cookie(kindBlock, 0) {
			<-f.late
		}
		for i := range f.stats {
			reply.Body = f.stats[i].Append(reply.Body)
		}
	}
	return reply
}

// takeRole does as the specification says: a generation that is older than the last one is refused.
func (f *fakeSwitch) takeRole(h ofp.Header, body []byte) {
	var m ofp.RoleMessage
	f.check(m.Decode(body))
	f.mu.Lock()
	none := f.role.Generation == ^uint64(0)
	stale := !none && m.Role != ofp.RoleAsk && int64(m.Generation-f.role.Generation) < 0
	if !stale && m.Role != ofp.RoleAsk {
		f.role = m
	}
	answer := f.role
	f.mu.Unlock()
	if stale {
		f.send(h.XID, &ofp.Error{Of: ofp.ErrorRole, Code: ofp.CodeStale})
		return
	}
	answer.Reply = true
	f.send(h.XID, &answer)
}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) has(words ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		found := true
		for _, w := range words {
			found = found && strings.Contains(line, w)
		}
		if found {
			return true
		}
	}
	return false
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startQuick runs a controller that is quick to lose patience.
func startQuick(tb testing.TB, cfg Config) (*Controller, *lines) {
	tb.Helper()
	log := &lines{}
	cfg.Listen, cfg.Answer, cfg.Settle, cfg.Poll = "127.0.0.1:0", cmp.Or(cfg.Answer, time.Second), 20*time.Millisecond, 50*time.Millisecond
	c, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(log, nil)), Register: prometheus.NewRegistry()})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	<-c.Listening()
	return c, log
}

func hello() []byte { return ofp.Append(nil, 1, &ofp.Hello{Versions: 1 << ofp.Version}) }

// TestMisbehavior connects switches that do what they must not. Each is disconnected with a line in the log that says why,
// and a well-behaved switch notices nothing.
func TestMisbehavior(t *testing.T) {
	c, log := startQuick(t, Config{})
	good := dialFake(t, c, 0x900d)
	ovstest.Await(t, "the good switch", func() bool { return log.has("switch connected", "900d") })
	flood := bytes.Repeat([]byte{0xff, 0x41, 0x00, 0x37}, 100_000)
	for name, bad := range map[string]struct {
		send []byte   // at once
		want []string // in the line that says why
	}{
		"garbage":               {flood, []string{"misbehaves", "not OpenFlow 1.3"}},
		"HTTP":                  {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), []string{"misbehaves", "not OpenFlow 1.3"}},
		"nothing":               {nil, []string{"misbehaves", "no hello"}},
		"half a hello":          {hello()[:11], []string{"misbehaves", "no hello"}},
		"OpenFlow 1.0":          {[]byte{1, 0, 0, 8, 0, 0, 0, 1}, []string{"misbehaves", "version 1 at most"}},
		"length 3":              {append(hello(), 4, 10, 0, 3, 0, 0, 0, 0), []string{"misbehaves", "wrong length"}},
		"packet-in cut off":     {append(hello(), 4, 10, 0, 12, 0, 0, 0, 0, 1, 2, 3, 4), []string{"misbehaves", "packet-in", "wrong length"}},
		"no hello first":        {ofp.Append(nil, 1, &ofp.Echo{}), []string{"misbehaves", "before the hello"}},
		"flow-mod to us":        {append(hello(), ofp.Append(nil, 1, &ofp.FlowMod{})...), []string{"misbehaves", "not for a controller"}},
		"answer to no question": {append(hello(), ofp.Append(nil, 99, &ofp.MultipartReply{})...), []string{"misbehaves", "nobody asked"}},
		"no answer":             {hello(), []string{"misbehaves", "no answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", c.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(bad.send); err != nil {
				t.Log(err) // it may hang up while we write
			}
			awaitEnd(t, conn)
			words := append([]string{"switch disconnected", conn.LocalAddr().String()}, bad.want...)
			ovstest.Await(t, fmt.Sprint("a line with ", words, " in ", log), func() bool { return log.has(words...) })
		})
	}
	stillThere(t, c, good)
}

// awaitEnd reads until the controller hangs up.
func awaitEnd(tb testing.TB, conn net.Conn) {
	tb.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	b := make([]byte, 4096)
	for {
		_, err := conn.Read(b)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			tb.Fatal("not disconnected")
		}
		if err != nil {
			return
		}
	}
}

// stillThere checks that a switch is served: it is asked for blocks, and answers.
func stillThere(tb testing.TB, c *Controller, f *fakeSwitch) {
	tb.Helper()
	select {
	case <-f.ended:
		tb.Error("the good switch was disconnected")
	default:
	}
	if _, err := c.Blocks(tb.Context()); err != nil {
		tb.Error(err)
	}
}

// TestMisbehaviorLater connects switches that begin well.
func TestMisbehaviorLater(t *testing.T) {
	for name, bad := range map[string]struct {
		answer func(f *fakeSwitch, h ofp.Header, body []byte) bool // false: as a good switch
		want   []string
	}{
		"100,000 ports": {func(f *fakeSwitch, h ofp.Header, body []byte) bool {
			if !asks(h, body, ofp.PartPorts) {
				return false
			}
			for part := range 100 {
				reply := &ofp.MultipartReply{Of: ofp.PartPorts, More: part < 99}
				for i := range 1000 {
					reply.Body = (&ofp.Port{Number: uint32(part*1000 + i + 1)}).Append(reply.Body)
				}
				f.send(h.XID, reply)
			}
			return true
		}, []string{"more than 4096 ports"}},
		"endless answer": {func(f *fakeSwitch, h ofp.Header, body []byte) bool {
			if !asks(h, body, ofp.PartFlows) {
				return false
			}
			part := ofp.Append(nil, h.XID, &ofp.MultipartReply{Of: ofp.PartFlows, More: true, Body: manyFlows()})
			for range 2 * maxAnswer / len(part) {
				f.write(part)
			}
			return true
		}, []string{"without end"}},
		"answer to another question": {func(f *fakeSwitch, h ofp.Header, body []byte) bool {
			if !asks(h, body, ofp.PartPorts) {
				return false
			}
			f.send(h.XID, &ofp.MultipartReply{Of: ofp.PartDescription})
			return true
		}, []string{"multipart 0 in answer to 13"}},
		"record cut off": {func(f *fakeSwitch, h ofp.Header, body []byte) bool {
			if !asks(h, body, ofp.PartPorts) {
				return false
			}
			f.send(h.XID, &ofp.MultipartReply{Of: ofp.PartPorts, Body: make([]byte, 63)})
			return true
		}, []string{"port of 64 bytes in 63"}},
		"auxiliary connection": {func(f *fakeSwitch, h ofp.Header, body []byte) bool {
			if h.Type != ofp.TypeFeaturesRequest {
				return false
			}
			f.send(h.XID, &ofp.Features{Tables: 2, Auxiliary: 1})
			return true
		}, []string{"auxiliary connection 1"}},
		"one table": {func(f *fakeSwitch, h ofp.Header, body []byte) bool {
			if h.Type != ofp.TypeFeaturesRequest {
				return false
			}
			f.send(h.XID, &ofp.Features{Tables: 1})
			return true
		}, []string{"1 tables, want 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, log := startQuick(t, Config{Answer: time.Minute})
			good := dialFake(t, c, 0x900d)
			ovstest.Await(t, "the good switch", func() bool { return log.has("switch connected", "900d") })
			f := &fakeSwitch{tb: t, id: 0xbad, ended: make(chan struct{}), ports: []ofp.Port{{Number: 1}}}
			conn, err := net.Dial("tcp", c.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			f.conn = conn
			f.send(1, &ofp.Hello{Versions: 1 << ofp.Version})
			r := ofp.NewReader(conn)
			for {
				h, body, err := r.Next()
				if err != nil {
					break
				}
				if !bad.answer(f, h, body) {
					f.answer(h, body)
				}
			}
			words := append([]string{"switch disconnected", "misbehaves", conn.LocalAddr().String()}, bad.want...)
			ovstest.Await(t, fmt.Sprint("a line with ", words, " in ", log), func() bool { return log.has(words...) })
			stillThere(t, c, good)
		})
	}
}

// A switch that talks without a pause, so that there is always half a message more, is not taken for a silent one.
func TestSwitchThatAlwaysTalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{}, Deps{Log: slog.New(slog.DiscardHandler), Register: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- newSession(c, ours).read() }()
		echo := ofp.Append(nil, 1, &ofp.Echo{Reply: true, Data: make([]byte, 100)})
		stream := append(hello(), echo[:50]...)
		for range 2 * gone / time.Second {
			if _, err := theirs.Write(stream); err != nil {
				t.Fatalf("%v: %v", err, <-ended)
			}
			stream = append(append([]byte{}, echo[50:]...), echo[:50]...)
			time.Sleep(time.Second)
		}
		_ = theirs.Close()
		if err := <-ended; !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "within a message") {
			t.Error(err)
		}
	})
}

// asks reports whether a message asks for a part.
func asks(h ofp.Header, body []byte, p ofp.Part) bool {
	var m ofp.MultipartRequest
	return h.Type == ofp.TypeMultipartRequest && m.Decode(body) == nil && m.Of == p
}

func manyFlows() []byte {
	var b []byte
	for range 900 {
		b = (&ofp.FlowStats{Cookie: cookie(kindForward, 1)}).Append(b)
	}
	return b
}

func TestSwitchThatNeverReads(t *testing.T) {
	c, log := startQuick(t, Config{Answer: time.Minute})
	good := dialFake(t, c, 0x900d)
	ovstest.Await(t, "the good switch", func() bool { return log.has("switch connected", "900d") })
	conn, err := net.Dial("tcp", c.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	echo := ofp.Append(nil, 7, &ofp.Echo{Data: make([]byte, 60_000)})
	if _, err := conn.Write(hello()); err != nil {
		t.Fatal(err)
	}
	for range 4000 { // 240 MB of echoes that it does not read the answers to
		if _, err = conn.Write(echo); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("not disconnected")
	}
	ovstest.Await(t, "the reason in the log", func() bool { return log.has("switch disconnected", conn.LocalAddr().String(), "reads too slowly") })
	stillThere(t, c, good)
}

func TestManyPortsOneByOne(t *testing.T) {
	c, log := startQuick(t, Config{Answer: time.Minute})
	f := dialFake(t, c, 5)
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	for i := range uint32(2 * maxPorts) {
		f.send(0, &ofp.PortStatus{Reason: ofp.PortAdded, Port: ofp.Port{Number: i + 1, State: ofp.StateNoLink}})
	}
	ovstest.Await(t, "the end", func() bool { return log.has("switch disconnected", "more than 4096 ports") })
}

func TestPortThatFlaps(t *testing.T) {
	c, log := startQuick(t, Config{Answer: time.Minute})
	f := dialFake(t, c, 5)
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	for i := range uint32(3 * maxPorts) {
		f.send(0, &ofp.PortStatus{Reason: ofp.PortModified, Port: ofp.Port{Number: 1, State: i & ofp.StateNoLink}})
	}
	ovstest.Await(t, "the end", func() bool { return log.has("switch disconnected", "more than 100 changes of ports") })
}

func TestRoles(t *testing.T) {
	for role, want := range map[ofp.Role]int{ofp.RoleMaster: 3, ofp.RoleSlave: 0} {
		t.Run(role.String(), func(t *testing.T) {
			c, log := startQuick(t, Config{Role: role})
			f := dialFakeWith(t, c, &fakeSwitch{id: 7})
			ovstest.Await(t, "the switch", func() bool { return log.has("switch connected", "role="+role.String()) })
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.role.Role != role || len(f.flows) < want || want == 0 && len(f.flows) > 0 {
				t.Errorf("%+v, %d flows", f.role, len(f.flows))
			}
		})
	}
}

func TestMasterIsReplaced(t *testing.T) {
	c, log := startQuick(t, Config{Role: ofp.RoleMaster})
	f := dialFake(t, c, 7)
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	f.send(500, &ofp.Error{Of: ofp.ErrorRequest, Code: ofp.CodeSlave})
	ovstest.Await(t, "notice", func() bool { return log.has("another controller is this switch's master now") })
	if err := c.Apply(t.Context(), dropOf("00000000000a", "10.0.0.9/32")); !errors.Is(err, ErrNoSwitch) {
		t.Errorf("a slave blocks: %v", err)
	}
}

func dropOf(id, src string) mitigate.Block {
	return mitigate.Block{
		ID: id, Kind: mitigate.Drop, Match: mitigate.Match{Src: netip.MustParsePrefix(src)}, Until: time.Now().Add(time.Minute),
	}
}

func TestApplyWithoutSwitch(t *testing.T) {
	c, _ := startQuick(t, Config{})
	if err := c.Apply(t.Context(), dropOf("00000000000a", "10.0.0.9/32")); !errors.Is(err, ErrNoSwitch) {
		t.Errorf("%v, want ErrNoSwitch", err)
	}
}

func TestRefusedBlock(t *testing.T) {
	c, log := startQuick(t, Config{})
	f := &fakeSwitch{id: 3}
	dialFakeWith(t, c, f)
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	block := dropOf("00000000000b", "10.0.0.9/32")
	if err := c.Apply(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	last := f.flows[len(f.flows)-1]
	f.mu.Unlock()
	if last.Cookie != cookie(kindBlock, 0xb) || last.Match.Src != block.Match.Src || last.Hard < 59 || last.Hard > 60 {
		t.Errorf("%+v", last)
	}
}

// A switch that confirms nothing is given up, also when whoever asked has given up before.
func TestSwitchThatConfirmsNothing(t *testing.T) {
	c, log := startQuick(t, Config{Answer: 200 * time.Millisecond})
	f := dialFake(t, c, 3)
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	f.note(func() { f.mute = true })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Apply(ctx, dropOf("00000000000b", "10.0.0.9/32")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want a deadline exceeded", err)
	}
	ovstest.Await(t, "its end", func() bool { return log.has("switch disconnected", "no answer") })
}

// An answer that comes when nobody waits for it any more harms nobody. The race detector would tell.
func TestCountsThatComeLate(t *testing.T) {
	c, log := startQuick(t, Config{Answer: time.Minute})
	f := &fakeSwitch{id: 3, late: make(chan struct{})}
	for id := range uint64(500) {
		f.stats = append(f.stats, ofp.FlowStats{Cookie: cookie(kindBlock, id)})
	}
	dialFakeWith(t, c, f)
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	counts, err := c.Counts(ctx)
	close(f.late)
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
		for id, n := range counts {
			t.Errorf("%s: %v", id, n)
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want a deadline exceeded", err)
	}
	if counts, err := c.Counts(t.Context()); err != nil || len(counts) != 500 {
		t.Errorf("%d blocks, %v, want 500", len(counts), err)
	}
}

// A meter that the switch has, and no block of ours, is somebody else's.
func TestForeignMetersStay(t *testing.T) {
	c, log := startQuick(t, Config{})
	f := dialFakeWith(t, c, &fakeSwitch{id: 3, known: []ofp.MeterConfig{{Meter: ofp.Meter{ID: firstMeter, Rate: 5}}}})
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	block := dropOf("00000000000b", "10.0.0.9/32")
	block.Kind, block.Rate = mitigate.Limit, 100
	if err := c.Apply(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.meter {
		if m.Meter.ID == firstMeter {
			t.Errorf("%+v changes a meter that is not ours", m)
		}
	}
}

// TestBlocksReturn lets a switch lose its flows and connect again: the blocks come back.
func TestBlocksReturn(t *testing.T) {
	c, log := startQuick(t, Config{})
	first := dialFake(t, c, 3)
	ovstest.Await(t, "the switch", func() bool { return log.has("switch connected") })
	if err := c.Apply(t.Context(), dropOf("00000000000b", "10.0.0.9/32")); err != nil {
		t.Fatal(err)
	}
	_ = first.conn.Close()
	ovstest.Await(t, "its end", func() bool { return log.has("switch gone") })
	second := dialFake(t, c, 3)
	ovstest.Await(t, "the block", func() bool {
		second.mu.Lock()
		defer second.mu.Unlock()
		for _, f := range second.flows {
			if f.Cookie == cookie(kindBlock, 0xb) {
				return true
			}
		}
		return false
	})
}

func TestBadBlocks(t *testing.T) {
	prefix := netip.MustParsePrefix
	soon := time.Now().Add(time.Minute)
	for name, b := range map[string]mitigate.Block{
		"ID of words":       {ID: "web", Kind: mitigate.Drop, Match: mitigate.Match{Src: prefix("10.0.0.1/32")}, Until: soon},
		"ID in capitals":    {ID: "00000000000A", Kind: mitigate.Drop, Match: mitigate.Match{Src: prefix("10.0.0.1/32")}, Until: soon},
		"no kind":           {ID: "00000000000a", Match: mitigate.Match{Src: prefix("10.0.0.1/32")}, Until: soon},
		"all packets":       {ID: "00000000000a", Kind: mitigate.Drop, Until: soon},
		"two versions":      {ID: "00000000000a", Kind: mitigate.Drop, Match: mitigate.Match{Src: prefix("10.0.0.1/32"), Dst: prefix("fd00::/64")}, Until: soon},
		"port of ICMP":      {ID: "00000000000a", Kind: mitigate.Drop, Match: mitigate.Match{Src: prefix("10.0.0.1/32"), Proto: 1, DstPort: 5}, Until: soon},
		"over":              {ID: "00000000000a", Kind: mitigate.Drop, Match: mitigate.Match{Src: prefix("10.0.0.1/32")}},
		"controller's port": {ID: "00000000000a", Kind: mitigate.Drop, Match: mitigate.Match{Port: mitigate.Port{Switch: 1, Number: ofp.PortController}}, Until: soon},
	} {
		if _, err := blockFlows(&b, 1, time.Now()); !errors.Is(err, ErrBlock) {
			t.Errorf("%s: %v, want ErrBlock", name, err)
		}
	}
}

func TestBlockFlows(t *testing.T) {
	now := time.Now()
	block := func(kind mitigate.Kind, m mitigate.Match) []*ofp.FlowMod {
		t.Helper()
		list, err := blockFlows(&mitigate.Block{ID: "0123456789ab", Kind: kind, Match: m, ToPort: 9, Until: now.Add(90*time.Second + 1)}, 77, now)
		if err != nil {
			t.Fatal(err)
		}
		var mods []*ofp.FlowMod
		for _, m := range list {
			mods = append(mods, m.(*ofp.FlowMod))
		}
		return mods
	}
	src := block(mitigate.Drop, mitigate.Match{Src: netip.MustParsePrefix("::ffff:10.0.0.7/128")})
	if len(src) != 1 || src[0].Hard != 91 || src[0].Match.EthType != ofp.EthIPv4 || src[0].Match.Src.String() != "10.0.0.7/32" ||
		blockID(src[0].Cookie) != "0123456789ab" || len(src[0].Instructions.Apply) != 0 || src[0].Instructions.Goto != 0 {
		t.Errorf("%+v", src)
	}
	limit := block(mitigate.Limit, mitigate.Match{Port: mitigate.Port{Switch: 1, Number: 4}})
	if len(limit) != 2 || limit[1].Match.EthType != ofp.EthIPv6 || limit[0].Instructions.Meter != 77 || limit[0].Instructions.Goto != tableForward {
		t.Errorf("%+v", limit)
	}
	lead := block(mitigate.Redirect, mitigate.Match{Src: netip.MustParsePrefix("fd00::1/128"), Proto: 6, DstPort: 80})
	if len(lead) != 1 || lead[0].Instructions.Apply[0].Port != 9 || lead[0].Match.DstPort != 80 {
		t.Errorf("%+v", lead)
	}
	if src[0].Priority <= lead[0].Priority || lead[0].Priority <= limit[0].Priority {
		t.Error("drop, redirect, limit: wrong order")
	}
}
