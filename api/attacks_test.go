package api

import (
	"bufio"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"mlids/api/door"
)

// attack is something sent to a door, and what must come back. The page docs/security.md lists them all.
type attack struct {
	name string
	door doorKind
	send func(*testing.T, *target) string
	want string // the answers' statuses in turn; "closed" where the connection ends without any
}

// How much more the heap may hold after an attack than before, and in between, in bytes; what the attacker allocates is in it.
const (
	heapBound = 6 << 20
	peakBound = 64 << 20
)

// Attacks on the doors: each has its answer, leaves the memory as it was, and leaves a server that answers the next good request.
func TestAttacks(t *testing.T) {
	if testing.Short() {
		t.Skip("needs 20 s: run without -short")
	}
	c := newCastle(t)
	var rows []string
	for _, a := range allAttacks() {
		t.Run(a.name, func(t *testing.T) {
			s := c.open(t, a.door)
			before := heapInUse()
			peak := watchHeap()
			got := a.send(t, s)
			highest, after := peak(), heapInUse()
			if got != a.want {
				t.Errorf("came back %q, want %q", got, a.want)
			}
			if after > before+heapBound {
				t.Errorf("the heap grew from %d to %d bytes", before, after)
			}
			if highest > before+peakBound {
				t.Errorf("the heap reached %d bytes", highest)
			}
			if got := s.exchange(t, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); got != "200" {
				t.Errorf("after it, a good request got %q", got)
			}
			rows = append(rows, fmt.Sprintf("| %s | %s |", a.name, a.want))
			t.Logf("| %s | %s | %.1f → %.1f (%.0f) |", a.name, a.want, inMiB(before), inMiB(after), inMiB(highest))
		})
	}
	wantListed(t, rows)
}

// wantListed wants each row, but for the memory, on the page that lists the attacks.
func wantListed(t *testing.T, rows []string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if !strings.Contains(string(page), "\n"+strings.TrimSuffix(row, " |")+" | ") {
			t.Errorf("docs/security.md lacks %s", row)
		}
	}
}

// heapInUse is what the heap holds after a collection.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // the second frees what pools kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func inMiB(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

// watchHeap looks at the heap every millisecond until highest is called.
func watchHeap() (highest func() uint64) {
	stop, result := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		most := uint64(0)
		for {
			runtimemetrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-stop:
				result <- most
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-result }
}

// castle has what the servers under attack share.
type castle struct {
	rsa        *rsa.PrivateKey
	jwks       string // file
	tls        door.TLSFiles
	strange    tls.Certificate // signed by no one known
	keyFile    string
	keys       map[string]string // by name
	https      *tls.Config
	publicPEM  []byte // of rsa
	strangeRSA *rsa.PrivateKey
}

