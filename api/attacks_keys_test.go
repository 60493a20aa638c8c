package api

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// withAuth posts an empty body that wants an analyst; the header is made of the castle's keys.
func withAuth(authorization func(*castle) string) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		return s.exchange(t, fmt.Sprintf("POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n\r\n", authorization(s.castle)))
	}
}

func bearerOf(token func(*castle) string) func(*testing.T, *target) string {
	return withAuth(func(c *castle) string { return "Authorization: Bearer " + token(c) })
}

// asKey asks for a path by the key of a name.
func asKey(name, path string) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		return s.exchange(t, fmt.Sprintf("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", path, s.keys[name]))
	}
}

func keyAttacks() []attack {
	key := func(change func(k string) string) func(*testing.T, *target) string {
		return bearerOf(func(c *castle) string { return change(c.keys["analyst"]) })
	}
	return []attack{
		{"no key", lockedDoor, withAuth(func(*castle) string { return "X: y" }), "401"},
		{"key of one wrong letter", lockedDoor, key(func(k string) string {
			return k[:len(k)-2] + map[bool]string{true: "ab", false: "aa"}[strings.HasSuffix(k, "aa")]
		}), "401"},
		{"key cut short", lockedDoor, key(func(k string) string { return k[:20] }), "401"},
		{"key with a letter more", lockedDoor, key(func(k string) string { return k + "a" }), "401"},
		{"key in upper case", lockedDoor, key(strings.ToUpper), "401"},
		{"ID of one key, secret of another", lockedDoor, bearerOf(func(c *castle) string { return c.keys["analyst"][:15] + c.keys["admin"][15:] }), "401"},
		{"key of an unknown ID", lockedDoor, key(func(k string) string { return "mlids_aaaaaaaa" + k[14:] }), "401"},
		{"hash in place of the key", lockedDoor, key(func(k string) string { return k[:15] + strings.Repeat("0", 64) }), "401"},
		{"key of 60 kB", lockedDoor, key(func(k string) string { return k + strings.Repeat("a", 60_000) }), "401"},
		{"revoked key", lockedDoor, bearerOf(func(c *castle) string { return c.keys["revoked"] }), "401"},
		{"expired key", lockedDoor, bearerOf(func(c *castle) string { return c.keys["expired"] }), "401"},
		{"key of a lesser role", lockedDoor, bearerOf(func(c *castle) string { return c.keys["viewer"] }), "403"},
		{"two keys", lockedDoor, withAuth(func(c *castle) string {
			return "Authorization: Bearer wrong\r\nAuthorization: Bearer " + c.keys["admin"]
		}), "401"},
		{"key as a password (Basic)", lockedDoor, withAuth(func(c *castle) string { return "Authorization: Basic " + c.keys["analyst"] }), "401"},
		{"key in the URL", lockedDoor, func(t *testing.T, s *target) string {
			t.Helper()
			return s.exchange(t, "POST /predict?access_token="+s.keys["admin"]+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}, "401"},
		{"key in a cookie", lockedDoor, withAuth(func(c *castle) string { return "Cookie: key=" + c.keys["admin"] }), "401"},
		{"said by a proxy to be an admin", lockedDoor, withAuth(func(*castle) string { return "X-Forwarded-User: admin\r\nX-Forwarded-For: 127.0.0.1" }), "401"},
		{"metrics without a key", lockedDoor, getWith("/metrics"), "401"},
		{"models by HEAD without a key", lockedDoor, raw("HEAD /api/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "401"},
		{"body of 1 MB without a key", lockedDoor, framed(strings.Repeat(" ", 1<<20), fmt.Sprintf("Content-Length: %d", 1<<20)), "401"},
		{"100 wrong keys in a second", lockedDoor, raw(strings.Repeat("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n", 100)), "401 × 20, 429 × 80"},
		{"more requests than the key may", lockedDoor, func(t *testing.T, s *target) string {
			t.Helper()
			return s.exchange(t, strings.Repeat("GET /api/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+s.keys["slow"]+"\r\n\r\n", 3))
		}, "200, 429 × 2"},
		{"key of a viewer at the admin door", adminDoor, asKey("viewer", "/debug/pprof/heap"), "403"},
		{"key of an analyst at the admin door", adminDoor, asKey("analyst", "/debug/pprof/goroutine"), "403"},
		{"no key at the admin door", adminDoor, getWith("/debug/pprof/heap"), "401"},
		{"command line of the process", adminDoor, asKey("admin", "/debug/pprof/cmdline"), "404"},
		{"profile longer than an answer may take", adminDoor, asKey("admin", "/debug/pprof/profile?seconds=100000"), "400"},
	}
}

// claims are good ones, with some of them exchanged.
func claims(changes ...any) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": "https://issuer.test", "aud": "mlids", "sub": "mallory", "roles": []string{"admin"}, "exp": time.Now().Add(time.Hour).Unix(),
	}
	for pair := range slices.Chunk(changes, 2) {
		c[pair[0].(string)] = pair[1]
	}
	return c
}

// forged shows a token signed by a method and a key.
func forged(method jwt.SigningMethod, kid string, key func(*castle) any, changes ...any) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		token := jwt.NewWithClaims(method, claims(changes...))
		token.Header["kid"] = kid
		text, err := token.SignedString(key(s.castle))
		if err != nil {
			t.Fatal(err)
		}
		return bearerOf(func(*castle) string { return text })(t, s)
	}
}

func tokenAttacks() []attack {
	own := func(c *castle) any { return c.rsa }
	none := func(*castle) any { return jwt.UnsafeAllowNoneSignatureType }
	public := func(c *castle) any { return c.publicPEM }
	modulus := func(c *castle) any { return c.rsa.N.Bytes() }
	stranger := func(c *castle) any { return c.strangeRSA }
	swapped := func(t *testing.T, s *target) string {
		t.Helper()
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims("roles", []string{"viewer"}))
		token.Header["kid"] = "r"
		text, err := token.SignedString(s.rsa)
		if err != nil {
			t.Fatal(err)
		}
		better, err := json.Marshal(claims())
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(text, ".")
		return bearerOf(func(*castle) string { return parts[0] + "." + unpadded(better) + "." + parts[2] })(t, s)
	}
	return []attack{
		{"token, good but for its empty body", tokenDoor, forged(jwt.SigningMethodRS256, "r", own), "400"},
		{"token of alg none", tokenDoor, forged(jwt.SigningMethodNone, "r", none), "401"},
		{"token of HS256 with the RSA public key", tokenDoor, forged(jwt.SigningMethodHS256, "r", public), "401"},
		{"token of HS256 with the RSA modulus", tokenDoor, forged(jwt.SigningMethodHS256, "r", modulus), "401"},
		{"token of a stranger's key", tokenDoor, forged(jwt.SigningMethodRS256, "r", stranger), "401"},
		{"token of an algorithm not allowed", tokenDoor, forged(jwt.SigningMethodRS512, "r", own), "401"},
		{"token whose kid is a path", tokenDoor, forged(jwt.SigningMethodRS256, "../../../../dev/null", own), "401"},
		{"token whose kid is SQL", tokenDoor, forged(jwt.SigningMethodRS256, "r' UNION SELECT 'x", own), "401"},
		{"token with claims exchanged", tokenDoor, swapped, "401"},
		{"token that has expired", tokenDoor, forged(jwt.SigningMethodRS256, "r", own, "exp", 1_000_000_000), "401"},
		{"token that is not yet valid", tokenDoor, forged(jwt.SigningMethodRS256, "r", own, "nbf", 9_999_999_999), "401"},
		{"token of another issuer", tokenDoor, forged(jwt.SigningMethodRS256, "r", own, "iss", "https://evil.test"), "401"},
		{"token for another audience", tokenDoor, forged(jwt.SigningMethodRS256, "r", own, "aud", "billing"), "401"},
		{"token of no role", tokenDoor, forged(jwt.SigningMethodRS256, "r", own, "roles", []string{"root"}), "403"},
		{"token of 30 kB", tokenDoor, forged(jwt.SigningMethodRS256, "r", own, "x", strings.Repeat("x", 30_000)), "401"},
	}
}

