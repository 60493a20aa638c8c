package door

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TokenConfig says which JSON Web Tokens (RFC 7519) are let in. Without JWKS none is.
type TokenConfig struct {
	JWKS       string        // URL (https, or http on the loopback) or file of the issuer's public keys (RFC 7517)
	Issuer     string        // wanted as iss
	Audience   string        // wanted in aud
	Algorithms []string      // RS256 and ES256 unless given; only those with public keys can be
	Leeway     time.Duration // between clocks: 30 s
	RoleClaim  string        // "roles" unless given; a dot goes into objects ("realm_access.roles")
	Roles      map[string]Role
	Requests   float64 // a second for each subject; 0: no limit
	Rows       float64
}

// Algorithms with public keys. HMAC is not among them: with it, whoever can check tokens can make them, and a public key taken
// for a shared secret lets everyone make them.
func publicAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// maxToken bounds a token, in bytes.
const maxToken = 8 << 10

// tokens checks tokens.
type tokens struct {
	cfg      TokenConfig
	parser   *jwt.Parser
	keys     *jwks
	subjects *table[*Caller]
}

func newTokens(cfg TokenConfig, now func() time.Time) (*tokens, error) {
	if cfg.Issuer == "" || cfg.Audience == "" {
		return nil, fmt.Errorf("%w: tokens need an issuer and an audience; without them, tokens made for others would be let in", ErrConfig)
	}
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []string{"RS256", "ES256"}
	}
	for _, a := range cfg.Algorithms {
		if !slices.Contains(publicAlgorithms(), a) {
			return nil, fmt.Errorf("%w: algorithm %q; want of %s", ErrConfig, a, strings.Join(publicAlgorithms(), ", "))
		}
	}
	if !rateOK(cfg.Requests) || !rateOK(cfg.Rows) {
		return nil, fmt.Errorf("%w: rates of tokens must be 0 or 0.001 to 1e9", ErrConfig)
	}
	if cfg.RoleClaim == "" {
		cfg.RoleClaim = "roles"
	}
	if len(cfg.Roles) == 0 {
		cfg.Roles = map[string]Role{"viewer": Viewer, "analyst": Analyst, "admin": Admin}
	}
	if cfg.Leeway == 0 {
		cfg.Leeway = 30 * time.Second
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods(cfg.Algorithms), jwt.WithIssuer(cfg.Issuer), jwt.WithAudience(cfg.Audience),
		jwt.WithExpirationRequired(), jwt.WithLeeway(cfg.Leeway), jwt.WithTimeFunc(now), jwt.WithStrictDecoding(),
	)
	return &tokens{cfg: cfg, parser: parser, subjects: newTable[*Caller](maxSubjects)}, nil
}

// find returns the caller of a token.
func (t *tokens) find(text string) (*Caller, error) {
	if len(text) > maxToken {
		return nil, fmt.Errorf("%w: the token has more than %d bytes", ErrUnknown, maxToken)
	}
	claims := jwt.MapClaims{}
	_, err := t.parser.ParseWithClaims(text, claims, t.keys.find)
	switch {
	case errors.Is(err, ErrUnavailable):
		return nil, fmt.Errorf("%w: the token issuer's keys are not known yet", ErrUnavailable)
	case err != nil:
		return nil, fmt.Errorf("%w: the token is not valid: %s", ErrUnknown, tokenProblem(err))
	}
	subject, err := claims.GetSubject()
	if err != nil || subject == "" || len(subject) > 256 {
		return nil, fmt.Errorf("%w: the token names no subject", ErrUnknown)
	}
	role := t.role(claims)
	if role == Nobody {
		return &Caller{Name: subject, How: "token"}, fmt.Errorf("%w: claim %s of the token gives no role here", ErrForbidden, t.cfg.RoleClaim)
	}
	c := t.subjects.get(subject, func() *Caller {
		return &Caller{requests: newBucket(t.cfg.Requests), rows: newBucket(t.cfg.Rows)}
	})
	return &Caller{Name: subject, How: "token", Role: role, requests: c.requests, rows: c.rows}, nil
}

// tokenProblem says what is wrong in words that quote nothing of the token.
func tokenProblem(err error) string {
	for _, known := range []error{
		jwt.ErrTokenMalformed, jwt.ErrTokenExpired, jwt.ErrTokenNotValidYet, jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience,
		jwt.ErrTokenRequiredClaimMissing, jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "it cannot be checked"
}

// role finds the highest role that the claims give.
func (t *tokens) role(claims jwt.MapClaims) Role {
	var value any = map[string]any(claims)
	for name := range strings.SplitSeq(t.cfg.RoleClaim, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return Nobody
		}
		value = object[name]
	}
	best := Nobody
	for _, text := range texts(value) {
		best = max(best, t.cfg.Roles[text])
	}
	return best
}

// texts are the strings of a claim: an array of them, or words in one (as "scope" has them).
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var all []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}
