package webhook_test

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"mlids"
	"mlids/notify"
	"mlids/notify/webhook"
)

func message(id string) *notify.Message {
	return &notify.Message{
		Kind: notify.Prediction,
		Alert: mlids.Alert{
			ID: id, Verdict: mlids.Verdict{Attack: true, Class: "smurf", Probability: 0.9, Model: "m<1>"},
			Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("2001:db8::1"), SrcPort: 7, DstPort: 80, Proto: 6, CommunityID: "1:x",
			Top: []mlids.Contribution{{Column: "count", Value: 511, Amount: 2.5}},
		},
		Body: []byte(`{"columns":["prediction"],"data":[[1]]}`),
	}
}

func parse(t *testing.T, address string) (webhook.Config, error) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return webhook.Parse(u)
}

func sink(t *testing.T, address string) *webhook.Sink {
	t.Helper()
	cfg, err := parse(t, address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := webhook.New(cfg, webhook.Deps{Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// post is what an endpoint got.
type post struct {
	header http.Header
	query  string
	body   []byte
}

func endpoint(t *testing.T) (string, chan post) {
	t.Helper()
	got := make(chan post, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- post{r.Header, r.URL.RawQuery, body}
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

func TestSigned(t *testing.T) {
	address, got := endpoint(t)
	secret := []byte("0123456789abcdef01234567")
	s := sink(t, address+"/hook?allow-private&authorization=Bearer+t&query=token%3Da%26b%3Dc&secret=whsec_"+url.QueryEscape(base64.StdEncoding.EncodeToString(secret)))
	if err := s.Send(t.Context(), []*notify.Message{message("id1")}); err != nil {
		t.Fatal(err)
	}
	p := <-got
	signature, ok := strings.CutPrefix(p.header.Get("Webhook-Signature"), "v1,")
	mac, err := base64.StdEncoding.DecodeString(signature)
	want := webhook.Sign(secret, "id1", "1700000000", p.body)
	if !ok || err != nil || !hmac.Equal(mac, want) || p.header.Get("Webhook-Id") != "id1" || p.header.Get("Webhook-Timestamp") != "1700000000" {
		t.Errorf("headers %v", p.header)
	}
	if p.query != "token=a&b=c" || p.header.Get("Authorization") != "Bearer t" || p.header.Get("Content-Type") != "application/json" {
		t.Errorf("query %s, headers %v", p.query, p.header)
	}
	var row struct {
		Alert struct{ Class string }
		Row   struct{ Data [][]float64 }
	}
	if err := json.Unmarshal(p.body, &row); err != nil || row.Alert.Class != "smurf" || row.Row.Data[0][0] != 1 {
		t.Errorf("body %s, %v", p.body, err)
	}
}

func TestFormats(t *testing.T) {
	address, got := endpoint(t)
	for query, want := range map[string]string{
		"format=eve":          `{"timestamp":"2023-11-14T22:13:20.000000+0000"`,
		"format=ecs":          `{"@timestamp":"2023-11-14T22:13:20Z"`,
		"batch=5":             `[{"kind":"prediction"`,
		"format=slack":        "{\"text\":\"*mlids* smurf from `10.0.0.1:7` to `[2001:db8::1]:80`, probability 0.9000 (model m\\u0026lt;1\\u0026gt;), \\u003chttps://attack.mitre.org/techniques/T1498/002/|T1498.002",
		"format=alertmanager": `[{"labels":{"alertname":"MlidsAttack","class":"smurf","kind":"prediction","model":"m\u003c1\u003e","severity":"warning","source":"10.0.0.1","technique":"T1498.002"}`,
	} {
		s := sink(t, address+"?allow-private&"+query)
		batch := []*notify.Message{message("a"), message("b")}[:min(2, s.Batch())]
		if err := s.Send(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if p := <-got; !strings.HasPrefix(string(p.body), want) || !json.Valid(p.body) {
			t.Errorf("%s: %s", query, p.body)
		}
		action := &notify.Message{Kind: notify.Action, Alert: mlids.Alert{ID: "x"}, Body: []byte(`{"block":"10.0.0.9"}`)}
		if err := s.Send(t.Context(), []*notify.Message{action}); err != nil {
			t.Fatal(err)
		}
		if p := <-got; !strings.Contains(string(p.body), "10.0.0.9") || !json.Valid(p.body) {
			t.Errorf("%s: action %s", query, p.body)
		}
	}
	if err := sink(t, address+"?allow-private").Send(t.Context(), nil); err != nil || len(got) > 0 {
		t.Errorf("no messages: %v, %d requests", err, len(got))
	}
}

// A message that has no JSON is refused for good, and takes no other with it.
func TestOneBadMessage(t *testing.T) {
	address, got := endpoint(t)
	for _, format := range []string{"row", "eve"} {
		s := sink(t, address+"?allow-private&batch=5&format="+format)
		bad := &notify.Message{Kind: notify.Action, Alert: mlids.Alert{ID: "bad"}, Body: []byte("{")}
		err := s.Send(t.Context(), []*notify.Message{message("a"), bad, message("b")})
		var partial *notify.PartialError
		if !errors.As(err, &partial) || partial.Errs[0] != nil || !errors.Is(partial.Errs[1], notify.ErrPermanent) || partial.Errs[2] != nil {
			t.Fatalf("%s: %v", format, err)
		}
		var list []json.RawMessage
		if p := <-got; json.Unmarshal(p.body, &list) != nil || len(list) != 2 {
			t.Errorf("%s: %s", format, p.body)
		}
		if err := s.Send(t.Context(), []*notify.Message{bad}); !errors.Is(err, notify.ErrPermanent) || len(got) > 0 {
			t.Errorf("%s: alone: %v, %d requests", format, err, len(got))
		}
	}
}

// What an endpoint says decides what becomes of the messages.
func TestStatus(t *testing.T) {
	code := http.StatusOK
	var hits int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
	}))
	defer server.Close()
	s := sink(t, server.URL+"?allow-private")
	for status, want := range map[int]string{
		200: "ok", 204: "ok", 301: "permanent", 307: "permanent", 308: "permanent", 400: "permanent", 401: "permanent", 404: "permanent",
		408: "again", 413: "permanent", 429: "again", 500: "again", 503: "again",
	} {
		code, hits = status, 0
		err := s.Send(t.Context(), []*notify.Message{message("a")})
		got := "again"
		if errors.Is(err, notify.ErrPermanent) {
			got = "permanent"
		} else if err == nil {
			got = "ok"
		}
		if got != want || hits != 1 {
			t.Errorf("%d: %s after %d requests, want %s after one: %v", status, got, hits, want, err)
		}
	}
}

// Addresses of the own network are refused, whether named or found by a name, and a redirect leads nowhere.
func TestOwnNetwork(t *testing.T) {
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3:8080", "[::1]", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST.", "a.localhost", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254",
		"[fe80::1]", "[fd00::1]", "0.0.0.0", "[::]", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "198.18.0.1",
	} {
		cfg, err := parse(t, "http://"+host+"/")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := webhook.New(cfg, webhook.Deps{}); !errors.Is(err, webhook.ErrAddress) {
			t.Errorf("%s: %v, want %v", host, err, webhook.ErrAddress)
		}
	}
	cfg, err := parse(t, "https://93.184.215.14/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := webhook.New(cfg, webhook.Deps{}); err != nil {
		t.Errorf("a public address: %v", err)
	}
}

// A name that leads to the loopback (here by what the system's resolver says of 2130706433, or of none at all) is refused when
// the connection is made, before a byte is sent.
func TestNameOfLoopback(t *testing.T) {
	hit := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit <- struct{}{} }))
	defer server.Close()
	u, _ := url.Parse(server.URL)
	for _, address := range []string{"127.0.0.1:" + u.Port(), "[::1]:" + u.Port(), "10.0.0.1:80", "nonsense"} {
		if err := webhook.RefuseAddress(address); !errors.Is(err, webhook.ErrAddress) {
			t.Errorf("connection to %s: %v", address, err)
		}
	}
	// ip6-localhost and the machine's own name are in /etc/hosts of most systems
	s := sink(t, "http://ip6-localhost:"+u.Port()+"/?timeout=5s")
	if err := s.Send(t.Context(), []*notify.Message{message("a")}); err == nil || len(hit) > 0 {
		t.Errorf("got through: %v", err)
	}
}