func newCastle(t *testing.T) *castle {
	t.Helper()
	c := &castle{keys: map[string]string{}}
	dir := t.TempDir()
	var err error
	if c.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if c.strangeRSA, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	c.jwks = filepath.Join(dir, "jwks.json")
	set := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"r","n":%q,"e":"AQAB"}]}`, unpadded(c.rsa.N.Bytes()))
	writeFile(t, c.jwks, []byte(set))
	der, err := x509.MarshalPKIXPublicKey(&c.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	c.publicPEM = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	c.tls = door.TLSFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "cert.pem")}
	cert, key := selfSigned(t, "server")
	writeFile(t, c.tls.Cert, cert)
	writeFile(t, c.tls.Key, key)
	cert, key = selfSigned(t, "ops")
	if c.strange, err = tls.X509KeyPair(cert, key); err != nil {
		t.Fatal(err)
	}
	https, err := door.NewTLS(c.tls, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c.https = https.Config()
	c.makeKeys(t, dir)
	return c
}

func (c *castle) makeKeys(t *testing.T, dir string) {
	t.Helper()
	file := door.OpenKeyFile(filepath.Join(dir, "keys.json"))
	c.keyFile = file.Path()
	for name, k := range map[string]door.Key{
		"viewer": {Role: door.Viewer}, "analyst": {Role: door.Analyst}, "admin": {Role: door.Admin}, "revoked": {Role: door.Admin},
		"expired": {Role: door.Admin}, "slow": {Role: door.Analyst, Requests: 1, Rows: 1},
	} {
		k.Name = name
		_, token, err := file.Add(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		c.keys[name] = token
	}
	if _, err := file.Revoke(t.Context(), "revoked"); err != nil {
		t.Fatal(err)
	}
	expire(t, file, "expired")
}

// expire puts the end of a key into the past.
func expire(t *testing.T, file *door.KeyFile, name string) {
	t.Helper()
	keys, err := file.List()
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Minute)
	for i := range keys {
		if keys[i].Name == name {
			keys[i].Expires = &past
		}
	}
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file.Path(), text)
}

func unpadded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func selfSigned(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})
}

// target is a server under attack.
type target struct {
	*castle
	*fixture
	addr   string // of the door
	secure bool   // it speaks TLS
}

// config has short times and low bounds, so that attacks on them are short.
func config() Config {
	return Config{
		MaxBody: 1 << 20, MaxMemory: 8 << 20, MaxRows: 1000, MaxConnections: 200, AdminListen: "127.0.0.1:0",
		HeaderTimeout: 250 * time.Millisecond, ReadTimeout: time.Second, WriteTimeout: 2 * time.Second, IdleTimeout: 20 * time.Millisecond,
	}
}

// doorKind is which door is attacked.
type doorKind int

const (
	openDoor    doorKind = iota // the front door without a key, as on a first try
	patientDoor                 // the same, where connections may be idle for long
	lockedDoor                  // the front door with keys
	tokenDoor                   // the front door with keys and tokens
	adminDoor                   // the admin door with keys
	tlsDoor                     // the front door with TLS, clients' certificates and keys
)

func (c *castle) open(t *testing.T, kind doorKind) *target {
	t.Helper()
	cfg, locks := config(), door.Config{KeyFile: c.keyFile}
	switch kind {
	case openDoor:
		locks = door.Config{}
	case patientDoor:
		locks, cfg.IdleTimeout = door.Config{}, time.Minute
	case tokenDoor:
		locks.Tokens = door.TokenConfig{JWKS: c.jwks, Issuer: "https://issuer.test", Audience: "mlids"}
	case tlsDoor:
		cfg.TLS, locks.Subjects = c.https, door.Subjects{"server": door.Admin}
	}
	guard, err := door.New(locks, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := &target{castle: c, fixture: guarded(t, cfg, guard), secure: kind == tlsDoor}
	start(t, s.Server)
	s.addr = s.Addr().String()
	if kind == adminDoor {
		s.addr = s.AdminAddr().String()
	}
	return s
}

// dial connects to the door.
func (s *target) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if s.secure {
		return tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	return c
}

// exchange sends bytes and tells what comes back.
func (s *target) exchange(t *testing.T, text string) string {
	t.Helper()
	return s.stream(t, strings.NewReader(text))
}

// stream sends what src gives while it reads what comes back. A server that has answered may close before all is sent.
func (s *target) stream(t *testing.T, src io.Reader) string {
	t.Helper()
	c := s.dial(t)
	go func() { _, _ = io.Copy(c, src) }()
	return answers(c)
}

// answers reads responses until the server ends the connection: "200 401 × 3" for one and then three; "closed" for none.
func answers(c net.Conn) string {
	var got []string
	in := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				got = append(got, "open")
			}
			return inTurn(got)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		got = append(got, strconv.Itoa(res.StatusCode))
	}
}

func inTurn(got []string) string {
	var parts []string
	for i := 0; i < len(got); {
		n := 1
		for i+n < len(got) && got[i+n] == got[i] {
			n++
		}
		part := got[i]
		if n > 1 {
			part += fmt.Sprintf(" × %d", n)
		}
		parts = append(parts, part)
		i += n
	}
	return cmp.Or(strings.Join(parts, ", "), "closed")
}
