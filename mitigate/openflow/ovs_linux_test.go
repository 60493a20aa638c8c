package openflow

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mlids"
	"mlids/capture"
	"mlids/internal/ovstest"
	"mlids/mitigate"
	"mlids/mitigate/openflow/ofp"
)

// startController runs a controller until the test ends or stop is called.
func startController(tb testing.TB, cfg Config) (c *Controller, stop func()) {
	tb.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	c, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(tb.Output(), nil)), Register: prometheus.NewRegistry()})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	}
	tb.Cleanup(stop)
	select {
	case <-c.Listening():
	case <-time.After(10 * time.Second):
		tb.Fatal("does not listen")
	}
	return c, stop
}

// settled reports whether the controller knows so many switches and links, and no port is new.
func (c *Controller) settled(switches, links int) bool {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for _, at := range c.net.nodes {
		for _, p := range at.ports {
			if p.Up() && !p.linked && !c.net.isEdge(p) {
				return false
			}
		}
	}
	return len(c.net.nodes) == switches && c.net.linkCount() == links
}

// seed is the topology of the demonstration: h1 and attacker on s1, h2 on s2.
func seed(t *testing.T) (n *ovstest.Net, h1, attacker, h2 *ovstest.Host) {
	t.Helper()
	n = ovstest.New(t, "ping")
	n.Switch("s1", 1)
	n.Switch("s2", 2)
	n.Link("s1", 10, "s2", 10)
	return n, n.Host("h1", "s1", 1, 1), n.Host("at", "s1", 2, 3), n.Host("h2", "s2", 1, 2)
}

func TestSeedTopology(t *testing.T) {
	t.Parallel()
	n, h1, attacker, h2 := seed(t)
	c, _ := startController(t, Config{})
	for _, name := range []string{"s1", "s2"} {
		n.Control(name, "tcp:"+c.Addr().String())
	}
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	for _, from := range []*ovstest.Host{h1, attacker} {
		for _, to := range []string{h2.IP, h2.IP6} {
			if _, answered, text := n.Ping(from, to, 3, 20*time.Millisecond); answered == 0 { // while flows are put there
				t.Errorf("%s to %s: %s", from.Name, to, text)
			}
			if sent, answered, text := n.Ping(from, to, 20, 20*time.Millisecond); answered != sent {
				t.Errorf("%s to %s: %s", from.Name, to, text)
			}
		}
	}
}

func control(n *ovstest.Net, c *Controller, switches ...string) {
	for _, name := range switches {
		n.Control(name, "tcp:"+c.Addr().String())
	}
}

// pings starts pings in the background; the function returned waits for their end and tells how many were lost.
func pings(t *testing.T, n *ovstest.Net, h *ovstest.Host, to string, count int) func() (lost int, text string) {
	t.Helper()
	cmd := n.Command(h, "ping", "-n", "-i", "0.02", "-W", "2", "-c", strconv.Itoa(count), to)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() (int, string) {
		_ = cmd.Wait() // what it prints tells
		sent, answered, text := ovstest.Answered(t, out.String())
		return sent - answered, text
	}
}

// TestRing has a loop of three switches: broadcasts come to rest, and a cut link is gone around.
func TestRing(t *testing.T) {
	t.Parallel()
	n := ovstest.New(t, "ping")
	for i, name := range []string{"s1", "s2", "s3"} {
		n.Switch(name, uint64(i+1))
	}
	n.Link("s1", 10, "s2", 11)
	n.Link("s2", 10, "s3", 11)
	n.Link("s3", 10, "s1", 11)
	h1, h2, h3 := n.Host("h1", "s1", 1, 1), n.Host("h2", "s2", 1, 2), n.Host("h3", "s3", 1, 3)
	c, _ := startController(t, Config{})
	control(n, c, "s1", "s2", "s3")
	ovstest.Await(t, "three switches and links", func() bool { return c.settled(3, 3) })
	for _, to := range []string{h2.IP, h3.IP, h2.IP6, h3.IP6} {
		if sent, answered, text := n.Ping(h1, to, 5, 20*time.Millisecond); answered != sent {
			t.Errorf("to %s: %s", to, text)
		}
	}
	before := n.Received(h3)
	_ = n.Command(h1, "ping", "-b", "-c", "20", "-i", "0.02", "-W", "1", "-q", "10.0.0.255", "-I", h1.Interface).Run() // nobody answers
	if got := n.Received(h3) - before; got < 20 || got > 40 {
		t.Errorf("20 broadcasts came %d times", got)
	}
	wait := pings(t, n, h1, h2.IP, 150)
	ovstest.Await(t, "pings under way", func() bool { return strings.Contains(n.OFCtl("dump-flows", "s1"), "icmp_type=8") })
	n.Cut("s1", 10)
	if lost, text := wait(); lost > 3 {
		t.Errorf("a cut link lost %d pings: %s", lost, text)
	}
	if c.settled(3, 3) {
		t.Error("the link is still there")
	}
}