// Hostile endpoints cost no more than the time-out and a few KiB.
func TestHostile(t *testing.T) {
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	never := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done(): // the sink hung up
		case <-gone:
		}
	}
	endless := func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat("x", 64<<10))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	drip := func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write([]byte("x")); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	headers := func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		line := []byte("HTTP/1.1 200 OK\r\n")
		for {
			if _, err := conn.Write(line); err != nil {
				return
			}
			line = []byte("X-More: " + strings.Repeat("y", 4096) + "\r\n")
		}
	}
	garbage := func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("\x00\xff\x00garbage\n\n"))
			conn.Close()
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		taken   bool
	}{"never": {never, false}, "endless": {endless, true}, "drip": {drip, true}, "headers": {headers, false}, "garbage": {garbage, false}} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			defer server.CloseClientConnections()
			s := sink(t, server.URL+"?allow-private&timeout=500ms")
			start := time.Now()
			err := s.Send(context.Background(), []*notify.Message{message("a")})
			if (err == nil) != test.taken || errors.Is(err, notify.ErrPermanent) {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v with a time-out of 0.5 s", took)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for _, address := range []string{
		"https://", "ftp://h/x", "https://h/?format=xml", "https://h/?secret=whsec_!", "https://h/?token=x", "https://h/?timeout=0s", "https://h/?batch=0",
	} {
		if _, err := parse(t, address); err == nil {
			t.Errorf("%s was read", address)
		}
	}
	for _, cfg := range []webhook.Config{{}, {URL: "https://h/"}, {URL: "https://h/", Format: "xml", Timeout: 1, Batch: 1}, {URL: "://"}} {
		if _, err := webhook.New(cfg, webhook.Deps{}); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	s := sink(t, "https://example.invalid/?query=token%3Dsecret&timeout=2s")
	if err := s.Send(t.Context(), []*notify.Message{message("a")}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the URL's secret is shown: %v", err)
	}
}
