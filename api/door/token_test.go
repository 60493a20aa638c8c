package door

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// issuer makes tokens.
type issuer struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{r, e}
}

func number(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwks is the issuer's public keys, and a symmetric one that must never be used.
func (i *issuer) jwks(t *testing.T) []byte {
	t.Helper()
	point, err := i.ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "r", "alg": "RS256", "use": "sig", "n": number(i.rsa.N.Bytes()), "e": number(big.NewInt(int64(i.rsa.E)).Bytes())},
		{"kty": "EC", "kid": "e", "crv": "P-256", "x": number(point[1:33]), "y": number(point[33:])},
		{"kty": "oct", "kid": "s", "k": number([]byte("a shared secret of thirty-two by"))},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func goodClaims() jwt.MapClaims {
	now := time.Now().Unix()
	return jwt.MapClaims{
		"iss": "https://issuer.test", "aud": "mlids", "sub": "alice", "roles": []string{"analyst"}, "iat": now, "exp": now + 300,
	}
}

func sign(t *testing.T, method jwt.SigningMethod, kid string, key any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func tokenConfig(jwks string) Config {
	return Config{Tokens: TokenConfig{JWKS: jwks, Issuer: "https://issuer.test", Audience: "mlids"}}
}

// publicPEM is the RSA public key as the forgery signs with it.
func (i *issuer) publicPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&i.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestTokens(t *testing.T) {
	i, stranger := newIssuer(t), newIssuer(t)
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, i.jwks(t), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGuard(t, tokenConfig(file))
	changed := func(name string, value any) jwt.MapClaims {
		c := goodClaims()
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return c
	}
	good := sign(t, jwt.SigningMethodRS256, "r", i.rsa, goodClaims())
	parts := strings.Split(good, ".")
	header := func(text string) string { return number([]byte(text)) }
	now := time.Now().Unix()
	rs := func(c jwt.MapClaims) string { return sign(t, jwt.SigningMethodRS256, "r", i.rsa, c) }
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"RS256":                           {good, nil},
		"ES256":                           {sign(t, jwt.SigningMethodES256, "e", i.ec, goodClaims()), nil},
		"within the leeway":               {rs(changed("exp", now-20)), nil},
		"audience of many":                {rs(changed("aud", []string{"other", "mlids"})), nil},
		"roles as words":                  {rs(changed("roles", "x analyst")), nil},
		"expired":                         {rs(changed("exp", now-60)), ErrUnknown},
		"no expiry":                       {rs(changed("exp", nil)), ErrUnknown},
		"not yet":                         {rs(changed("nbf", now+300)), ErrUnknown},
		"other issuer":                    {rs(changed("iss", "https://evil.test")), ErrUnknown},
		"no issuer":                       {rs(changed("iss", nil)), ErrUnknown},
		"other audience":                  {rs(changed("aud", "billing")), ErrUnknown},
		"no audience":                     {rs(changed("aud", nil)), ErrUnknown},
		"no subject":                      {rs(changed("sub", nil)), ErrUnknown},
		"no role":                         {rs(changed("roles", nil)), ErrForbidden},
		"unknown role":                    {rs(changed("roles", []string{"root"})), ErrForbidden},
		"lesser role":                     {rs(changed("roles", []string{"viewer"})), ErrForbidden},
		"roles of numbers":                {rs(changed("roles", []any{1, nil, map[string]any{}})), ErrForbidden},
		"alg none":                        {sign(t, jwt.SigningMethodNone, "r", jwt.UnsafeAllowNoneSignatureType, goodClaims()), ErrUnknown},
		"alg None":                        {header(`{"alg":"None","kid":"r"}`) + "." + parts[1] + ".", ErrUnknown},
		"no alg":                          {header(`{"kid":"r"}`) + "." + parts[1] + "." + parts[2], ErrUnknown},
		"HS256 with the RSA public key":   {sign(t, jwt.SigningMethodHS256, "r", i.publicPEM(t), goodClaims()), ErrUnknown},
		"HS256 with the modulus":          {sign(t, jwt.SigningMethodHS256, "r", i.rsa.N.Bytes(), goodClaims()), ErrUnknown},
		"HS256 with the set's own secret": {sign(t, jwt.SigningMethodHS256, "s", []byte("a shared secret of thirty-two by"), goodClaims()), ErrUnknown},
		"RS512, not allowed":              {sign(t, jwt.SigningMethodRS512, "r", i.rsa, goodClaims()), ErrUnknown},
		"PS256 with the RS256 key":        {sign(t, jwt.SigningMethodPS256, "r", i.rsa, goodClaims()), ErrUnknown},
		"key of a stranger":               {sign(t, jwt.SigningMethodRS256, "r", stranger.rsa, goodClaims()), ErrUnknown},
		"kid of another type":             {sign(t, jwt.SigningMethodRS256, "e", i.rsa, goodClaims()), ErrUnknown},
		"no kid":                          {sign(t, jwt.SigningMethodRS256, "", i.rsa, goodClaims()), ErrUnknown},
		"kid of a file":                   {sign(t, jwt.SigningMethodRS256, "../../../../dev/null", i.rsa, goodClaims()), ErrUnknown},
		"kid of SQL":                      {sign(t, jwt.SigningMethodRS256, "x' UNION SELECT 'k", i.rsa, goodClaims()), ErrUnknown},
		"kid a number":                    {header(`{"alg":"RS256","kid":1}`) + "." + parts[1] + "." + parts[2], ErrUnknown},
		"key in the header":               {withHeader(t, stranger, "jwk", map[string]string{"kty": "RSA", "n": number(stranger.rsa.N.Bytes()), "e": "AQAB"}), ErrUnknown},
		"URL of keys in the header":       {withHeader(t, stranger, "jku", "https://evil.test/jwks.json"), ErrUnknown},
		"claims exchanged":                {parts[0] + "." + header(`{"iss":"https://issuer.test","aud":"mlids","sub":"root","roles":["admin"],"exp":9999999999}`) + "." + parts[2], ErrUnknown},
		"signature cut":                   {good[:len(good)-4], ErrUnknown},
		"no signature":                    {parts[0] + "." + parts[1] + ".", ErrUnknown},
		"dots alone":                      {"..", ErrUnknown},
		"not base64":                      {"!.!.!", ErrUnknown},
		"a megabyte":                      {parts[0] + "." + strings.Repeat("A", 1<<20) + "." + parts[2], ErrUnknown},
		"two parts":                       {parts[0] + "." + parts[1], ErrUnknown},
	} {
		g.failed = newTable[*bucket](10)
		_, err := g.Admit(request("Bearer "+test.token), Analyst)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err != nil && len(test.token) > 100 && strings.Contains(err.Error(), test.token[len(test.token)-20:]) {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
}

func withHeader(t *testing.T, i *issuer, name string, value any) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, goodClaims())
	token.Header["kid"], token.Header[name] = "r", value
	text, err := token.SignedString(crypto.Signer(i.rsa).(*rsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTokenConfigRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, newIssuer(t).jwks(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*TokenConfig){
		"no issuer":       func(c *TokenConfig) { c.Issuer = "" },
		"no audience":     func(c *TokenConfig) { c.Audience = "" },
		"none":            func(c *TokenConfig) { c.Algorithms = []string{"none"} },
		"HS256":           func(c *TokenConfig) { c.Algorithms = []string{"RS256", "HS256"} },
		"negative rate":   func(c *TokenConfig) { c.Rows = -1 },
		"plain http":      func(c *TokenConfig) { c.JWKS = "http://issuer.test/jwks.json" },
		"other scheme":    func(c *TokenConfig) { c.JWKS = "file:///etc/passwd" },
		"file not there":  func(c *TokenConfig) { c.JWKS = file + "x" },
		"file of no keys": func(c *TokenConfig) { c.JWKS = os.DevNull },
	} {
		cfg := tokenConfig(file)
		change(&cfg.Tokens)
		if _, err := New(cfg, quiet()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestNestedRoleClaim(t *testing.T) {
	i := newIssuer(t)
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, i.jwks(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := tokenConfig(file)
	cfg.Tokens.RoleClaim, cfg.Tokens.Roles = "realm_access.roles", map[string]Role{"soc": Viewer, "soc-lead": Admin}
	cfg.Tokens.Requests = 0.001
	g := newGuard(t, cfg)
	claims := goodClaims()
	claims["realm_access"] = map[string]any{"roles": []string{"soc", "soc-lead"}}
	token := request("Bearer " + sign(t, jwt.SigningMethodRS256, "r", i.rsa, claims))
	if c, err := g.Admit(token, Admin); err != nil || c.Name != "alice" || c.How != "token" {
		t.Errorf("%v, %v", c, err)
	}
	var limit *LimitError
	if _, err := g.Admit(token, Admin); !errors.As(err, &limit) {
		t.Errorf("the second of a subject that may one: %v", err)
	}
}

// The issuer's keys come by HTTP, change, and are asked for no more often than every half minute.
func TestJWKSRefresh(t *testing.T) {
	one, two := newIssuer(t), newIssuer(t)
	var keys atomic.Pointer[[]byte]
	var asked atomic.Int32
	set := one.jwks(t)
	keys.Store(&set)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write(*keys.Load())
	}))
	defer server.Close()
	g := newGuard(t, tokenConfig(server.URL))
	try := func(i *issuer) error {
		_, err := g.Admit(request("Bearer "+sign(t, jwt.SigningMethodRS256, "r", i.rsa, goodClaims())), Analyst)
		return err
	}
	if err := try(one); !errors.Is(err, ErrUnavailable) {
		t.Errorf("before the keys are there: %v", err)
	}
	refresh := func() error { return g.tokens.keys.refresh(t.Context()) }
	if err := refresh(); err != nil {
		t.Fatal(err)
	}
	if err := try(one); err != nil {
		t.Error(err)
	}
	for range 50 {
		_, _ = g.Admit(request("Bearer "+sign(t, jwt.SigningMethodRS256, "unknown", one.rsa, goodClaims())), Analyst)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("tokens of unknown keys made %d requests", n)
	}
	if len(g.tokens.keys.wanted) != 1 {
		t.Error("nobody will look for the unknown key")
	}
	set2 := two.jwks(t)
	keys.Store(&set2)
	if err := refresh(); err != nil {
		t.Fatal(err)
	}
	if try(one) == nil || try(two) != nil {
		t.Errorf("after the change: %v, %v", try(one), try(two))
	}
	huge := []byte(fmt.Sprintf(`{"keys":[%s]}`, strings.Repeat(" ", maxPEM)))
	for _, broken := range [][]byte{huge, []byte("<html>"), []byte(`{"keys":[]}`), []byte(`{"keys":[` + strings.Repeat("{},", 64) + `{}]}`)} {
		keys.Store(&broken)
		if err := refresh(); err == nil {
			t.Errorf("%.20s…: taken", broken)
		}
	}
	if err := try(two); err != nil {
		t.Errorf("keys that could not be refreshed: %v", err)
	}
	g.tokens.keys.now = func() time.Time { return time.Now().Add(staleAfter + time.Minute) }
	if err := try(two); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a day later: %v", err)
	}
}

func TestJWKSFollowsNoRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	g := newGuard(t, tokenConfig(server.URL))
	if err := g.tokens.keys.refresh(t.Context()); err == nil {
		t.Error("a redirect was followed")
	}
}

// Arbitrary tokens are refused, and nothing panics.
func FuzzTokens(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	file := filepath.Join(f.TempDir(), "jwks.json")
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","kid":"e","crv":"P-256","x":%q,"y":%q}]}`, number(point[1:33]), number(point[33:]))
	if err := os.WriteFile(file, []byte(set), 0o600); err != nil {
		f.Fatal(err)
	}
	g, err := New(tokenConfig(file), quiet())
	if err != nil {
		f.Fatal(err)
	}
	f.Add("Bearer a.b.c")
	f.Add("Bearer " + number([]byte(`{"alg":"ES256","kid":"e"}`)) + "." + number([]byte(`{"exp":9999999999}`)) + ".AAAA")
	f.Fuzz(func(t *testing.T, authorization string) {
		if _, err := g.Admit(request(authorization), Viewer); err == nil {
			t.Errorf("%q was let in", authorization)
		}
	})
}
