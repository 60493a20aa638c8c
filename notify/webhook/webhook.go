// Package webhook posts messages to a URL as signed JSON.
//
// Signatures are those of Standard Webhooks (https://www.standardwebhooks.com): the headers webhook-id, webhook-timestamp
// and webhook-signature, "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body". Endpoints are not trusted: see client.
package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mlids/notify"
)

// Errors of this package.
var (
	ErrURL    = errors.New("unusable URL")
	ErrStatus = errors.New("endpoint refused")
)

// maxAnswer is how much of an answer is read, in bytes. Answers are for logs alone.
const maxAnswer = 4 << 10

// Config says where messages go and in which form.
type Config struct {
	URL          string
	Format       string // row, eve, ecs, slack or alertmanager
	Secret       []byte // key of the signature; empty for none
	Authorize    string // value of the header Authorization; empty for none
	Timeout      time.Duration
	Batch        int  // messages in one request; of row, eve and ecs more than one make an array
	AllowPrivate bool // also talk to this machine and to private networks
}

// Deps are what the sink uses.
type Deps struct {
	Log *slog.Logger     // nil for silence
	Now func() time.Time // nil for time.Now
}

// Parse reads https://host/path?format=slack&secret=…&timeout=10s&batch=1&allow-private. Our options leave the URL; what
// the endpoint shall get as query stands in the option query.
func Parse(u *url.URL) (Config, error) {
	o := notify.NewOptions(u)
	c := Config{
		Format: o.Choice("format", "row", "eve", "ecs", "slack", "alertmanager"), Authorize: o.Secret("authorization"),
		Timeout: o.Duration("timeout", 10*time.Second, time.Millisecond, 5*time.Minute), AllowPrivate: o.Bool("allow-private", false),
	}
	most := map[string]int{"slack": 20, "alertmanager": 64}[c.Format]
	c.Batch = o.Int("batch", max(most, 1), 1, 1000)
	target := *u
	target.Fragment, target.RawQuery = "", o.String("query", "")
	c.URL = target.String()
	var err error
	if c.Secret, err = key(o.Secret("secret")); err != nil {
		return c, err
	}
	return c, errors.Join(check(&target), o.Err())
}

func check(u *url.URL) error {
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%w: %q; want https://HOST/PATH", ErrURL, u.Redacted())
	}
	return nil
}

// key reads a secret: "whsec_" and base64 as Standard Webhooks has it, or any other text as it is.
func key(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		return []byte(secret), nil
	}
	k, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: secret: after whsec_ comes base64", notify.ErrOption)
	}
	return k, nil
}

// Sink posts to one URL.
type Sink struct {
	cfg    Config
	now    func() time.Time
	client *http.Client
}

// New makes a sink; no request is made before Send.
func New(cfg Config, deps Deps) (*Sink, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	if err := errors.Join(check(u), refuseName(u.Hostname(), cfg.AllowPrivate)); err != nil {
		return nil, err
	}
	if cfg.Timeout <= 0 || cfg.Batch <= 0 {
		return nil, fmt.Errorf("webhook: time-out %v and batch %d must be above 0", cfg.Timeout, cfg.Batch)
	}
	if _, _, err := encode(cfg, nil, time.Time{}, nil); err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg, now: deps.Now, client: client(cfg)}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Batch is as many as Config says.
func (s *Sink) Batch() int { return s.cfg.Batch }

// Close drops idle connections.
func (s *Sink) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Send posts the messages in one request.
func (s *Sink) Send(ctx context.Context, batch []*notify.Message) error {
	now, errs := s.now(), make([]error, len(batch))
	body, kept, err := encode(s.cfg, batch, now, errs)
	if err != nil {
		return fmt.Errorf("webhook: %w: %w", notify.ErrPermanent, err)
	}
	if len(kept) > 0 {
		err = s.post(ctx, body, batchID(kept), now)
	}
	for i := range errs {
		errs[i] = cmp.Or(errs[i], err)
	}
	return notify.Result(errs)
}

func (s *Sink) post(ctx context.Context, body []byte, id string, now time.Time) error {
	ctx, stop := context.WithTimeout(ctx, s.cfg.Timeout)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	s.sign(req.Header, id, now, body)
	res, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("webhook: %w", hidden(err))
	}
	defer res.Body.Close()
	return answer(res)
}

// hidden takes the URL, which may hold a token, out of an error.
func hidden(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// batchID names a delivery: the same for the same messages, so that endpoints can drop one that comes again.
func batchID(batch []*notify.Message) string {
	if len(batch) == 1 {
		return batch[0].Alert.ID
	}
	h := sha256.New()
	for _, m := range batch {
		fmt.Fprintln(h, m.Alert.ID)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (s *Sink) sign(header http.Header, id string, now time.Time, body []byte) {
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "mlids")
	if s.cfg.Authorize != "" {
		header.Set("Authorization", s.cfg.Authorize)
	}
	at := strconv.FormatInt(now.Unix(), 10)
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", at)
	if len(s.cfg.Secret) > 0 {
		header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(Sign(s.cfg.Secret, id, at, body)))
	}
}

// Sign is the HMAC-SHA256 that receivers compare with.
func Sign(secret []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return mac.Sum(nil)
}

// answer tells from a response whether the messages were taken. Redirects are not followed: an endpoint that moved is
// configured anew, and one that is not trusted does not lead elsewhere.
func answer(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what cannot be read changes nothing
	switch code := res.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return fmt.Errorf("webhook: %w: %d %q", ErrStatus, code, excerpt(text))
	default:
		return fmt.Errorf("webhook: %w: %w: %d %q", notify.ErrPermanent, ErrStatus, code, excerpt(text))
	}
}

func excerpt(text []byte) string {
	return strings.ToValidUTF8(string(text[:min(len(text), 200)]), "?")
}
