package door

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	cert, key := a.issue(t, "authority", time.Hour)
	a.pem = cert
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	a.key = pair.PrivateKey.(*ecdsa.PrivateKey)
	a.cert = pair.Leaf
	return a
}

// issue makes a certificate for a name and 127.0.0.1, in PEM; the first of an authority signs itself.
func (a *authority) issue(t *testing.T, name string, valid time.Duration) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(valid),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA: a.cert == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes})
}

// serverFiles writes what a server needs.
func serverFiles(t *testing.T, a *authority, name string) TLSFiles {
	t.Helper()
	dir := t.TempDir()
	f := TLSFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), ClientCA: filepath.Join(dir, "ca.pem")}
	f.write(t, a, name)
	return f
}

func (f TLSFiles) write(t *testing.T, a *authority, name string) {
	t.Helper()
	cert, key := a.issue(t, name, time.Hour)
	for path, text := range map[string][]byte{f.Cert: cert, f.Key: key, f.ClientCA: a.pem} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// handshake connects with a client's configuration and returns what both saw.
func handshake(t *testing.T, server *TLS, client *tls.Config) (name string, verified bool, err error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", server.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan bool, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			done <- false
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		err = c.(*tls.Conn).Handshake()
		done <- err == nil && len(c.(*tls.Conn).ConnectionState().VerifiedChains) > 0
		_, _ = c.Write([]byte("x"))
	}()
	client.InsecureSkipVerify = client.RootCAs == nil
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err != nil {
		return "", <-done, err
	}
	defer c.Close()
	_, err = c.Read(make([]byte, 1)) // the server's refusal of a certificate comes after the client is done
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, <-done, err
}

func newTLS(t *testing.T, f TLSFiles) *TLS {
	t.Helper()
	server, err := NewTLS(f, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestTLS(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	server := newTLS(t, serverFiles(t, a, "one"))
	pair := func(a *authority, valid time.Duration) []tls.Certificate {
		cert, key := a.issue(t, "ops", valid)
		p, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{p}
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	for name, test := range map[string]struct {
		client       *tls.Config
		ok, verified bool
	}{
		"no certificate": {&tls.Config{RootCAs: roots}, true, false},
		"certificate":    {&tls.Config{RootCAs: roots, Certificates: pair(a, time.Hour)}, true, true},
		"of a stranger":  {&tls.Config{GetClientCertificate: always(pair(stranger, time.Hour))}, false, false},
		"expired":        {&tls.Config{Certificates: pair(a, -time.Minute)}, false, false},
		"TLS 1.2":        {&tls.Config{MaxVersion: tls.VersionTLS12}, false, false},
		"TLS 1.0":        {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, false, false},
		"HTTP/2 alone":   {&tls.Config{NextProtos: []string{"h2"}}, false, false},
	} {
		_, verified, err := handshake(t, server, test.client)
		if (err == nil) != test.ok || verified != test.verified {
			t.Errorf("%s: %v, verified %v", name, err, verified)
		}
	}
}

func always(c []tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c[0], nil }
}

func TestTLSReload(t *testing.T) {
	a := newAuthority(t)
	files := serverFiles(t, a, "one")
	server := newTLS(t, files)
	want := func(name string) {
		t.Helper()
		server.follow(t.Context())
		if got, _, err := handshake(t, server, &tls.Config{}); err != nil || got != name {
			t.Errorf("served %s, %v; want %s", got, err, name)
		}
	}
	want("one")
	files.write(t, a, "two")
	want("two")
	if err := os.WriteFile(files.Key, []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("two") // a key that does not fit is not taken
	files.write(t, a, "three")
	want("three")
	if err := os.Remove(files.Cert); err != nil {
		t.Fatal(err)
	}
	want("three")
}

func TestTLSRefuses(t *testing.T) {
	a := newAuthority(t)
	for name, change := range map[string]func(*TLSFiles){
		"no certificate": func(f *TLSFiles) { f.Cert += "x" },
		"no key":         func(f *TLSFiles) { f.Key += "x" },
		"swapped":        func(f *TLSFiles) { f.Cert, f.Key = f.Key, f.Cert },
		"CA not there":   func(f *TLSFiles) { f.ClientCA += "x" },
		"CA a key":       func(f *TLSFiles) { f.ClientCA = f.Key },
		"endless":        func(f *TLSFiles) { f.Cert = "/dev/zero" },
	} {
		f := serverFiles(t, a, "one")
		change(&f)
		if _, err := NewTLS(f, quiet()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
