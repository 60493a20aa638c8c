package syslog_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/notify"
	"mlids/notify/syslog"
)

func message(id string) *notify.Message {
	return &notify.Message{
		Kind: notify.Prediction,
		Alert: mlids.Alert{
			ID: id, Verdict: mlids.Verdict{Attack: true, Class: `u2r"]\`, Probability: 0.9, Model: "m\n"}, Start: time.Unix(1_700_000_000, 5000).UTC(),
			Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), SrcPort: 1, DstPort: 2, Proto: 6,
		},
		Body: []byte(`{"columns":["prediction"],"data":[[1]]}`),
	}
}

func sink(t *testing.T, address string) *syslog.Sink {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := syslog.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	s, err := syslog.New(cfg, syslog.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// form is RFC 5424: header of seven fields, structured data, and a text that is UTF-8.
var form = regexp.MustCompile(`^<(\d{1,3})>1 (\S+) (\S+) mlids - (\S+) (\[mlids@32473(?: [a-z_]+="(?:[^"\\\]]|\\["\\\]])*")+\]) \x{feff}[^\x00-\x1f]*$`)

func check(t *testing.T, text, id string) {
	t.Helper()
	parts := form.FindStringSubmatch(text)
	if parts == nil || parts[1] != "105" || parts[2] != "2023-11-14T22:13:20.000005Z" || parts[4] != "prediction" {
		t.Fatalf("no message of RFC 5424: %q", text)
	}
	for _, want := range []string{` id="` + id + `"`, ` prediction="attack"`, ` class="u2r\"\]\\"`, ` src="10.0.0.1"`, ` dst_port="2"`} {
		if !strings.Contains(parts[5], want) {
			t.Errorf("structured data %s lacks %s", parts[5], want)
		}
	}
}

func TestUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := sink(t, "syslog+udp://"+conn.LocalAddr().String()+"?hostname=my+host")
	if err := s.Send(t.Context(), []*notify.Message{message("a"), message("b")}); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for _, id := range []string{"a", "b"} {
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := conn.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		check(t, string(buf[:n]), id)
		if !strings.Contains(string(buf[:n]), " my_host mlids ") {
			t.Errorf("host name in %s", buf[:n])
		}
	}
}

// frames reads octet-counted messages of RFC 6587.
func frames(t *testing.T, l net.Listener, got chan<- string) {
	t.Helper()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		r := bufio.NewReader(conn)
		for {
			length, err := r.ReadString(' ')
			if err != nil {
				break
			}
			n, err := strconv.Atoi(strings.TrimSpace(length))
			if err != nil {
				t.Errorf("frame length %q", length)
				break
			}
			text := make([]byte, n)
			if _, err := io.ReadFull(r, text); err != nil {
				break
			}
			got <- string(text)
			if strings.Contains(string(text), `id="last"`) {
				break // the receiver restarts
			}
		}
		conn.Close()
	}
}

// A receiver that closed the connection meanwhile gets what comes after on a new one.
func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 10)
	go frames(t, l, got)
	s := sink(t, "syslog+tcp://"+l.Addr().String())
	for _, ids := range [][]string{{"a", "last"}, {"c", "d"}} {
		var batch []*notify.Message
		for _, id := range ids {
			batch = append(batch, message(id))
		}
		if err := s.Send(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			check(t, <-got, id)
		}
	}
}

func TestTLS(t *testing.T) {
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS() // for its certificate, which names example.com
	defer cert.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: cert.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 10)
	go frames(t, l, got)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := sink(t, "syslog+tls://"+l.Addr().String()+"?format=eve&server-name=example.com&max-size=8192&ca="+url.QueryEscape(ca))
	if err := s.Send(t.Context(), []*notify.Message{message("a")}); err != nil {
		t.Fatal(err)
	}
	if text := <-got; !strings.Contains(text, `"event_type":"alert"`) {
		t.Errorf("got %s", text)
	}
	s.Close() // the test's receiver has one connection at a time
	var unknown x509.UnknownAuthorityError
	if err := sink(t, "syslog+tls://"+l.Addr().String()+"?server-name=example.com").Send(t.Context(), []*notify.Message{message("a")}); !errors.As(err, &unknown) {
		t.Errorf("a certificate of nobody's: %v", err)
	}
}

// A receiver that does not read, and none at all, cost the time-out at most.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "syslog+tcp://" + l.Addr().String() + "?timeout=300ms&max-size=1000000&format=eve"
	deaf := sink(t, address)
	big := message("big")
	big.Alert.Verdict.Version = strings.Repeat("v", 400<<10)
	start := time.Now()
	var failed error
	for range 64 {
		if failed = deaf.Send(t.Context(), []*notify.Message{big, big, big, big}); failed != nil {
			break
		}
	}
	if failed == nil || errors.Is(failed, notify.ErrPermanent) || time.Since(start) > 20*time.Second {
		t.Errorf("a receiver that does not read: %v after %v", failed, time.Since(start))
	}
	l.Close()
	if err := sink(t, address).Send(t.Context(), []*notify.Message{message("a")}); err == nil {
		t.Error("no receiver, and no error")
	}
}

// Who gives up just when a write fails ends neither the program nor the sink.
func TestGivingUpWhileFailing(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := sink(t, "syslog+udp://"+conn.LocalAddr().String())
	conn.Close() // what is sent comes back as refused
	given, stop := context.WithCancel(t.Context())
	stop()
	for range 500 {
		_ = s.Send(t.Context(), []*notify.Message{message("a")}) // connects
		_ = s.Send(given, []*notify.Message{message("a")})
	}
}

func TestCut(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := sink(t, "syslog+udp://"+conn.LocalAddr().String()+"?max-size=480")
	long := message("a")
	long.Alert.Top = []mlids.Contribution{{Column: strings.Repeat("ü", 500)}}
	huge := message("b")
	huge.Alert.CommunityID = strings.Repeat("x", 500)
	err = s.Send(t.Context(), []*notify.Message{long, huge})
	var partial *notify.PartialError
	if !errors.As(err, &partial) || partial.Errs[0] != nil || !errors.Is(partial.Errs[1], notify.ErrPermanent) {
		t.Fatalf("%v", err)
	}
	buf := make([]byte, 4096)
	n, _, err := conn.ReadFrom(buf)
	if err != nil || n > 480 || n < 470 {
		t.Errorf("%d bytes, %v", n, err)
	}
	check(t, string(buf[:n]), "a")
}

func TestParse(t *testing.T) {
	for _, address := range []string{"syslog+tls://", "syslog+quic://h", "syslog://h?facility=24", "syslog://h?format=xml", "syslog+tls://h?ca=/nowhere", "syslog://h?ca=/x"} {
		u, _ := url.Parse(address)
		if _, err := syslog.Parse(u); err == nil {
			t.Errorf("%s was read", address)
		}
	}
	for scheme, port := range map[string]string{"syslog": "514", "syslog+udp": "514", "syslog+tcp": "601", "syslog+tls": "6514"} {
		u, _ := url.Parse(scheme + "://h")
		if cfg, err := syslog.Parse(u); err != nil || cfg.Addr != "h:"+port {
			t.Errorf("%s: %+v, %v", scheme, cfg, err)
		}
	}
}
