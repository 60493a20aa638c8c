package influx_test

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// firstLines are the first lines of a gzip file.
func firstLines(tb testing.TB, r io.Reader, n int) io.Reader {
	tb.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		tb.Fatal(err)
	}
	var head bytes.Buffer
	lines := bufio.NewScanner(z)
	for range n {
		if !lines.Scan() {
			break
		}
		head.Write(lines.Bytes())
		head.WriteByte('\n')
	}
	return &head
}

// copyBody copies an answer on; a client that has gone is no failure of the test's.
func copyBody(w io.Writer, r io.Reader) { _, _ = io.Copy(w, r) }

// testBinary is a file that is no certificate.
func testBinary(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "not.pem")
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// quietTLS is a server over TLS that does not complain of clients who do not trust it.
func quietTLS(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

// record starts a server that keeps what is written to it, and counts nothing.
func record(tb testing.TB, points *[][]byte) (address string) {
	tb.Helper()
	var lock sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/write" {
			io.WriteString(w, `{"results":[{"statement_id":0}]}`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		lock.Lock()
		defer lock.Unlock()
		*points = append(*points, body)
		w.WriteHeader(http.StatusNoContent)
	}))
	tb.Cleanup(s.Close)
	return strings.Replace(s.URL, "http", "influxdb", 1)
}

// selfSigned writes the key and the certificate that httptest has for the loopback.
func selfSigned(tb testing.TB) (key, certificate string) {
	tb.Helper()
	s := quietTLS(http.NotFoundHandler())
	defer s.Close()
	der, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(tb.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			tb.Fatal(err)
		}
		return path
	}
	return write("key.pem", "PRIVATE KEY", der), write("certificate.pem", "CERTIFICATE", s.Certificate().Raw)
}
