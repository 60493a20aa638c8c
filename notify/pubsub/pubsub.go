// Package pubsub publishes messages to a topic of Google Cloud Pub/Sub, those of one host in order and with the attributes
// that subscriptions filter by, and takes them from a subscription.
package pubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"mlids/notify"
)

// ErrConfig marks what no client can be made of.
var ErrConfig = errors.New("Pub/Sub configuration")

// Limits of the service (https://cloud.google.com/pubsub/quotas#resource_limits).
const (
	maxAttribute = 1024     // bytes of an attribute's value
	maxMessage   = 10 << 20 // bytes of a message
)

// Config says which topic or subscription.
type Config struct {
	Project, Name string
	Endpoint      string // host:port in place of the service's own
	Insecure      bool   // no TLS and no credentials, of emulators
	Credentials   string // file of a service account; "" for the environment's
	Timeout       time.Duration
	Batch         int
}

// Deps are what sink and receiver use.
type Deps struct {
	Log *slog.Logger // nil for silence
}

// Parse reads pubsub://PROJECT/NAME with the options endpoint, insecure, credentials (file), timeout, batch. The variable
// PUBSUB_EMULATOR_HOST leads to an emulator.
func Parse(u *url.URL, lookup func(string) (string, bool)) (Config, error) {
	o := notify.NewOptions(u)
	emulator, _ := lookup("PUBSUB_EMULATOR_HOST")
	c := Config{
		Project: u.Host, Name: strings.Trim(u.Path, "/"), Endpoint: o.String("endpoint", emulator), Insecure: o.Bool("insecure", emulator != ""),
		Credentials: o.String("credentials", ""), Timeout: o.Duration("timeout", 10*time.Second, time.Millisecond, 5*time.Minute),
		Batch: o.Int("batch", 100, 1, 1000),
	}
	if c.Project == "" || c.Name == "" || strings.Contains(c.Name, "/") {
		return c, fmt.Errorf("%w: %q; want pubsub://PROJECT/NAME", ErrConfig, u.Redacted())
	}
	return c, o.Err()
}

// open makes the service's client.
func open(cfg Config) (*pubsub.Client, error) {
	var options []option.ClientOption
	if cfg.Endpoint != "" {
		options = append(options, option.WithEndpoint(cfg.Endpoint))
	}
	switch {
	case cfg.Insecure:
		options = append(options, option.WithoutAuthentication(), option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	case cfg.Credentials != "":
		text, err := os.ReadFile(cfg.Credentials)
		if err != nil {
			return nil, fmt.Errorf("%w: credentials: %w", ErrConfig, err)
		}
		options = append(options, option.WithAuthCredentialsJSON(option.ServiceAccount, text))
	}
	client, err := pubsub.NewClient(context.Background(), cfg.Project, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return client, nil
}

// Sink publishes to one topic.
type Sink struct {
	cfg       Config
	client    *pubsub.Client
	publisher *pubsub.Publisher
}

// New makes a sink; nothing is asked of the service before Send.
func New(cfg Config, _ Deps) (*Sink, error) {
	client, err := open(cfg)
	if err != nil {
		return nil, err
	}
	p := client.Publisher(cfg.Name)
	p.EnableMessageOrdering = true
	p.PublishSettings.DelayThreshold = time.Millisecond
	p.PublishSettings.Timeout = cfg.Timeout
	return &Sink{cfg, client, p}, nil
}

// Batch is as many as Config says.
func (s *Sink) Batch() int { return s.cfg.Batch }

// Close drops the connection.
func (s *Sink) Close() error {
	s.publisher.Stop()
	return s.client.Close()
}

// Send publishes messages and waits for the service's word on each.
func (s *Sink) Send(ctx context.Context, batch []*notify.Message) error {
	ctx, stop := context.WithTimeout(ctx, s.cfg.Timeout)
	defer stop()
	errs := make([]error, len(batch))
	results := make([]*pubsub.PublishResult, len(batch))
	for i, m := range batch {
		out, err := message(m)
		if err != nil {
			errs[i] = fmt.Errorf("pubsub: %w: %w", notify.ErrPermanent, err)
			continue
		}
		results[i] = s.publisher.Publish(ctx, out)
	}
	s.publisher.Flush()
	for i, r := range results {
		if r == nil {
			continue
		}
		if _, err := r.Get(ctx); err != nil {
			errs[i] = classify(err)
			s.publisher.ResumePublish(notify.Key(batch[i])) // a failure stops its key until then; who called sends again
		}
	}
	return notify.Result(errs)
}

func message(m *notify.Message) (*pubsub.Message, error) {
	if len(m.Body) > maxMessage {
		return nil, fmt.Errorf("%d bytes, the service takes %d", len(m.Body), maxMessage)
	}
	short := *m
	attributes, err := notify.Attributes(&short)
	for err == nil && tooLong(attributes) && len(short.Alert.Top) > 0 { // leave out the columns that counted least
		short.Alert.Top = short.Alert.Top[:len(short.Alert.Top)-1]
		attributes, err = notify.Attributes(&short)
	}
	if err != nil {
		return nil, err
	}
	out := &pubsub.Message{Data: m.Body, Attributes: map[string]string{}, OrderingKey: notify.Key(m)}
	for _, a := range attributes {
		if len(a.Value) <= maxAttribute {
			out.Attributes[a.Name] = a.Value
		}
	}
	return out, nil
}

func tooLong(attributes []notify.Attribute) bool {
	for _, a := range attributes {
		if len(a.Value) > maxAttribute {
			return true
		}
	}
	return false
}

// classify marks messages that the service will never take. Missing topics and rights may come.
func classify(err error) error {
	if status.Code(err) == codes.InvalidArgument {
		return fmt.Errorf("pubsub: %w: %w", notify.ErrPermanent, err)
	}
	return fmt.Errorf("pubsub: %w", err)
}
