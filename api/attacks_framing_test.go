package api

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// raw sends bytes as they are.
func raw(text string) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string { t.Helper(); return s.exchange(t, text) }
}

// get asks for a path with further header lines.
func getWith(path string, lines ...string) func(*testing.T, *target) string {
	return raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + strings.Join(append(lines, "\r\n"), "\r\n"))
}

// framed sends a body of JSON under header lines that frame it.
func framed(body string, lines ...string) func(*testing.T, *target) string {
	head := "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	return raw(head + strings.Join(append(lines, "\r\n"), "\r\n") + body)
}

// flood sends a beginning, then a part again and again until the server hangs up, 64 MiB at most.
func flood(head, part string) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		return s.stream(t, io.MultiReader(strings.NewReader(head), io.LimitReader(&repeated{part: part}, 64<<20)))
	}
}

// repeated is a text without end.
type repeated struct {
	part string
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], r.part[r.at:])
		n += k
		r.at = (r.at + k) % len(r.part)
	}
	return n, nil
}

const getLine = "GET / HTTP/1.1\r\nHost: localhost\r\n"

func headerAttacks() []attack {
	return []attack{
		{"header of 64 MiB", openDoor, flood(getLine+"X: ", "x"), "431"},
		{"headers without end", openDoor, flood(getLine, "X: y\r\n"), "431"},
		{"100,000 headers", openDoor, getWith("/", slices.Repeat([]string{"X: y"}, 100_000)...), "431"},
		{"header line folded without end", openDoor, flood(getLine+"X: y\r\n", " y\r\n"), "431"},
		{"URL of 64 MiB", openDoor, flood("GET /", "a"), "431"},
		{"URL of 100 kB", openDoor, getWith("/" + strings.Repeat("a", 100_000)), "431"},
		{"query of 60,000 parameters", openDoor, raw("POST /api/predictions?" + strings.Repeat("&", 60_000) + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"), "400"},
		{"method of 64 MiB", openDoor, flood("", "M"), "431"},
		{"space before the colon", openDoor, getWith("/healthz", "Content-Length : 0"), "400"},
		{"NUL in a header", openDoor, getWith("/healthz", "X: a\x00b"), "400"},
		{"lone CR in a header", openDoor, getWith("/healthz", "X: a\rTransfer-Encoding: chunked"), "400"},
		{"no Host", openDoor, raw("GET /healthz HTTP/1.1\r\n\r\n"), "400"},
		{"two Hosts", openDoor, getWith("/healthz", "Host: evil.test"), "400"},
		{"Host with a path", openDoor, raw("GET /healthz HTTP/1.1\r\nHost: localhost/../x y\r\n\r\n"), "400"},
		{"no version (HTTP/0.9)", openDoor, raw("GET /healthz\r\n\r\n"), "400"},
		{"HTTP/9.9", openDoor, raw("GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n"), "505"},
		{"TLS sent to a door without it", openDoor, raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 512) + "\r\n\r\n"), "400"},
		{"unknown expectation", openDoor, framed("{}", "Expect: 200-nonsense", "Content-Length: 2"), "417"},
		{"WebSocket asked for", openDoor, getWith("/healthz", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA=="), "200"},
	}
}

func framingAttacks() []attack {
	smuggled := "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
	return []attack{
		{"Content-Length twice, different", openDoor, framed("{}"+smuggled, "Content-Length: 2", "Content-Length: 40"), "400"},
		{"Content-Length with a comma", openDoor, framed("{}", "Content-Length: 2, 2"), "400"},
		{"Content-Length below 0", openDoor, framed("{}", "Content-Length: -2"), "400"},
		{"Content-Length with a sign", openDoor, framed("{}", "Content-Length: +2"), "400"},
		{"Content-Length in hex", openDoor, framed("{}", "Content-Length: 0x2"), "400"},
		{"Content-Length beyond 64 bits", openDoor, framed("{}", "Content-Length: 99999999999999999999"), "400"},
		{"1 TB announced", openDoor, framed("{}", "Content-Length: 1000000000000"), "413"},
		{"Content-Length and chunked (CL.TE)", openDoor, framed("0\r\n\r\n"+smuggled, "Content-Length: 5", "Transfer-Encoding: chunked"), "400"},
		{"chunked behind another coding", openDoor, framed("0\r\n\r\n", "Transfer-Encoding: xchunked"), "501"},
		{"chunked twice", openDoor, framed("0\r\n\r\n", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), "501"},
		{"chunked, identity (TE.TE)", openDoor, framed("0\r\n\r\n", "Transfer-Encoding: chunked, identity"), "501"},
		{"chunked by HTTP/1.0", openDoor, raw("POST /predict HTTP/1.0\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled), "400"},
		{"chunk of 2^68 bytes", openDoor, framed("100000000000000000\r\nx", "Transfer-Encoding: chunked"), "400"},
		{"chunk size below 0", openDoor, framed("-1\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), "400"},
		{"chunk longer than it says", openDoor, framed("1\r\n{}\r\n0\r\n\r\n"+smuggled, "Transfer-Encoding: chunked"), "400"},
		{"chunk extension without end", openDoor, flood("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;", "x"), "400"},
		{"chunks of a byte with long extensions", openDoor, flood("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", "1;"+strings.Repeat("x", 500)+"\r\n \r\n"), "400"},
		{"trailers without end", openDoor, flood("POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", "X: y\r\n"), "400"},
		{"request in the body of a GET", openDoor, raw(fmt.Sprintf("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(smuggled), smuggled)), "200"},
		{"request behind a body that was too large", openDoor, framed(strings.Repeat(" ", 2<<20)+smuggled, fmt.Sprintf("Content-Length: %d", 2<<20)), "413"},
		{"request behind one that is closed", openDoor, getWith("/healthz", "Connection: close", "", smuggled), "200"},
		{"1,000 requests in one write", openDoor, raw(strings.Repeat("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000)), "200 × 1000"},
		{"HTTP/2 without TLS", openDoor, raw(http2Preface), "400"},
		{"HTTP/2 asked for (h2c)", openDoor, getWith("/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), "200"},
		{"HTTP/2 rapid reset", openDoor, flood(http2Preface, "\x00\x00\x05\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x00"+"\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08"), "400"},
		{"HTTP/2 CONTINUATION flood", openDoor, flood(http2Preface, "\x00\x00\x04\x09\x00\x00\x00\x00\x01\x82\x86\x84\x41"), "400"},
	}
}

// http2Preface opens HTTP/2 (RFC 9113, section 3.4), with empty settings.
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

func pathAttacks() []attack {
	method := func(m, path string) func(*testing.T, *target) string {
		return raw(m + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
	}
	return []attack{
		{"TRACE", openDoor, method("TRACE", "/"), "405"},
		{"CONNECT", openDoor, raw("CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n"), "421"},
		{"OPTIONS of everything", openDoor, method("OPTIONS", "*"), "200"},
		{"method in lower case", openDoor, method("get", "/healthz"), "405"},
		{"DELETE of a model", openDoor, method("DELETE", "/api/models"), "405"},
		{"path that climbs", openDoor, getWith("/../../../etc/passwd"), "307"},
		{"path that climbs, encoded", openDoor, getWith("/api/%2e%2e%2f%2e%2e%2fetc/passwd"), "404"},
		{"NUL in a path", openDoor, getWith("/healthz%00.html"), "404"},
		{"backslashes in a path", openDoor, getWith(`/..\..\etc\passwd`), "404"},
		{"double slashes in a path", openDoor, getWith("//evil.test/%2f.."), "307"},
		{"URL of another server", openDoor, raw("GET http://evil.test/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), "421"},
		{"name of another server (DNS rebinding)", openDoor, raw("GET /api/models HTTP/1.1\r\nHost: evil.test:5000\r\n\r\n"), "421"},
		{"page of another origin, by Origin", openDoor, framed("{}", "Origin: https://evil.test", "Content-Length: 2"), "403"},
		{"page of another origin, by Sec-Fetch-Site", openDoor, framed("{}", "Sec-Fetch-Site: cross-site", "Content-Length: 2"), "403"},
		{"admin route at the front door", openDoor, getWith("/debug/pprof/heap"), "404"},
	}
}