// handshakeWith tells whether the server takes a client's TLS.
func handshakeWith(cfg func(*castle) *tls.Config) func(*testing.T, *target) string {
	return func(t *testing.T, s *target) string {
		t.Helper()
		client := cfg(s.castle)
		client.InsecureSkipVerify = true
		c, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", s.addr, client)
		if err != nil {
			return "closed"
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "GET /api/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		return answers(c)
	}
}

func tlsAttacks() []attack {
	plain := func(t *testing.T, s *target) string {
		t.Helper()
		s.secure = false
		defer func() { s.secure = true }()
		return s.exchange(t, "GET /api/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	return []attack{
		{"TLS 1.2", tlsDoor, handshakeWith(func(*castle) *tls.Config { return &tls.Config{MaxVersion: tls.VersionTLS12} }), "closed"},
		{"TLS 1.0", tlsDoor, handshakeWith(func(*castle) *tls.Config {
			return &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		}), "closed"},
		{"HTTP/2 alone by ALPN", tlsDoor, handshakeWith(func(*castle) *tls.Config { return &tls.Config{NextProtos: []string{"h2"}} }), "closed"},
		{"client's certificate of a stranger", tlsDoor, handshakeWith(func(c *castle) *tls.Config {
			return &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.strange, nil }}
		}), "closed"},
		{"no client's certificate and no key", tlsDoor, handshakeWith(func(*castle) *tls.Config { return &tls.Config{} }), "401"},
		{"HTTP sent to a door of TLS", tlsDoor, plain, "400"},
		{"TLS handshake without end", tlsDoor, func(t *testing.T, s *target) string {
			t.Helper()
			s.secure = false
			defer func() { s.secure = true }()
			return s.exchange(t, "\x16\x03\x01\x40\x00\x01")
		}, "closed"},
	}
}
