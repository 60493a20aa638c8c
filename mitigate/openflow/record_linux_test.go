package openflow

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mlids/internal/ovstest"
	"mlids/mitigate"
	"mlids/mitigate/openflow/ofp"
)

// recorder keeps the first message of each kind that passes.
type recorder struct {
	mu    sync.Mutex
	kinds map[string]string // hex
}

// pass copies messages from one connection to another.
func (r *recorder) pass(who string, from io.Reader, to io.Writer) {
	in := ofp.NewReader(from)
	for {
		h, body, err := in.Next()
		if err != nil {
			return
		}
		raw := append([]byte{h.Version, byte(h.Type), byte(h.Length >> 8), byte(h.Length), byte(h.XID >> 24), byte(h.XID >> 16), byte(h.XID >> 8), byte(h.XID)}, body...)
		r.keep(who+", "+kindOfMessage(h, body), raw)
		if _, err := to.Write(raw); err != nil {
			return
		}
	}
}

func (r *recorder) keep(kind string, raw []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.kinds[kind]; !ok || 2*len(raw) < len(old) || strings.Contains(kind, "multipart reply 1") && len(old) < 2*len(raw) && len(raw) < 1200 {
		r.kinds[kind] = hex.EncodeToString(raw)
	}
}

// kindOfMessage tells messages apart of which one each is kept.
func kindOfMessage(h ofp.Header, body []byte) string {
	detail := ""
	switch h.Type {
	case ofp.TypeMultipartRequest, ofp.TypeMultipartReply:
		detail = fmt.Sprintf(" %d", body[1])
	case ofp.TypePacketIn:
		var m ofp.PacketIn
		if m.Decode(body) == nil && len(m.Data) > 14 {
			detail = fmt.Sprintf(" %x %x", m.Cookie>>48, m.Data[12:14])
		}
	case ofp.TypeFlowMod:
		var m ofp.FlowMod
		if m.Decode(body) == nil {
			detail = fmt.Sprintf(" %d %x %x %d", m.Command, m.Cookie>>48, m.Match.EthType, m.Match.Proto)
		}
	case ofp.TypeMeterMod:
		detail = fmt.Sprintf(" %d", body[1])
	}
	return h.Type.String() + detail
}

// between listens and connects each connection with another one.
func (r *recorder) between(tb testing.TB, left, right, network, address string) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial(network, address)
			if err != nil {
				_ = a.Close()
				continue
			}
			go func() { r.pass(left, a, b); _ = b.Close() }()
			go func() { r.pass(right, b, a); _ = a.Close() }()
		}
	}()
	return "tcp:" + l.Addr().String()
}

// TestRecord writes the messages that package ofp is tested with. It does so only when MLIDS_RECORD names the file:
//
//	MLIDS_RECORD=ofp/testdata/openvswitch.txt go test -run TestRecord ./mitigate/openflow
func TestRecord(t *testing.T) {
	path := os.Getenv("MLIDS_RECORD")
	if path == "" {
		t.Skip("set MLIDS_RECORD to record messages anew")
	}
	n, h1, attacker, h2 := seed(t)
	r := &recorder{kinds: map[string]string{}}
	c, stop := startController(t, Config{})
	way := r.between(t, "switch", "controller", "tcp", c.Addr().String())
	n.Control("s1", way)
	n.Control("s2", way)
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	for _, to := range []string{h2.IP, h2.IP6} {
		n.Ping(h1, to, 3, 100*time.Millisecond)
	}
	n.In(h1, "bash", "-c", "echo hello > /dev/udp/"+h2.IP+"/53; (echo > /dev/tcp/"+h2.IP+"/81) 2>/dev/null; true")
	until := time.Now().Add(time.Second + 100*time.Millisecond)
	for i, b := range []mitigate.Block{
		{Kind: mitigate.Drop, Match: mitigate.Match{Src: netip.MustParsePrefix(attacker.IP + "/32")}},
		{Kind: mitigate.Limit, Rate: 10, Match: mitigate.Match{Dst: netip.MustParsePrefix("fd00::/64"), Proto: 17, DstPort: 53}},
		{Kind: mitigate.Redirect, ToPort: 2, Match: mitigate.Match{Port: mitigate.Port{Switch: 1, Number: 1}, Dst: netip.MustParsePrefix("10.1.0.0/16")}},
	} {
		b.ID, b.Until = blockID(uint64(i+1)), until
		if err := c.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	n.OFCtl("add-flow", "s1", "table=3,priority=9,sctp,nw_src=10.0.0.0/9,tp_dst=7,actions=meter:16,output:1")
	tap := r.between(t, "ovs-ofctl", "switch", "unix", n.Socket("s1.mgmt"))
	for _, command := range []string{"dump-aggregate", "dump-ports", "meter-stats", "dump-meters", "meter-features", "dump-flows", "show", "probe"} {
		n.OFCtlAt(tap, command)
	}
	n.OFCtlAt(tap, "add-flow", "table=3,tcp6,ipv6_src=fd00::/8,tp_src=1,actions=write_actions(output:1),goto_table:4")
	n.OFCtlAt(tap, "del-flows", "table=3")
	if exec.Command("ovs-ofctl", "-O", "OpenFlow13", "add-flow", tap, "actions=meter:99").Run() == nil {
		t.Error("a meter that is not there was accepted")
	}
	ovstest.Await(t, "the end of a block", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.kinds["switch, flow-removed"] != ""
	})
	n.In(h1, "ip", "link", "set", h1.Interface, "down")
	ovstest.Await(t, "a port to go down", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.kinds["switch, port-status"] != ""
	})
	stop()
	master, _ := startController(t, Config{Role: ofp.RoleMaster})
	n.Control("s1", r.between(t, "switch", "controller", "tcp", master.Addr().String()))
	ovstest.Await(t, "the master", func() bool { return master.settled(1, 0) })
	var text strings.Builder
	text.WriteString("# Messages between mlids sdn or ovs-ofctl and Open vSwitch, kept by TestRecord of mlids/mitigate/openflow.\n")
	fmt.Fprintf(&text, "# %s", n.OVSVersion())
	for _, kind := range slices.Sorted(maps.Keys(r.kinds)) {
		if !strings.Contains(kind, "multipart reply 12") && !strings.Contains(kind, "multipart request 12") { // table features: not used
			fmt.Fprintf(&text, "%s: %s\n", kind, r.kinds[kind])
		}
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