// TestRestart ends the controller while pings run, and starts another one: none is lost, and blocks stay.
func TestRestart(t *testing.T) {
	t.Parallel()
	n, h1, attacker, h2 := seed(t)
	first, stop := startController(t, Config{})
	control(n, first, "s1", "s2")
	ovstest.Await(t, "switches and their link", func() bool { return first.settled(2, 1) })
	n.Ping(h1, h2.IP, 2, 50*time.Millisecond)
	n.Ping(attacker, h2.IP, 2, 50*time.Millisecond)
	block := dropOf("0000000000b1", attacker.IP+"/32")
	if err := first.Apply(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	wait := pings(t, n, h1, h2.IP, 300)
	stop()
	if _, answered, _ := n.Ping(attacker, h2.IP, 3, 50*time.Millisecond); answered != 0 {
		t.Error("the block went away with the controller")
	}
	second, _ := startController(t, Config{Listen: first.Addr().String()})
	ovstest.Await(t, "the switches again", func() bool { return second.settled(2, 1) })
	if lost, text := wait(); lost != 0 {
		t.Errorf("%d pings lost: %s", lost, text)
	}
	if ids, err := second.Blocks(t.Context()); err != nil || len(ids) != 1 || ids[0] != block.ID {
		t.Errorf("blocks %v, %v", ids, err)
	}
	if err := second.Lift(t.Context(), mitigate.Block{ID: block.ID}); err != nil {
		t.Fatal(err)
	}
	if sent, answered, text := n.Ping(attacker, h2.IP, 3, 50*time.Millisecond); answered != sent {
		t.Errorf("lifted: %s", text)
	}
}

// TestBlocks carries out each kind of block on a real switch.
func TestBlocks(t *testing.T) {
	t.Parallel()
	n, h1, attacker, h2 := seed(t)
	c, _ := startController(t, Config{})
	control(n, c, "s1", "s2")
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	for _, to := range []string{h2.IP, h2.IP6} {
		n.Ping(h1, to, 1, time.Second)
		n.Ping(attacker, to, 1, time.Second)
	}
	at, ok := c.Locate(netip.MustParseAddr(attacker.IP))
	if !ok || at != (mitigate.Port{Switch: 1, Number: 2}) {
		t.Fatalf("the attacker is at %v, %v", at, ok)
	}
	source, victim := netip.MustParsePrefix(attacker.IP+"/32"), netip.MustParsePrefix(h2.IP+"/32")
	for name, x := range map[string]struct {
		block    mitigate.Block
		min, max int // of 20 pings from the attacker, in a fifth of a second
	}{
		"source":            {mitigate.Block{Kind: mitigate.Drop, Match: mitigate.Match{Src: source}}, 0, 0},
		"pair":              {mitigate.Block{Kind: mitigate.Drop, Match: mitigate.Match{Src: source, Dst: victim}}, 0, 0},
		"flow":              {mitigate.Block{Kind: mitigate.Drop, Match: mitigate.Match{Src: source, Dst: victim, Proto: 1}}, 0, 0},
		"other flow":        {mitigate.Block{Kind: mitigate.Drop, Match: mitigate.Match{Src: source, Dst: victim, Proto: 17, DstPort: 53}}, 20, 20},
		"port, destination": {mitigate.Block{Kind: mitigate.Drop, Match: mitigate.Match{Port: at, Dst: victim}}, 0, 0},
		"limit":             {mitigate.Block{Kind: mitigate.Limit, Rate: 5, Match: mitigate.Match{Port: at, Dst: victim}}, 1, 15},
		"redirect":          {mitigate.Block{Kind: mitigate.Redirect, ToPort: 1, Match: mitigate.Match{Src: source}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			x.block.ID, x.block.Until = "0000000000c2", time.Now().Add(time.Minute)
			if err := c.Apply(t.Context(), x.block); err != nil {
				t.Fatal(err)
			}
			if _, answered, text := n.Ping(attacker, h2.IP, 20, 10*time.Millisecond); answered < x.min || answered > x.max {
				t.Errorf("%d pings answered, want %d to %d: %s", answered, x.min, x.max, text)
			}
			if sent, answered, text := n.Ping(h1, h2.IP, 5, 10*time.Millisecond); answered != sent {
				t.Errorf("h1 is hurt: %s", text)
			}
			if err := c.Lift(t.Context(), x.block); err != nil {
				t.Fatal(err)
			}
			if ids, err := c.Blocks(t.Context()); err != nil || len(ids) != 0 {
				t.Errorf("left behind: %v, %v", ids, err)
			}
			if meters := n.OFCtl("dump-meters", "s1"); strings.Contains(meters, "meter=16 ") {
				t.Errorf("left behind: %s", meters)
			}
			if sent, answered, text := n.Ping(attacker, h2.IP, 3, 20*time.Millisecond); answered != sent {
				t.Errorf("lifted: %s", text)
			}
		})
	}
}

// TestAllowed lets an allow-listed host pass a limit at its own port, on switches that are there and that come again.
func TestAllowed(t *testing.T) {
	t.Parallel()
	n, h1, attacker, h2 := seed(t)
	c, stop := startController(t, Config{})
	control(n, c, "s1", "s2")
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	n.Ping(attacker, h2.IP, 1, time.Second)
	at := mitigate.Port{Switch: 1, Number: 2}
	limit := mitigate.Block{
		ID: "0000000000a1", Kind: mitigate.Limit, Rate: 1, Until: time.Now().Add(time.Minute),
		Match: mitigate.Match{Port: at, Dst: netip.MustParsePrefix(h2.IP + "/32")},
	}
	if err := c.Apply(t.Context(), limit); err != nil {
		t.Fatal(err)
	}
	passes := func(c *Controller, want bool, allow ...string) {
		t.Helper()
		var list []netip.Prefix
		for _, text := range allow {
			list = append(list, netip.MustParsePrefix(text))
		}
		if err := c.Allow(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		// The switch confirms its flows before its datapath's cache has heard of them.
		ovstest.Await(t, fmt.Sprintf("pings with %v allowed, all answered: %v", allow, want), func() bool {
			sent, answered, _ := n.Ping(attacker, h2.IP, 20, 10*time.Millisecond)
			return (answered == sent) == want
		})
	}
	passes(c, false)
	passes(c, true, attacker.IP+"/32")
	passes(c, true, "::/0", "10.0.0.0/8")
	passes(c, true, "0.0.0.0/0")
	passes(c, false, h1.IP+"/32", "fd00::/64")
	stop()
	second, _ := startController(t, Config{Listen: c.Addr().String()})
	if err := second.Allow(t.Context(), []netip.Prefix{netip.MustParsePrefix(attacker.IP + "/32")}); err != nil {
		t.Fatal(err) // no switch is there yet
	}
	ovstest.Await(t, "the switches again", func() bool { return second.settled(2, 1) })
	ovstest.Await(t, "pings of a host allowed before the switches came", func() bool {
		sent, answered, _ := n.Ping(attacker, h2.IP, 20, 10*time.Millisecond)
		return answered == sent
	})
	if flows := n.OFCtl("dump-flows", "s1", "table=0"); strings.Contains(flows, h1.IP) {
		t.Errorf("an entry of the list before is there still: %s", flows)
	}
}

// TestCountersTellOfWhatIsNotCopied sends more in one flow than is copied: the detector is told of the rest.
func TestCountersTellOfWhatIsNotCopied(t *testing.T) {
	t.Parallel()
	n, _, attacker, h2 := seed(t)
	n.Need("hping3")
	c, _ := startController(t, Config{CopyRate: 50, Poll: 200 * time.Millisecond})
	control(n, c, "s1", "s2")
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	n.Ping(attacker, h2.IP, 1, time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	const sent = 2000
	flood := n.Command(attacker, "hping3", "-q", "--udp", "-s", "5000", "-k", "-p", "7777", "-d", "200", "-i", "u1000", "-c", strconv.Itoa(sent), h2.IP)
	if err := flood.Start(); err != nil {
		t.Fatal(err)
	}
	shown, told := 0, 0
	dec, p := capture.NewDecoder(capture.DecoderConfig{}), mlids.Packet{}
	for f := (capture.Frame{}); shown+told < sent*95/100; { // less than twenty may stay untold, and a host may drop some
		switch err := c.Feed().Next(ctx, &f); {
		case errors.Is(err, capture.ErrIdle):
			continue
		case err != nil:
			t.Fatalf("%d packets shown and %d told, want %d: %v", shown, told, sent, err)
		}
		if dec.Decode(&f, &p) != capture.Decoded || p.Proto != mlids.ProtoUDP || p.DstPort != 7777 {
			continue
		}
		if p.Unseen == 0 {
			shown++
			continue
		}
		told += int(p.Unseen)
		if p.PayloadLen != 200 || p.Ingress != (mlids.Port{Switch: 1, Number: 2}) {
			t.Errorf("told of %d bytes at %v, want 200 at the attacker's port", p.PayloadLen, p.Ingress)
		}
	}
	_ = flood.Wait() // nobody answers
	if shown+told > sent*105/100 || shown > 400 || told < 1000 {
		t.Errorf("%d packets shown and %d told of %d", shown, told, sent)
	}
}

// TestBlockEndsInTheSwitch applies a block and takes the controller away: the switch ends it.
func TestBlockEndsInTheSwitch(t *testing.T) {
	t.Parallel()
	n, h1, attacker, h2 := seed(t)
	c, stop := startController(t, Config{})
	control(n, c, "s1", "s2")
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	n.Ping(h1, h2.IP, 1, time.Second)
	block := dropOf("0000000000d3", attacker.IP+"/32")
	block.Until = time.Now().Add(2 * time.Second)
	if err := c.Apply(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	stop()
	ovstest.Await(t, "the end of the block", func() bool { return !strings.Contains(n.OFCtl("dump-flows", "s1", "table=0"), attacker.IP) })
}

// TestFloodIsSeenAndBounded floods: the detector gets copies, no more than the meters let through, and others are served.
func TestFloodIsSeenAndBounded(t *testing.T) {
	t.Parallel()
	n, h1, attacker, h2 := seed(t)
	n.Need("hping3")
	c, _ := startController(t, Config{CopyRate: 100, MissRate: 200, NewFlows: 20})
	control(n, c, "s1", "s2")
	ovstest.Await(t, "switches and their link", func() bool { return c.settled(2, 1) })
	n.Ping(attacker, h2.IP, 1, time.Second)
	n.Ping(h1, h2.IP, 1, time.Second)
	seen := make(chan int)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { seen <- framesOf(ctx, c.Feed(), attacker.MAC) }()
	flood := n.Command(attacker, "hping3", "-q", "--flood", "-S", "-p", "80", "--rand-source", h2.IP)
	if err := flood.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(3*time.Second, func() { _ = flood.Process.Kill() })
	if sent, answered, text := n.Ping(h1, h2.IP, 100, 20*time.Millisecond); answered < sent-2 {
		t.Errorf("pings beside a flood of new flows: %s", text)
	}
	_ = flood.Wait()
	timer.Stop()
	flows := strings.Count(n.OFCtl("dump-flows", "s1"), "\n")
	cancel()
	// 3 s of 100 copies and 200 questions each at most, and what the meters' bursts let through
	if got := <-seen; got < 100 || got > 1500 {
		t.Errorf("the detector saw %d frames of the flood, want 100 to 1500", got)
	}
	if flows > 300 {
		t.Errorf("%d flows on the switch", flows)
	}
}

// framesOf counts the frames that a host sent until ctx ends.
func framesOf(ctx context.Context, feed *Feed, mac string) int {
	count := 0
	var f capture.Frame
	for ctx.Err() == nil {
		if err := feed.Next(ctx, &f); err != nil {
			continue
		}
		if h, ok := parseFrame(f.Data); ok && h.src.String() == mac {
			count++
		}
	}
	return count
}

// TestMasterAndSlave gives a switch two controllers, and the newer master the say.
func TestMasterAndSlave(t *testing.T) {
	t.Parallel()
	n, h1, _, h2 := seed(t)
	old, _ := startController(t, Config{Role: ofp.RoleMaster})
	control(n, old, "s1", "s2")
	ovstest.Await(t, "the master", func() bool { return old.settled(2, 1) })
	slave, _ := startController(t, Config{Role: ofp.RoleSlave})
	newer, _ := startController(t, Config{Role: ofp.RoleMaster})
	for _, name := range []string{"s1", "s2"} {
		n.Control(name, "tcp:"+old.Addr().String(), "tcp:"+slave.Addr().String(), "tcp:"+newer.Addr().String())
	}
	ovstest.Await(t, "the slave", func() bool { return slave.settled(2, 0) })
	ovstest.Await(t, "the newer master", func() bool { return newer.settled(2, 1) })
	if sent, answered, text := n.Ping(h1, h2.IP, 5, 50*time.Millisecond); answered != sent {
		t.Error(text)
	}
	if err := newer.Apply(t.Context(), dropOf("0000000000e4", "10.0.0.77/32")); err != nil {
		t.Error(err)
	}
	if err := slave.Apply(t.Context(), dropOf("0000000000e5", "10.0.0.77/32")); err == nil {
		t.Error("a slave put a block on a switch")
	}
}

// TestTLS connects switches by TLS; one whose certificate another authority signed is refused.
func TestTLS(t *testing.T) {
	t.Parallel()
	n := ovstest.New(t, "ping")
	dir := t.TempDir()
	ca, pool := authority(t, dir)
	server := certificate(t, dir, "controller", ca)
	certificate(t, dir, "switch", ca)
	c, _ := startController(t, Config{TLS: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}})
	n.VSCtl("set-ssl", filepath.Join(dir, "switch.key"), filepath.Join(dir, "switch.pem"), filepath.Join(dir, "ca.pem"))
	n.Switch("s1", 1)
	n.Host("h1", "s1", 1, 1)
	n.Control("s1", "ssl:"+c.Addr().String())
	ovstest.Await(t, "the switch", func() bool { return c.settled(1, 0) })

	foreign, _ := authority(t, t.TempDir())
	conn, err := tls.Dial("tcp", c.Addr().String(), &tls.Config{
		InsecureSkipVerify: true, Certificates: []tls.Certificate{certificate(t, t.TempDir(), "switch", foreign)},
	})
	if err == nil {
		awaitEnd(t, conn)
		conn.Close()
	}
	plain, err := net.Dial("tcp", c.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.Write(hello()); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, plain)
	if !c.settled(1, 0) {
		t.Error("the good switch went away")
	}
}

// authority makes a certificate authority and writes its certificate to ca.pem.
func authority(t *testing.T, dir string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	ca := sign(t, dir, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	return ca, pool
}

func certificate(t *testing.T, dir, name string, ca tls.Certificate) tls.Certificate {
	t.Helper()
	return sign(t, dir, name, &x509.Certificate{
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, &ca)
}

// sign makes a certificate and writes it and its key beside each other.
func sign(t *testing.T, dir, name string, c *x509.Certificate, by *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	hidden := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	for file, data := range map[string][]byte{name + ".pem": text, name + ".key": hidden} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(text, hidden)
	if err != nil {
		t.Fatal(err)
	}
	if pair.Leaf == nil {
		if pair.Leaf, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}
	return pair
}
